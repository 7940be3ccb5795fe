"""deployment.yaml: its schema, what it may say alone and over the other files, every refusal with its line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bkpaas.errors import InventoryError
from bkpaas.inventory import Limits, Thresholds, Waiver, load

Site = Callable[..., Path]
Refusals = Callable[[Path], list[str]]

CONFIG = "10.0.1.1 paas,es\n10.0.1.2 appo\n"
ALONE = """\
generation: "5.x"
domain: paas.example.com
hosts:
  - {name: paas-1, address: 10.0.1.1, roles: [paas]}
"""


def over(site: Site, text: str) -> Path:
    return site({"install.config": CONFIG, "deployment.yaml": text})


def alone(site: Site, text: str = "") -> Path:
    return site({"deployment.yaml": ALONE + text})


def test_alone_it_is_enough(site: Site) -> None:
    deployment = load(alone(site))
    assert [(host.name, host.address, host.roles) for host in deployment.hosts] == [
        ("paas-1", "10.0.1.1", ("paas",))
    ]
    assert (deployment.generation, deployment.domain) == ("5.x", "paas.example.com")
    assert deployment.limits == Limits()
    assert deployment.thresholds == Thresholds()


def test_alone_it_may_say_everything(site: Site) -> None:
    deployment = load(
        alone(
            site,
            """\
home: /data/bkee/
cookie_domain: Example.com
scheme: https
port: 8443
fqdns: {cmdb: cc.example.com}
ports: {es: 9200, login: 9003}
virtual_addresses: [192.0.2.80]
ca_file: ca.pem
limits: {healthz_seconds: 12.5, body_bytes: 1_000}
thresholds: {token_offset_seconds: 90, disk_free_percent: 0}
""",
        )
    )
    assert deployment.install_root == "/data/bkee"
    assert deployment.cookie_domain == "example.com"
    assert (deployment.scheme, deployment.port) == ("https", 8443)
    assert deployment.fqdns == {"cmdb": "cc.example.com"}
    assert deployment.ports == {"es": 9200, "login": 9003}
    assert deployment.virtual_addresses == ("192.0.2.80",)
    assert deployment.ca_file == str((Path(deployment.source) / "ca.pem").resolve())
    assert (deployment.limits.healthz_seconds, deployment.limits.body_bytes) == (12.5, 1000)
    assert (deployment.thresholds.token_offset_seconds, deployment.thresholds.disk_free_percent) == (90, 0.0)


def test_alone_https_is_on_443(site: Site) -> None:
    assert load(alone(site, "scheme: https\n")).port == 443


@pytest.mark.parametrize("key", ["generation", "domain", "hosts"])
def test_alone_it_has_to_say(site: Site, refusals: Refusals, key: str) -> None:
    text = "\n".join(
        line for line in ALONE.splitlines() if not line.startswith((key, "  " if key == "hosts" else key))
    )
    (refusal,) = refusals(site({"deployment.yaml": text}))
    assert refusal == f"deployment.yaml: is used without install.config, and lacks {key}: | add {key}:"


def test_alone_every_host_says_its_roles(site: Site, refusals: Refusals) -> None:
    (refusal,) = refusals(alone(site, "  - {address: 10.0.1.2}\n"))
    assert refusal.startswith("deployment.yaml:5: 10.0.1.2 has no roles: and is not in install.config")


def test_names_replace_addresses_and_upper_case_folds(site: Site) -> None:
    deployment = load(over(site, "hosts:\n- {address: 10.0.1.2, name: APP-O.1_x}\n"))
    assert [host.name for host in deployment.hosts] == ["10.0.1.1", "app-o.1_x"]


def test_roles_replace_and_add_roles_adds(site: Site) -> None:
    deployment = load(
        over(
            site,
            """\
hosts:
- {address: 10.0.1.1, add_roles: [CC, nginx, paas]}
- {address: 10.0.1.2, roles: [appt, es7]}
- {address: 10.0.1.3, roles: [job, kafka]}
- {address: 10.0.1.4, roles: []}
""",
        )
    )
    assert {host.address: host.roles for host in deployment.hosts} == {
        "10.0.1.1": ("cmdb", "es", "nginx", "paas"),
        "10.0.1.2": ("appt", "es"),
        "10.0.1.3": ("job", "kafka"),
        "10.0.1.4": (),
    }


def test_it_is_stronger_than_the_env_files(site: Site) -> None:
    env = "export BK_DOMAIN=a.example\nexport PAAS_FQDN=paas.a.example\nexport HTTP_SCHEMA=http\n"
    path = site(
        {
            "globals.env": env,
            "install.config": CONFIG,
            "deployment.yaml": "domain: b.example\nscheme: https\n",
        }
    )
    deployment = load(path)
    assert (deployment.domain, deployment.scheme, deployment.port) == ("b.example", "https", 443)


def test_waivers(site: Site) -> None:
    deployment = load(
        over(
            site,
            """\
hosts:
- {address: 10.0.1.1, name: paas-1}
waivers:
- {condition: disk-space, hosts: [10.0.1.1, 10.0.1.2, controller], reason: "new disk: on its way",
   owner: ops@example.com, expires: 2030-01-31, evidence: /data}
- condition: paas-clock-skew
  reason: 正在迁移
  owner: ops
  expires: "2030-2-1"
""",
        )
    )
    assert deployment.waivers == (
        Waiver(
            "disk-space",
            ("paas-1", "10.0.1.2", "controller"),
            "new disk: on its way",
            "ops@example.com",
            "2030-01-31",
            "/data",
        ),
        Waiver("paas-clock-skew", (), "正在迁移", "ops", "2030-02-01", None),
    )


# What lies over CONFIG -> line, begin of the reason, part of the fix.
REFUSED: dict[str, tuple[str, int | None, str, str]] = {
    "empty": ("", None, "is empty", "hosts:"),
    "only-comments": ("# nothing\n", None, "is empty", ""),
    "null": ("~\n", None, "is empty", ""),
    "a-list": ("- a\n", 1, "deployment.yaml is not a mapping", "key: value"),
    "a-word": ("hosts\n", 1, "deployment.yaml is not a mapping", ""),
    "not-yaml": ("port: 80\nhosts: [1\nx: 2\n", 3, "is not YAML: ", "correct the YAML"),
    "tab": ("port: 80\n\tscheme: http\n", 2, "is not YAML: ", ""),
    "control-character": ("port: 80\nhome: /d\x01ata\n", 2, "is not YAML: ", ""),
    "two-documents": ("port: 80\n---\nport: 81\n", 2, "is not YAML: but found another document", ""),
    "undefined-alias": ("port: 80\nhome: *x\n", 2, "is not YAML: found undefined alias", ""),
    "unknown-key": (
        "port: 80\nprot: 80\n",
        2,
        "'prot' is unknown in deployment.yaml",
        "did you mean port: ?",
    ),
    "unknown-far-key": (
        "zzz: 80\n",
        1,
        "'zzz' is unknown in deployment.yaml",
        "known here: generation, home",
    ),
    "merge-key": ("<<: {port: 80}\n", 1, "'<<' is unknown", ""),
    "number-as-key": ("1: 2\n", 1, "'1' is unknown", ""),
    "list-as-key": ("? [a]\n: 1\n", 1, "'' is unknown", ""),
    "key-twice": (
        "port: 80\nscheme: http\nport: 81\n",
        3,
        "port: is set twice, first in line 1",
        "remove",
    ),
    "no-value": ("port: 80\nhosts:\n", 2, "hosts: has no value", "remove the key"),
    "generation-other": ("generation: 7.x\n", 1, "generation: is not one of 5.x, 6.x", "write one of"),
    "generation-number": ("generation: 5\n", 1, "generation: is not one of 5.x, 6.x", ""),
    "home-relative": ("home: data/bkce\n", 1, "home: is not an absolute path", "/data/bkce"),
    "home-list": ("home: [/data]\n", 1, "home: is not a text", ""),
    "domain-url": (
        "domain: http://paas.example.com/\n",
        1,
        "domain: 'http://paas.example.com/' is not a host name",
        "",
    ),
    "domain-port": (
        "domain: paas.example.com:80\n",
        1,
        "domain: 'paas.example.com:80' is not a host name",
        "port",
    ),
    "domain-underscore": (
        "domain: paas_1.example.com\n",
        1,
        "domain: 'paas_1.example.com' is not a host name",
        "",
    ),
    "domain-number": ("domain: 80\n", 1, "domain: '80' is not a text for YAML", "quotes"),
    "cookie-domain-dot": ("cookie_domain: .bk.com\n", 1, "cookie_domain: '.bk.com' is not a host name", ""),
    "scheme": ("scheme: ftp\n", 1, "scheme: is not one of http, https", ""),
    "port-text": ("port: '80'\n", 1, "port: is not a whole number of 1 to 65535", "without quotes"),
    "port-zero": ("port: 0\n", 1, "port: is not a whole number", ""),
    "port-float": ("port: 80.5\n", 1, "port: is not a whole number", ""),
    "port-true": ("port: true\n", 1, "port: is not a whole number", ""),
    "port-large": ("port: 65536\n", 1, "port: is not a whole number", ""),
    "port-mapping": ("port: {a: 1}\n", 1, "port: is not a whole number", ""),
    "fqdns-list": ("fqdns: [a]\n", 1, "fqdns: is not a mapping", ""),
    "fqdns-role": ("fqdns:\n  paas: a.b\n", 2, "'paas' is unknown in fqdns:", "cmdb, job"),
    "ports-service": ("ports:\n  esq: 1\n", 2, "'esq' is unknown in ports:", "did you mean es"),
    "virtual-word": ("virtual_addresses: 192.0.2.1\n", 1, "virtual_addresses: is not a list", "[one, two]"),
    "virtual-bad": (
        "virtual_addresses:\n- 192.0.2.1\n- 192.0.2\n",
        3,
        "virtual_addresses: '192.0.2' is not",
        "",
    ),
    "limit-unit": ("limits:\n  connect: 5\n", 2, "'connect' is unknown in limits:", "connect_seconds"),
    "limit-text": (
        "limits:\n  connect_seconds: 5s\n",
        2,
        "connect_seconds: is not a number of 0.001",
        "unit",
    ),
    "limit-negative": ("limits: {host_seconds: -1}\n", 1, "host_seconds: is not a number", ""),
    "limit-infinite": ("limits: {host_seconds: .inf}\n", 1, "host_seconds: is not a number", ""),
    "limit-nan": ("limits: {host_seconds: .nan}\n", 1, "host_seconds: is not a number", ""),
    "limit-fraction": ("limits: {concurrent_hosts: 1.5}\n", 1, "concurrent_hosts: is not a whole number", ""),
    "threshold-percent": (
        "thresholds: {disk_free_percent: 101}\n",
        1,
        "disk_free_percent: is not a number of 0 to 100",
        "",
    ),
    "hosts-mapping": ("hosts: {a: 1}\n", 1, "hosts: is not a list", "'- item'"),
    "host-a-word": ("hosts: [10.0.1.1]\n", 1, "host 1 is not a mapping", ""),
    "host-no-address": (
        "hosts:\n- {address: 10.0.1.1}\n- {name: a}\n",
        3,
        "host 2 has no address:",
        "add address:",
    ),
    "host-bad-address": (
        "hosts:\n- address: 10.0.1\n",
        2,
        "address: '10.0.1' is not the IPv4 address",
        "10.0.1.1",
    ),
    "host-leading-zero": ("hosts:\n- address: 010.0.1.1\n", 2, "address: '010.0.1.1' is not the IPv4", ""),
    "host-number-address": ("hosts:\n- address: 10.0\n", 2, "address: '10.0' is not the IPv4 address", ""),
    "host-name-chars": (
        "hosts:\n- {address: 10.0.1.1, name: paas 1}\n",
        2,
        "name: 'paas 1' is not allowed",
        "use letters",
    ),
    "host-name-chinese": (
        "hosts:\n- {address: 10.0.1.1, name: 登录}\n",
        2,
        "name: '登录' is not allowed",
        "",
    ),
    "host-name-plus": ("hosts:\n- {address: 10.0.1.1, name: a+b}\n", 2, "name: 'a+b' is not allowed", ""),
    "host-name-dash": ("hosts:\n- {address: 10.0.1.1, name: -a}\n", 2, "name: '-a' is not allowed", ""),
    "host-name-dots": ("hosts:\n- {address: 10.0.1.1, name: ..}\n", 2, "name: '..' is not allowed", ""),
    "host-name-long": ("hosts:\n- {address: 10.0.1.1, name: " + "a" * 64 + "}\n", 2, "name: 'aaa", "63"),
    "host-name-reserved": (
        "hosts:\n- {address: 10.0.1.1, name: Controller}\n",
        2,
        "name: 'controller' is reserved",
        "",
    ),
    "host-name-number": (
        "hosts:\n- {address: 10.0.1.1, name: 12}\n",
        2,
        "name: '12' is not a text",
        "quotes",
    ),
    "host-unknown-key": (
        "hosts:\n- {address: 10.0.1.1, role: paas}\n",
        2,
        "'role' is unknown in host 1",
        "roles",
    ),
    "host-roles-word": ("hosts:\n- {address: 10.0.1.1, roles: paas}\n", 2, "roles: is not a list", ""),
    "host-role-bad": (
        "hosts:\n- address: 10.0.1.1\n  roles:\n  - paas\n  - a-b\n",
        5,
        "roles: 'a-b' is not allowed",
        "",
    ),
    "host-role-unknown": (
        "hosts:\n- address: 10.0.1.1\n  roles:\n  - paas\n  - ngnix\n",
        5,
        "roles: 'ngnix' is not a role",
        "did you mean nginx?",
    ),
    "host-role-strange": (
        "hosts:\n- {address: 10.0.1.1, add_roles: [zzz]}\n",
        2,
        "add_roles: 'zzz' is not a role",
        "paas",
    ),
    "host-roles-both": (
        "hosts:\n- address: 10.0.1.1\n  roles: [paas]\n  add_roles: [job]\n",
        4,
        "add_roles: is next to roles:",
        "install.config",
    ),
    "host-not-listed": (
        "hosts:\n- {address: 10.0.1.9, name: a}\n",
        2,
        "10.0.1.9 has no roles:",
        "correct the address",
    ),
    "address-twice": (
        "hosts:\n- {address: 10.0.1.1, name: a}\n- {address: 10.0.1.1, name: b}\n",
        3,
        "10.0.1.1 is listed twice, first in line 2",
        "once",
    ),
    "name-twice": (
        "hosts:\n- {address: 10.0.1.1, name: a}\n- {address: 10.0.1.2, name: A}\n",
        3,
        "a is listed twice, first in line 2",
        "",
    ),
    "name-is-other-address": (
        "hosts:\n- {address: 10.0.1.1, name: 10.0.1.2}\n",
        2,
        "10.0.1.2 is the address of",
        "",
    ),
    "waiver-bare": ("waivers:\n- condition: a\n  owner: b\n  reason: c\n", 2, "waiver 1 has no expires:", ""),
    "waiver-reason": (
        "waivers:\n- {condition: a, owner: b, expires: 2030-01-01}\n",
        2,
        "waiver 1 has no reason:",
        "",
    ),
    "waiver-owner": (
        "waivers:\n- {condition: a, reason: b, expires: 2030-01-01}\n",
        2,
        "waiver 1 has no owner:",
        "",
    ),
    "waiver-condition": (
        "waivers:\n- {condition: a b, owner: o, reason: b, expires: 2030-01-01}\n",
        2,
        "condition: 'a b' is not allowed",
        "paas-clock-skew",
    ),
    "waiver-day": (
        "waivers:\n- {condition: a, owner: o, reason: b,\n   expires: 2030-13-01}\n",
        3,
        "expires: '2030-13-01' is not a date",
        "year-month-day",
    ),
    "waiver-host": (
        "waivers:\n- {condition: a, owner: o, reason: b, expires: 2030-01-01, hosts: [paas-9]}\n",
        2,
        "the waiver names paas-9, which is not a host of this inventory",
        "write the name or address of a host, such as 10.0.1.1",
    ),
    "password": (
        "connect:\n  password: s3cret\n",
        2,
        "password: an inventory must not contain secrets",
        "key: PATH",
    ),
    "host-password": (
        "hosts:\n- address: 10.0.1.1\n  connect:\n    sudo_pass: s3cret\n",
        4,
        "sudo_pass: an inventory must not contain secrets",
        "",
    ),
    "connect-list": ("connect: [a]\n", 1, "connect: is not a mapping", ""),
    "connect-spec-for-all": ("connect: {spec: local://}\n", 1, "'spec' is unknown in connect:", "user"),
    "user-with-password": ("connect: {user: 'root:s3cret'}\n", 1, "user: holds a password", "key: PATH"),
    "user-odd": ("connect: {user: -oProxyCommand=x}\n", 1, "user: is not the name of an account", "root"),
    "sudo-yes": ("connect: {sudo: yes}\n", 1, "sudo: is neither true nor false", ""),
    "sudo-quoted": ("connect: {sudo: 1}\n", 1, "sudo: is neither true nor false", ""),
    "key-empty": ("connect: {key: ''}\n", 1, "key: is empty or has control characters", ""),
    "bastion-password": ("connect: {bastion: 'ops:s3cret@10.0.1.9'}\n", 1, "bastion: holds a password", ""),
    "bastion-odd": ("connect: {bastion: 'ops@10.0.1.9 -v'}\n", 1, "bastion: is not a jump host", "ops@"),
    "bastion-port": ("connect: {bastion: '10.0.1.9:70000'}\n", 1, "bastion: is not a jump host", ""),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_line_reason_and_fix(site: Site, refusals: Refusals, name: str) -> None:
    text, line, reason, fix = REFUSED[name]
    (refusal,) = refusals(over(site, text))
    place = "deployment.yaml: " if line is None else f"deployment.yaml:{line}: "
    assert refusal.startswith(place + reason)
    assert fix in refusal.split(" | ")[1]
    assert "s3cret" not in refusal


@pytest.mark.parametrize("sign", ["*", "!", "!a!", "&", "|", "%", "@", "`", "'", '"'], ids=ascii)
def test_password_that_yaml_stumbles_over_is_not_repeated(
    site: Site, refusals: Refusals, recwarn: pytest.WarningsRecorder, sign: str
) -> None:
    messages = refusals(over(site, f"connect: &s3cret\n  user: &s3cret ops\n  password: {sign}s3cret x\n"))
    assert "s3cret" not in "".join(messages) + "".join(str(warning.message) for warning in recwarn)


def test_all_problems_of_the_file_are_reported_together(site: Site, refusals: Refusals) -> None:
    text = """\
prot: 80
scheme: ftp
hosts:
- {address: 10.0.1, nmae: a}
- {address: 10.0.1.2, name: deployment}
limits:
  connect_seconds: soon
waivers:
- {condition: a}
"""
    messages = refusals(over(site, text))
    assert [refusal.split(": ")[0] for refusal in messages] == [
        f"deployment.yaml:{line}" for line in (1, 2, 4, 4, 5, 7, 9, 9, 9)
    ]


def test_many_problems_are_cut_short_in_print(site: Site) -> None:
    from bkpaas.inventory import InventoryErrors

    with pytest.raises(InventoryErrors) as caught:
        load(over(site, "".join(f"key{number}: 1\n" for number in range(30))))
    assert len(caught.value.errors) == 30
    assert str(caught.value).endswith("and 10 more")
    assert caught.value.line == 1


def test_aliases_are_read_and_loops_do_no_harm(site: Site, refusals: Refusals) -> None:
    deployment = load(over(site, "connect: &c {user: ops}\nhosts:\n- {address: 10.0.1.1, connect: *c}\n"))
    assert deployment.host("10.0.1.1").connection.spec == "ssh://ops@10.0.1.1"
    (refusal,) = refusals(over(site, "virtual_addresses: &v [*v]\n"))
    assert refusal.startswith("deployment.yaml:1: virtual_addresses: '' is not the IPv4 address")


def test_refusals_in_chinese(site: Site) -> None:
    """Compare with a file that was written before the texts became messages."""
    rendered = []
    for name, (text, *_) in REFUSED.items():
        path = over(site, text)
        with pytest.raises(InventoryError) as caught:
            load(path)
        rendered.append(f"{name}: {caught.value.message().render('zh')}".replace(f"{path}/", ""))
    assert "\n".join(rendered) + "\n" == Path(__file__).with_name("refusals.zh.txt").read_text("utf-8")
