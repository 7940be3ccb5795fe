"""Mistakes in the inventory that the suite is given; the hosts are well."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from lab.control import Lab
from lab.faults.actions import address, host
from lab.faults.fault import Act, Fault

SECTION = "foundations"
KEPT = "inventory-kept"
SPARE = "license"
"""The role of a host that has lost its own."""


def inventory(lab: Lab) -> Path:
    return lab.state_dir / "inventory"


def change(edit: Callable[[Lab, str], str], *names: str) -> Act:
    """Return an act that edits files of the lab's inventory; `restore` undoes it."""

    def break_(lab: Lab) -> None:
        kept = lab.state_dir / KEPT
        if not kept.exists():
            shutil.copytree(inventory(lab), kept)
        before = {name: (inventory(lab) / name).read_text("utf-8") for name in names}
        after = {name: edit(lab, text) for name, text in before.items()}
        assert after != before, names
        for name, text in after.items():
            (inventory(lab) / name).write_text(text, "utf-8")

    return break_


def restore(lab: Lab) -> None:
    kept = lab.state_dir / KEPT
    if kept.exists():
        shutil.rmtree(inventory(lab))
        kept.rename(inventory(lab))


def swap(text: str, one: str, other: str) -> str:
    return text.replace(one, "\0").replace(other, one).replace("\0", other)


def give_role(role: str, number: int, other: str) -> Act:
    """Return an act that gives a role to the first host of another role, and takes it from its own."""

    def edit(lab: Lab, text: str) -> str:
        mine, wrong = address(lab, host(lab, role, number)), address(lab, host(lab, other))
        lines = []
        for line in text.splitlines():
            where, _, roles = line.partition(" ")
            names = [word for word in roles.strip().split(",") if word]
            if where == mine:
                names = [word for word in names if word != role]
            if where == wrong:
                names = [*names, role]
            lines.append(f"{where} {','.join(names or [SPARE])}" if where in (mine, wrong) else line)
        return "\n".join(lines) + "\n"

    return change(edit, "install.config")


def forget_paas(lab: Lab) -> None:
    """Neither install.config nor deployment.yaml has the second paas host."""
    name = host(lab, "paas", 1)
    names = {address(lab, name), name, f"{address(lab, name)}}}"}

    def edit(_: Lab, text: str) -> str:
        kept = [line for line in text.splitlines(True) if not names & set(line.replace(",", " ").split())]
        return "".join(kept)

    change(edit, "install.config", "deployment.yaml")(lab)


def swap_addresses(lab: Lab, text: str) -> str:
    """Two lines of install.config have each other's address."""
    return swap(text, f"{address(lab, host(lab, 'paas', 1))} ", f"{address(lab, host(lab, 'appo'))} ")


def swap_app_hosts(lab: Lab, text: str) -> str:
    """The hosts of the production and of the test applications have each other's role."""
    return swap(text, f"{address(lab, host(lab, 'appo'))} ", f"{address(lab, host(lab, 'appt'))} ")


def swap_roles(one: str, other: str) -> Act:
    """Return an act that exchanges the addresses of the hosts of two roles in install.config."""
    return change(
        lambda lab, text: swap(
            text, f"{address(lab, host(lab, one))} ", f"{address(lab, host(lab, other))} "
        ),
        "install.config",
    )


def swap_names(lab: Lab, text: str) -> str:
    return swap(text, host(lab, "paas", 0), host(lab, "paas", 1))


def other_domain(lab: Lab, text: str) -> str:
    return text.replace(lab.layout.domain, f"old.{lab.layout.domain}")


def other_cmdb_name(_: Lab, text: str) -> str:
    return text.replace('CMDB_FQDN="cmdb.', 'CMDB_FQDN="cmbd.')


ONLY_6 = ("usermgr", "iam", "consul")
"""Words of an install.config that one of 5.x does not have."""


def former_inventory(lab: Lab) -> None:
    """The inventory is the directory of 5.x that was kept from before the upgrade."""
    kept = lab.state_dir / KEPT
    if not kept.exists():
        shutil.copytree(inventory(lab), kept)
    shutil.rmtree(inventory(lab) / "bin")
    lines = [
        f"{each.address} {','.join(role for role in each.roles if role not in ONLY_6)}\n"
        for each in lab.layout.hosts
    ]
    names = [f'export {word.upper()}_FQDN="{word}.$BK_DOMAIN"\n' for word in ("paas", "cmdb", "job")]
    ports = lab.layout.ports
    texts = {
        "install.config": "".join(lines),
        "globals.env": f'export BK_DOMAIN="{lab.layout.domain}"\n{"".join(names)}export HTTP_SCHEMA=http\n',
        "ports.env": f"export PAAS_HTTP_PORT={ports['http']}\nexport ES_REST_PORT={ports['es']}\n",
    }
    for name, text in texts.items():
        (inventory(lab) / name).write_text(text, "utf-8")


FAULTS = (
    Fault(
        "inventory-before-upgrade",
        "generation-mixed",
        SECTION,
        "The inventory is the one of 5.x from before the upgrade",
        "清单是升级之前 5.x 的",
        former_inventory,
        restore,
        layout="e",
    ),
    Fault(
        "inventory-nginx-elsewhere",
        "inventory-roles",
        SECTION,
        "the inventory gives the role nginx to the cmdb host",
        "清单把 nginx 角色给了 cmdb 主机",
        give_role("nginx", 0, "cmdb"),
        restore,
    ),
    Fault(
        "inventory-paas-elsewhere",
        "inventory-roles",
        SECTION,
        "the inventory gives the role paas to the job host instead of the second paas host",
        "清单把第二台 paas 主机的角色给了 job 主机",
        give_role("paas", 1, "job"),
        restore,
    ),
    Fault(
        "inventory-agent-role-missing",
        "inventory-roles",
        SECTION,
        "the inventory gives the role appt to the es host instead of the test host",
        "清单把 appt 角色给了 es 主机",
        give_role("appt", 0, "es"),
        restore,
    ),
    Fault(
        "inventory-paas-missing",
        "inventory-roles",
        SECTION,
        "a paas host that nginx uses is not in the inventory",
        "nginx 使用的一台 paas 主机不在清单中",
        forget_paas,
        restore,
    ),
    Fault(
        "inventory-addresses-swapped",
        "inventory-roles",
        SECTION,
        "the inventory has the addresses of a paas host and an app host the wrong way round",
        "清单中一台 paas 主机与一台 app 主机的地址写反",
        change(swap_addresses, "install.config"),
        restore,
    ),
    Fault(
        "inventory-app-hosts-swapped",
        "inventory-roles",
        SECTION,
        "the inventory has the roles appo and appt of two hosts the wrong way round",
        "清单中两台主机的 appo 和 appt 角色写反",
        change(swap_app_hosts, "install.config"),
        restore,
    ),
    Fault(
        "inventory-cmdb-and-job-swapped",
        "inventory-roles",
        SECTION,
        "the inventory has the hosts of cmdb and job the wrong way round",
        "清单中 cmdb 与 job 的主机写反",
        swap_roles("cmdb", "job"),
        restore,
    ),
    Fault(
        "inventory-data-and-es-swapped",
        "inventory-roles",
        SECTION,
        "the inventory has the hosts of the databases and of Elasticsearch the wrong way round",
        "清单中数据库与 Elasticsearch 的主机写反",
        swap_roles("mysql", "es"),
        restore,
    ),
    Fault(
        "inventory-names-swapped",
        "inventory-roles",
        SECTION,
        "the inventory has the names of the two paas hosts the wrong way round",
        "清单中两台 paas 主机的名称写反",
        change(swap_names, "deployment.yaml"),
        restore,
    ),
    Fault(
        "inventory-domain-wrong",
        "inventory-domain",
        SECTION,
        "the inventory has a domain that nothing serves",
        "清单中的域名没有任何服务提供",
        change(other_domain, "globals.env"),
        restore,
    ),
    Fault(
        "inventory-cmdb-name",
        "inventory-domain",
        SECTION,
        "the inventory has a name of CMDB that nginx does not serve",
        "清单中 CMDB 的域名没有任何服务提供",
        change(other_cmdb_name, "globals.env"),
        restore,
    ),
)
