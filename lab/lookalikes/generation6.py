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


OTHER_SITE = "/usr/local/openresty/nginx/conf/conf.d/other.conf"
CONSOLE = "/usr/lib/systemd/system/bk-paas-console.service"


def add_other_site(lab: Lab) -> None:
    """Another product has a site on the same nginx, and its own server is down."""
    name = host(lab, "nginx")
    site = "server { listen 80; server_name other.example.com; location / { proxy_pass http://otherp; } }"
    text = f"upstream otherp {{ server {address(lab, host(lab, 'es'))}:9999; }}\\n{site}\\n"
    lab.run(name, f"printf '{text}' > {OTHER_SITE}")
    systemctl(lab, name, "reload openresty")


def remove_other_site(lab: Lab) -> None:
    lab.run(host(lab, "nginx"), f"rm -f {OTHER_SITE}")
    systemctl(lab, host(lab, "nginx"), "reload openresty")


def leave_console(lab: Lab) -> None:
    """The unit file of a module that was removed is left: disabled, and it does not run."""
    source = CONSOLE.replace("console", "login")
    lab.run(host(lab, "paas"), f"sed 's/login/console/g' {source} > {CONSOLE} && systemctl daemon-reload")


def remove_console(lab: Lab) -> None:
    lab.run(host(lab, "paas"), f"rm -f {CONSOLE} && systemctl daemon-reload")


LOOKALIKES = [
    Lookalike("iam-was-down", "bkiam was down a minute ago, and pages work again", "bkiam 一分钟前曾停止，页面已恢复", have_been_down, restart, layout="e"),
    Lookalike("consul-name-pinned-right", "A name of consul in /etc/hosts, with the right address", "consul 域名写入 /etc/hosts，地址正确", pin_right, unpin, layout="e"),
    Lookalike("other-site-down-on-6", "The server of another product behind the same nginx is down", "同一 nginx 后其他产品的后端已停止", add_other_site, remove_other_site, layout="e"),
    Lookalike("unit-file-of-console-left", "The unit file of a module that was removed", "已移除模块遗留的单元文件", leave_console, remove_console, layout="e"),
]  # fmt: skip
