"""Deployments that have less, and inventories that say the same in other words."""

from __future__ import annotations

from pathlib import Path

from lab.control import Lab
from lab.faults.actions import address, edit, host, reload_nginx, restore
from lab.faults.data import set_agents_active
from lab.faults.gateway import site
from lab.lookalikes.lookalike import Lookalike


def without(inventory: Path, *names: str) -> None:
    """Neither install.config nor deployment.yaml has a line with one of the words."""
    for name in ("install.config", "deployment.yaml"):
        file = inventory / name
        lines = file.read_text("utf-8").splitlines(keepends=True)
        file.write_text(
            "".join(line for line in lines if not set(names) & set(line.replace(",", " ").split()))
        )


def one_paas(inventory: Path) -> None:
    without(inventory, "10.66.0.12", "paas-2", "10.66.0.12}")


def no_appt(inventory: Path) -> None:
    without(inventory, "10.66.0.42", "appt-1", "10.66.0.42}")


def forget_second_paas(lab: Lab) -> None:
    edit(lab, host(lab, "nginx"), site(lab, "paas"), f"/server {address(lab, host(lab, 'paas', 1))}:/d")
    reload_nginx(lab, host(lab, "nginx"))


def forget_appt(lab: Lab) -> None:
    """The template of the community edition has no upstream for tests."""
    upstream, location = "/^upstream PAAS_AGENT_TEST /,/^}/d", "/^    location ~ ^.t/,/^    }/d"
    edit(lab, host(lab, "nginx"), site(lab, "paas"), f"{upstream}; {location}")
    reload_nginx(lab, host(lab, "nginx"))
    set_appt_active(lab, False)


def set_appt_active(lab: Lab, active: bool) -> None:
    where = f'ip_address = "{address(lab, host(lab, "appt"))}"'
    lab.run(
        host(lab, "mysql"),
        f"mariadb open_paas -e 'UPDATE engine_servers SET is_active = {int(active)} WHERE {where}'",
    )


def remember_appt(lab: Lab) -> None:
    restore_site(lab)
    set_agents_active(lab, True)


def restore_site(lab: Lab) -> None:
    restore(lab, host(lab, "nginx"), site(lab, "paas"))
    reload_nginx(lab, host(lab, "nginx"))


def as_in_the_manual(inventory: Path) -> None:
    """Full-width punctuation, comments behind the roles, a heading, CRLF, a mark at the beginning, no end of line."""
    file = inventory / "install.config"
    lines = [line for line in file.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    wide = [line.replace(",", "，") + "            #建议配置：4核16G" for line in lines]
    text = "\r\n".join(["[bkce-basic]", *wide, lines[0].split()[0] + "\tlicense"])
    file.write_bytes(b"\xef\xbb\xbf" + text.encode())


LOOKALIKES = (
    Lookalike(
        "one-paas-host",
        "a deployment with a single paas host",
        "只有一台 paas 主机的部署",
        forget_second_paas,
        restore_site,
        one_paas,
    ),
    Lookalike(
        "no-appt",
        "a deployment without appt",
        "没有 appt 的部署",
        forget_appt,
        remember_appt,
        no_appt,
    ),
    Lookalike(
        "inventory-of-the-manual",
        "install.config with full-width commas, comments, a heading and CRLF",
        "install.config 含全角逗号、行尾注释、分组标题和 CRLF",
        inventory=as_in_the_manual,
    ),
)
