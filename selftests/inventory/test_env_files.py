"""globals.env, ports.env and 04-final/*.env: read as data, never run, no secret kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bkpaas.inventory import Deployment, load
from bkpaas.inventory.env_file import Setting, read_env
from bkpaas.inventory.source import Source

Site = Callable[..., Path]
Refusals = Callable[[Path], list[str]]

CONFIG_5 = "10.0.1.1 paas,nginx,es\n10.0.1.2 cmdb,job,bkdata\n"
CONFIG_6 = "[basic]\n10.0.1.1 paas,nginx,es7\n10.0.1.2 cmdb,job\n"


def read(text: str, *keys: str) -> list[Setting]:
    settings = read_env([Source("f.env", tuple(text.split("\n")))], keys)
    return [settings[key] for key in keys]


VALUES = {
    "double-quotes": ('export A="x y"', "x y"),
    "single-quotes": ("export A='x $B \"y'", 'x $B "y'),
    "bare": ("A=x", "x"),
    "no-export": ("  A=x  ", "x"),
    "declared": ("declare -x A=x", "x"),
    "comment-behind": ('export A="x"          # A=y', "x"),
    "sign-inside-a-word": ("A=x#y", "x#y"),
    "sign-in-quotes": ('A="x # y"', "x # y"),
    "empty": ("A=", ""),
    "empty-with-comment": ("A= # x", ""),
    "variable": ("B=x\nA=$B.y", "x.y"),
    "braces": ("B=x\nA=${B}y", "xy"),
    "variable-in-quotes": ('B=x\nA="p.$B/${B}"', "p.x/x"),
    "escaped-dollar": ('B=x\nA="\\$B"', "$B"),
    "escaped-quote": ('A="x\\"y"', 'x"y'),
    "default-taken": ("A=${B:-x}", "x"),
    "default-for-empty": ("B=\nA=${B:-x}", "x"),
    "default-not-for-empty": ("B=\nA=${B-x}", ""),
    "default-not-taken": ("B=y\nA=${B:-x}", "y"),
    "joined-pieces": ("B=y\nA='x'\"$B\"z", "xyz"),
    "two-on-a-line": ("B=1; A=x", "x"),
    "two-exported-at-once": ("export B=1 A=x C=2", "x"),
    "last-one-counts": ("A=y\nA=x", "x"),
    "multi-line-quotes": ('A="x\ny"', "x\ny"),
    "after-a-list": ("L=( a 'b)' # it's )\n  c\n)\nA=x", "x"),
    "after-a-one-line-condition": ("if true; then B=1; fi\nA=x", "x"),
    "after-a-condition": ("if true\nthen\n B=1\nfi\nA=x", "x"),
    "after-a-function": ("f() {\n B=1\n}\nA=x", "x"),
    "key-inside-another": ("XA=y\nA=x\nA_=z", "x"),
}


@pytest.mark.parametrize("name", VALUES)
def test_value(name: str) -> None:
    text, value = VALUES[name]
    assert read(text, "A")[0].text == value


UNREADABLE = {
    "command": ("A=$(hostname)", "run by a shell"),
    "command-in-quotes": ('A="x.$(hostname -f)"', "run by a shell"),
    "backticks": ("A=`hostname`", "run by a shell"),
    "fancy-expansion": ("B=x\nA=${B%%.*}", "run by a shell"),
    "list": ("A=( x y )", "is a list"),
    "appended": ("A=x\nA+=y", "is added to"),
    "conditional": ("if true\nthen\n  export A=x\nfi", "under a condition"),
    "in-a-loop": ("for i in 1 2; do\nA=$i\ndone", "under a condition"),
    "in-a-function": ("f() {\nA=x\n}", "under a condition"),
    "from-a-secret": ("DB_PASSWORD=s3cret\nA=x$DB_PASSWORD", "refers to DB_PASSWORD"),
    "from-a-command": ("B=$(id)\nA=$B", "refers to B"),
    "credentials-in-a-url": ("A=http://u:s3cret@h/", "is a secret"),
    "too-long-as-written": ("B=\nA=" + "$B" * 3000, "longer than"),
    "too-long": ("B=" + "x" * 4000 + "\nA=$B$B", "longer than"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_value_that_cannot_be_had_says_why(name: str) -> None:
    text, why = UNREADABLE[name]
    (setting,) = read(text, "A")
    assert setting.text is None
    assert why in str(setting.why)


SECRETS = [
    "MYSQL_PASS",
    "BK_PAAS_MYSQL_PASSWORD",
    "BK_PAAS_APP_SECRET",
    "ESB_TOKEN",
    "SECRET_KEY",
    "BK_AGENT_SID",
]


@pytest.mark.parametrize("key", SECRETS)
def test_secrets_are_not_kept_even_when_asked_for(key: str) -> None:
    (setting,) = read(f"{key}='s3cret'", key)
    assert setting.text is None
    assert "s3cret" not in repr(setting)


def test_nothing_is_run(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    read(f"A=$(touch {trace})\ntouch {trace}\nB=`touch {trace}`\nC=${{D:=$(touch {trace})}}", "A", "B")
    assert not trace.exists()


def test_growth_by_expansion_is_bounded() -> None:
    (setting,) = read("A=xx\n" + "A=$A$A$A$A\n" * 200, "A")
    assert setting.text is None


GLOBALS = """\
export BK_DOMAIN="site.example.com"            # 蓝鲸根域名
export PAAS_FQDN="paas.$BK_DOMAIN"
export CMDB_FQDN="cc.$BK_DOMAIN"
export JOB_FQDN="${JOB_NAME:-job}.$BK_DOMAIN"
export HTTP_SCHEMA=https
export GSE_WAN_IP=(192.0.2.1)
export INSTALL_PATH=/data/bkee/
export MYSQL_PASS="it's $ecret"
"""
PORTS = """\
export DEFAULT_HTTP_PORT=80
export PAAS_HTTP_PORT=$DEFAULT_HTTP_PORT
export PAAS_HTTPS_PORT=8443
export APP_NGXPROXY_PORT=8011
export PAAS_AGENT_PORT=4246
export REDIS_PORT=6380
export RABBITMQ_PORT=5673
export ES_REST_PORT=10005
export MYSQL_PORT=3307
"""


def five(site: Site, globals_env: str, ports_env: str = "", **others: str) -> Path:
    return site({"install.config": CONFIG_5, "globals.env": globals_env, "ports.env": ports_env, **others})


def untold(deployment: Deployment) -> str:
    """The note of what was the default is used."""
    return "".join(note for note in map(str, deployment.notes) if "the default is used" in note)


def test_5x_domain_scheme_home_and_ports(site: Site) -> None:
    deployment = load(five(site, GLOBALS, PORTS))
    assert deployment.domain == "paas.site.example.com"
    assert deployment.fqdns == {"cmdb": "cc.site.example.com", "job": "job.site.example.com"}
    assert (deployment.scheme, deployment.port) == ("https", 8443)
    assert deployment.cookie_domain == "site.example.com"
    assert deployment.install_root == "/data/bkee"
    assert deployment.ports == {
        "agent_nginx": 8011,
        "paas_agent": 4246,
        "redis": 6380,
        "rabbitmq": 5673,
        "es": 10005,
        "mysql": 3307,
    }
    assert not untold(deployment)
    assert "ecret" not in repr(deployment)


def test_5x_http_takes_the_http_port_through_its_variable(site: Site) -> None:
    deployment = load(
        five(site, "HTTP_SCHEMA=http\n", "DEFAULT_HTTP_PORT=8080\nPAAS_HTTP_PORT=$DEFAULT_HTTP_PORT\n")
    )
    assert (deployment.scheme, deployment.port) == ("http", 8080)


def test_5x_without_env_files_uses_the_defaults_with_a_note(site: Site) -> None:
    deployment = load(site({"install.config": CONFIG_5}))
    assert deployment.domain == "paas.bk.com"
    assert deployment.fqdns == {"cmdb": "cmdb.bk.com", "job": "job.bk.com"}
    assert (deployment.scheme, deployment.port, deployment.install_root) == ("http", 80, None)
    assert deployment.ports == {}
    assert deployment.cookie_domain is None
    note = untold(deployment)
    for part in ("domain paas.bk.com", "scheme http", "port 80", "fqdns.cmdb cmdb.bk.com", "ports.es 10004"):
        assert part in note
    assert any(
        note.startswith("install directory not in the inventory") for note in map(str, deployment.notes)
    )


def test_5x_root_domain_alone_names_the_rest(site: Site) -> None:
    deployment = load(five(site, 'export BK_DOMAIN="site.example.com"\n'))
    assert deployment.domain == "paas.site.example.com"
    assert deployment.fqdns["cmdb"] == "cmdb.site.example.com"
    assert "domain paas.site.example.com" in untold(deployment)


def test_names_of_roles_that_no_host_has_are_left_out(site: Site) -> None:
    path = site({"install.config": "10.0.1.1 paas,es\n10.0.1.2 job\n", "globals.env": GLOBALS})
    assert load(path).fqdns == {"job": "job.site.example.com"}


@pytest.mark.parametrize(("script", "home"), [("bkcec", "/data/bkce"), ("bkeec", "/data/bkee")])
def test_install_root_is_read_from_the_control_script(site: Site, script: str, home: str) -> None:
    deployment = load(site({"install.config": CONFIG_5, script: "#!/bin/bash\n"}))
    assert deployment.install_root == home
    assert any(
        f"because {script} is in the inventory" in note and home in note
        for note in map(str, deployment.notes)
    )


def test_install_path_is_stronger_than_the_control_script(site: Site) -> None:
    assert load(five(site, "INSTALL_PATH=/srv/bk\n", bkcec="")).install_root == "/srv/bk"


SIX = {
    "bin/04-final/global.env": """\
BK_HOME=/data/bkee
BK_DOMAIN="site.example.com"
BK_HTTP_SCHEMA='https'
BK_PAAS_PUBLIC_ADDR="paas.$BK_DOMAIN:8443"
BK_CMDB_PUBLIC_ADDR="cmdb.$BK_DOMAIN:8443"
BK_JOB_PUBLIC_ADDR=job.$BK_DOMAIN
NTP_SERVER=(
  ntp.example.com # one
)
""",
    "bin/04-final/paas.env": "BK_PAAS_REDIS_PORT=6380\nBK_PAAS_MYSQL_PORT=3307\nBK_PAAS_ES7_ADDR=elastic:s3cret@es:9200\n",
    "bin/04-final/paas_plugins.env": "BK_PAAS_PLUGINS_ES7_REST_PORT=9201\n",
    "bin/04-final/paasagent.env": "BK_PAASAGENT_NGINX_PROXY_PORT=8011\nBK_PAASAGENT_SERVER_PORT=4246\n",
    "bin/04-final/unrelated.env": "A='never closed\n",
}


def test_6x_public_address_carries_the_port(site: Site) -> None:
    deployment = load(site({"install.config": CONFIG_6, **SIX}))
    assert deployment.generation == "6.x"
    assert deployment.domain == "paas.site.example.com"
    assert (deployment.scheme, deployment.port) == ("https", 8443)
    assert deployment.fqdns == {"cmdb": "cmdb.site.example.com", "job": "job.site.example.com"}
    assert deployment.install_root == "/data/bkee"
    assert deployment.ports == {
        "agent_nginx": 8011,
        "paas_agent": 4246,
        "redis": 6380,
        "mysql": 3307,
        "es": 9201,
    }
    assert "s3cret" not in repr(deployment)


def test_6x_public_address_without_port(site: Site) -> None:
    env = "BK_HTTP_SCHEMA=https\nBK_PAAS_PUBLIC_ADDR=paas.site.example.com\n"
    deployment = load(site({"install.config": CONFIG_6, "bin/04-final/global.env": env}))
    assert (deployment.domain, deployment.port) == ("paas.site.example.com", 443)
    assert "port 443" in untold(deployment)


def test_6x_paas_env_has_the_final_word_and_empty_means_unsaid(site: Site) -> None:
    files = {
        "bin/04-final/global.env": "BK_HOME=/data/bkce\nBK_PAAS_PUBLIC_ADDR=old.example.com:80\nBK_PAAS_REDIS_PORT=\n",
        "bin/04-final/paas.env": "BK_PAAS_PUBLIC_ADDR=paas.example.com:80\n",
    }
    deployment = load(site({"install.config": CONFIG_6, **files}))
    assert deployment.domain == "paas.example.com"
    assert "ports.redis 6379" in untold(deployment)


def test_6x_without_env_files_uses_the_defaults_with_a_note(site: Site) -> None:
    deployment = load(site({"install.config": CONFIG_6, "bkcli": ""}))
    assert deployment.domain == "paas.bktencent.com"
    assert deployment.service_port("es") == 9200
    assert "ports.es 9200" in untold(deployment)


REFUSED = {
    "unset-variable": (
        "A=1\nPAAS_FQDN=paas.$BK_DOMAIN\n",
        "globals.env:2: PAAS_FQDN is not a host name: 'paas.' (BK_DOMAIN is not set) | correct it, or set domain: ...",
    ),
    "command": ("PAAS_FQDN=$(hostname -f)\n", "globals.env:1: PAAS_FQDN would have to be run by a shell | "),
    "underscore": (
        "PAAS_FQDN=paas_1.example.com\n",
        "globals.env:1: PAAS_FQDN is not a host name: 'paas_1.example.com'",
    ),
    "url": ("PAAS_FQDN=http://paas.example.com\n", "globals.env:1: PAAS_FQDN is not a host name"),
    "bad-port-behind": ("PAAS_FQDN=paas.example.com:x\n", "globals.env:1: PAAS_FQDN is not a host name"),
    "list": ("PAAS_FQDN=( a b )\n", "globals.env:1: PAAS_FQDN is a list"),
    "scheme": (
        "HTTP_SCHEMA=ftp\n",
        "globals.env:1: HTTP_SCHEMA is not http or https: 'ftp' | correct it, or set scheme: ...",
    ),
    "relative-home": (
        "INSTALL_PATH=data/bkce\n",
        "globals.env:1: INSTALL_PATH is not an absolute path: 'data/bkce'",
    ),
    "port-word": (
        "REDIS_PORT=six\n",
        "globals.env:1: REDIS_PORT is not a port: 'six' | correct it, or set ports: {redis: ...}",
    ),
    "port-zero": ("\n\nREDIS_PORT=0\n", "globals.env:3: REDIS_PORT is not a port: '0'"),
    "port-too-large": ("REDIS_PORT=65536\n", "globals.env:1: REDIS_PORT is not a port: '65536'"),
    "port-full-width": ("REDIS_PORT=６３７９\n", "globals.env:1: REDIS_PORT is not a port"),
    "open-quote": (
        "A=1\nB='x\nC=2\n",
        "globals.env:2: a quote or bracket is opened and never closed | close it",
    ),
    "open-double-quote": ('A=1\nB="x\nC=2\n', "globals.env:2: a quote or bracket is opened and never closed"),
    "open-list": ("A=1\nB=( x\nC=2\n", "globals.env:2: a quote or bracket is opened and never closed"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_its_line(site: Site, refusals: Refusals, name: str) -> None:
    text, reason = REFUSED[name]
    (refusal,) = refusals(five(site, text))
    assert refusal.startswith(reason)


def test_the_fix_works(site: Site) -> None:
    overlay = "domain: paas.example.com\nports: {redis: 6379}\n"
    deployment = load(five(site, "PAAS_FQDN=$(hostname)\nREDIS_PORT=six\n", **{"deployment.yaml": overlay}))
    assert deployment.domain == "paas.example.com"
    assert deployment.ports["redis"] == 6379


def test_problems_of_all_files_are_reported_together(site: Site, refusals: Refusals) -> None:
    path = site({"install.config": CONFIG_5 + "10.0.1 paas\n", "globals.env": "HTTP_SCHEMA=x\nPAAS_FQDN=_\n"})
    assert [refusal.split(": ")[0] for refusal in refusals(path)] == [
        "globals.env:1",
        "globals.env:2",
        "install.config:3",
    ]
