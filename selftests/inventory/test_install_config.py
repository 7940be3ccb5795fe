"""install.config: every trap of the two grammars."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bkpaas.errors import InventoryError
from bkpaas.inventory import Deployment
from bkpaas.inventory.source import read

Site = Callable[..., Path]
Refusals = Callable[[Path], list[str]]


def roles(deployment: Deployment) -> dict[str, tuple[str, ...]]:
    return {host.address: host.roles for host in deployment.hosts}


def noted(deployment: Deployment, *parts: str) -> list[str]:
    return [note for note in map(str, deployment.notes) if all(part in note for part in parts)]


TOLERATED = {
    "plain": ("10.0.1.1 paas,nginx\n", None),
    "comment-glued-to-a-role": ("10.0.1.1 paas,nginx#建议配置：4核16G\n", None),
    "comment-behind-blanks": ("10.0.1.1 paas,nginx      #建议配置：4核16G\n", None),
    "comment-naming-roles": ("10.0.1.1 paas,nginx # appo,appt later\n", None),
    "full-width-comment-sign": ("10.0.1.1 paas,nginx＃备注\n", "full-width"),
    "comment-lines": ("# paas\n  # nginx\n10.0.1.1 paas,nginx\n", None),
    "full-width-commas": ("10.0.1.1 paas，nginx\n", "full-width"),
    "enumeration-commas": ("10.0.1.1 paas、nginx\n", "full-width"),
    "full-width-blank": ("10.0.1.1\u3000paas,nginx\n", "full-width"),
    "no-break-space": ("10.0.1.1\u00a0paas,nginx\n", "full-width"),
    "group-header": ("[bkce-basic]\n10.0.1.1 paas,nginx\n", None),
    "crlf": ("10.0.1.1 paas,nginx\r\n\r\n", "CRLF"),
    "carriage-returns-only": ("# a\r10.0.1.1 paas,nginx\r", None),
    "byte-order-mark": ("\ufeff10.0.1.1 paas,nginx\n", None),
    "byte-order-mark-inside": ("# a\n\ufeff10.0.1.1 paas,nginx\n", None),
    "tabs": ("10.0.1.1\tpaas,\tnginx\t\n", None),
    "blanks-around-commas": ("  10.0.1.1   paas , nginx ,  \n", None),
    "no-final-newline": ("10.0.1.1 paas,nginx", None),
    "one-role-a-line": ("10.0.1.1 paas\n10.0.1.1 nginx\n", "10.0.1.1 again"),
    "same-role-twice": ("10.0.1.1 paas,nginx,paas\n", None),
    "upper-case": ("10.0.1.1 PaaS,NGINX\n", None),
}


@pytest.mark.parametrize("name", TOLERATED)
def test_5x_reads_it_as_a_host_with_paas_and_nginx(config, name: str) -> None:
    text, note = TOLERATED[name]
    deployment = config(text)
    assert roles(deployment) == {"10.0.1.1": ("nginx", "paas")}
    assert bool(noted(deployment, "install.config:")) == bool(note)
    assert note is None or noted(deployment, note)


def test_5x_submodules_count_as_their_module(config) -> None:
    text = "10.0.1.1 kafka(config)，zk（config），bkdata(dataapi,databus),paas\n"
    assert roles(config(text)) == {"10.0.1.1": ("bkdata", "kafka", "paas", "zk")}


def test_words_are_whole_words(config) -> None:
    deployment = config("10.0.1.1 paas_agent,paas_plugins,nginx2\n")
    assert deployment.hosts_with("paas", "nginx") == ()
    assert noted(deployment, "nginx2", "paas_agent", "paas_plugins", "unknown roles")
    assert noted(deployment, "no host has the role paas")


def test_5x_cc_is_cmdb_with_a_note(config) -> None:
    deployment = config("10.0.1.1 paas\n10.0.1.2 cc,job\n")
    assert roles(deployment)["10.0.1.2"] == ("cmdb", "job")
    assert noted(deployment, "install.config:2", "cc read as cmdb")


def test_full_width_note_counts_the_lines(config) -> None:
    deployment = config("10.0.1.1 paas，job\n10.0.1.2 nginx，job\n")
    assert noted(deployment, "install.config:1", "full-width", "(2 lines)")


def test_a_host_without_roles_is_kept_with_a_note(config) -> None:
    deployment = config("10.0.1.1 paas\n10.0.1.2\n")
    assert roles(deployment)["10.0.1.2"] == ()
    assert noted(deployment, "10.0.1.2 has no role")


def test_unknown_roles_are_kept_and_reported_first(config) -> None:
    """Behind the files and the generation, which the summary leaves out, so that it never cuts them off."""
    deployment = config("10.0.1.1 paas，nginx,cc\n10.0.1.2 ngnix\n10.0.1.3 ngnix,zzz\n")
    assert roles(deployment)["10.0.1.2"] == ("ngnix",)
    assert str(deployment.notes[2]) == (
        "unknown roles, kept: ngnix (did you mean nginx?) of 10.0.1.2, 10.0.1.3, zzz of 10.0.1.3"
    )


def test_paas_without_nginx_is_reported(config) -> None:
    note = "no nginx host: the request flow is checked from the controller only"
    assert str(config("10.0.1.1 paas\n").notes[2]) == note
    assert not noted(config("10.0.1.1 paas,nginx\n"), "no nginx host")


def test_appo_and_appt_on_one_host_is_noted(config) -> None:
    assert noted(config("10.0.1.1 paas,appo,appt\n"), "10.0.1.1", "only appo takes effect")


def test_two_paas_hosts_and_no_appt(config) -> None:
    deployment = config("10.0.1.1 paas\n10.0.1.2 paas\n")
    assert [host.address for host in deployment.hosts_with("paas")] == ["10.0.1.1", "10.0.1.2"]
    assert deployment.hosts_with("appt") == ()


def test_5x_tag_line_is_skipped_with_a_note(config) -> None:
    assert noted(config("10.0.0.1:22 appo\n10.0.1.1 paas\n"), "install.config:1", "tag line")


NO_ADDRESS = [
    "999.1.1.1",
    "10.0.0",
    "10.0.0.1.2",
    "10.0.01.1",
    "010.0.0.1",
    "10.0.0.256",
    "１０.0.0.1",
    "10.0.0.1/24",
    "0.0.0.0",
    "255.255.255.255",
    "224.0.0.1",
    "fe80::1",
    "paas-1",
    "paas",
]


@pytest.mark.parametrize("word", NO_ADDRESS, ids=ascii)
def test_5x_bad_address_is_refused_with_its_line(site: Site, refusals: Refusals, word: str) -> None:
    path = site({"install.config": f"# bkdata\n10.0.1.1 bkdata\n\n{word} paas\n"})
    (refusal,) = refusals(path)
    assert refusal.startswith(f"install.config:4: {word!r} is not the IPv4 address of a host | write four")


@pytest.mark.parametrize(
    "word", ["zk (config)", "paas)", "(paas)", "zk(config", "pa-as", "7paas", "paas;nginx"]
)
def test_5x_bad_role_is_refused_with_its_line(site: Site, refusals: Refusals, word: str) -> None:
    (refusal,) = refusals(site({"install.config": f"10.0.1.1 bkdata\n10.0.1.2 {word}\n"}))
    assert refusal.startswith("install.config:2: ")
    assert "is not a role | write roles as" in refusal


def test_all_bad_lines_are_reported_together(site: Site, refusals: Refusals) -> None:
    messages = refusals(
        site({"install.config": "10.0.0 bkdata\n10.0.1.2 pa-as\n10.0.1.3 paas\n300.1.1.1 job\n"})
    )
    assert [refusal.split(": ")[0] for refusal in messages] == [f"install.config:{n}" for n in (1, 2, 4)]


def test_a_file_that_names_no_host_is_refused(site: Site, refusals: Refusals) -> None:
    (refusal,) = refusals(site({"install.config": "# nothing\n[bkce-basic]\n"}))
    assert refusal.startswith("install.config: lists no host | ")


GROUPED = """\
[basic]
10.0.1.1 consul,nginx,zk(config)
10.0.1.1 paas,nodeman(nodeman),iam_search_engine

[bkmonitorv3]
:tag something
tag:value something
10.0.1.2,es7\tmonitorv3(influxdb-proxy) , influxdb(bkmonitorv3)
# appo
[bklog]
10.0.1.2 log(api),log(grafana)"""


def test_6x_groups_merged_lines_tags_and_projects(config) -> None:
    deployment = config(GROUPED, "6.x")
    assert roles(deployment) == {
        "10.0.1.1": ("consul", "iam_search_engine", "nginx", "nodeman", "paas", "zk"),
        "10.0.1.2": ("es", "influxdb", "log", "monitorv3"),
    }
    assert noted(deployment, "install.config:6", "tag line")
    assert noted(deployment, "install.config:7", "tag line")
    assert not noted(deployment, "again")


STRICT = {
    "comment-behind-roles": ("10.0.1.1 paas,nginx # note\n", "a comment behind the roles"),
    "comment-glued-to-a-role": ("10.0.1.1 paas,nginx#建议配置：4核16G\n", "a comment behind the roles"),
    "full-width-comma": ("10.0.1.1 paas，nginx\n", "'paas，nginx' is not a role"),
    "full-width-parentheses": ("10.0.1.1 zk（config）\n", "'zk（config）' is not a role"),
    "upper-case": ("10.0.1.1 PaaS\n", "'PaaS' is not a role"),
    "bad-project": ("10.0.1.1 log(Api)\n", "'log(Api)' is not a role"),
    "empty-project": ("10.0.1.1 zk()\n", "'zk()' is not a role"),
    "list-in-parentheses": ("10.0.1.1 log(api,grafana)\n", "'log(api,grafana)' is not a role"),
    "bad-address": ("10.0.1 paas\n", "'10.0.1' is not the IPv4 address"),
    "not-an-address": ("paas-1 paas\n", "'paas-1' is not the IPv4 address"),
    "ipv6": ("fe80::1 paas\n", "'fe80::1' is not the IPv4 address"),
}


@pytest.mark.parametrize("name", STRICT)
def test_6x_is_strict(site: Site, refusals: Refusals, name: str) -> None:
    text, reason = STRICT[name]
    (refusal,) = refusals(site({"bkcli": "", "install.config": f"[basic]\n10.0.1.9 paas\n{text}"}))
    assert refusal.startswith(f"install.config:3: {reason}")


def test_6x_crlf_and_missing_final_newline_are_read(config) -> None:
    deployment = config("[basic]\r\n10.0.1.1 paas\r\n10.0.1.2 es7", "6.x")
    assert roles(deployment) == {"10.0.1.1": ("paas",), "10.0.1.2": ("es",)}
    assert noted(deployment, "every bkcli command stops here", "CRLF")


DROPPED = {
    "blank": " 10.0.1.2 nginx\n",
    "tab-in-front": "\t10.0.1.2 nginx\n",
    "tab-behind-the-address": "10.0.1.2\tnginx\n",
    "no-break-space": "10.0.1.2\u00a0nginx\n",
    "byte-order-mark": "\ufeff10.0.1.2 nginx\n",
}


@pytest.mark.parametrize("name", DROPPED)
def test_6x_reads_a_line_that_the_installer_drops_and_says_so(config, name: str) -> None:
    deployment = config(f"[basic]\n10.0.1.1 paas,usermgr\n{DROPPED[name]}", "6.x")
    assert roles(deployment)["10.0.1.2"] == ("nginx",)
    (note,) = noted(deployment, "ignores this host")
    assert "install.config:3" in note


@pytest.mark.parametrize("line", ["10.0.1.2 nginx,\n", "10.0.1.2 nginx \n"])
def test_6x_reads_a_line_that_stops_bkcli_and_says_so(config, line: str) -> None:
    deployment = config(f"[basic]\n10.0.1.1 paas,usermgr\n{line}", "6.x")
    assert roles(deployment)["10.0.1.2"] == ("nginx",)
    assert noted(deployment, "install.config:3", "every bkcli command stops here")


def test_6x_says_that_es_is_es7(config) -> None:
    deployment = config("[basic]\n10.0.1.1 paas\n10.0.1.2 es\n", "6.x")
    assert roles(deployment)["10.0.1.2"] == ("es",) and noted(deployment, "install.config:3", "only es7")


def test_a_plain_6x_file_has_no_such_note(config) -> None:
    deployment = config("[basic]\n10.0.1.1 paas,usermgr\n10.0.1.2 es7,zk(config)\n", "6.x")
    assert not noted(deployment, "install.config:")


def test_a_comment_in_gbk_is_read(tmp_path: Path) -> None:
    file = tmp_path / "install.config"
    file.write_bytes("# 主机\n10.0.1.1 paas\n".encode("gbk"))
    assert read(file).lines[1] == "10.0.1.1 paas"


@pytest.mark.parametrize("quote", ["'", '"'])
def test_a_sign_within_quotes_begins_no_comment(tmp_path: Path, quote: str) -> None:
    """Text in GBK behind it would be changed silently."""
    file = tmp_path / "globals.env"
    file.write_bytes(f"export A={quote}a#登录{quote}\n".encode("gbk"))
    with pytest.raises(InventoryError, match="is not UTF-8"):
        read(file)
