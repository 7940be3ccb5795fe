"""Valid states of generation 6.x around bkiam and the names of consul."""

from __future__ import annotations

from lab.control import Lab
from lab.faults.actions import address, host
from lab.faults.consul import pin, unpin
from lab.faults.iam import UNIT, await_page, restart
from lab.faults.units import systemctl
from lab.lookalikes.lookalike import Lookalike


def have_been_down(lab: Lab) -> None:
    """bkiam was down for a while: a page failed then, and was opened since."""
    systemctl(lab, host(lab, "iam"), f"stop {UNIT}")
    await_page(lab, "500")
    restart(lab)
    await_page(lab, "200")


def pin_right(lab: Lab) -> None:
    """A site wrote the name of the database into /etc/hosts, with the address that consul has."""
    pin(lab, "mysql-default", address(lab, host(lab, "mysql")))


LOOKALIKES = [
    Lookalike("iam-was-down", "bkiam was down a minute ago, and pages work again", "bkiam 一分钟前曾停止，页面已恢复", have_been_down, restart, layout="e"),
    Lookalike("consul-name-pinned-right", "A name of consul in /etc/hosts, with the right address", "consul 域名写入 /etc/hosts，地址正确", pin_right, unpin, layout="e"),
]  # fmt: skip
