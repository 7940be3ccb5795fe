"""Mistakes of daily upkeep on generation 6.x: drop-ins, owners, files of nginx."""

from __future__ import annotations

from lab.control import Lab
from lab.faults.actions import edit, host, restore
from lab.faults.containers import LOGIN, await_service, await_state, create, create_again
from lab.faults.fault import Act, Fault
from lab.faults.units import add_drop_in, await_loop, logs, paas, remove_drop_in, start, systemctl

ACCOUNT = "/etc/systemd/system/bk-paas-paas.service.d/account.conf"
NGINX = "/usr/local/openresty/nginx/conf/nginx.conf"


def run_as_root(lab: Lab) -> None:
    """A drop-in from a repair lets paas run as root: it works, and leaves files that its own account cannot write."""
    add_drop_in(lab, paas(lab), ACCOUNT, "User=root", "Group=root")
    start(lab, paas(lab), "paas")


def run_as_before(lab: Lab) -> None:
    name = paas(lab)
    remove_drop_in(lab, name, ACCOUNT)
    lab.run(name, f"chown blueking:blueking {logs(lab)}/*")
    start(lab, name, "paas")


def own_directory(lab: Lab) -> None:
    """The directory of the logs was made again by root; esb was restarted since."""
    name = host(lab, "paas", 1)
    lab.run(name, f"chown root:root {logs(lab)} && rm -f {logs(lab)}/esb_uwsgi.pid")
    systemctl(lab, name, "restart bk-paas-esb")
    await_loop(lab, name, "bk-paas-esb")


def give_directory_back(lab: Lab) -> None:
    name = host(lab, "paas", 1)
    lab.run(name, f"chown blueking:blueking {logs(lab)}")
    start(lab, name, "esb")


def lose_include(lab: Lab) -> None:
    """A package replaced nginx.conf: the files below conf.d are not included any more."""
    edit(lab, host(lab, "nginx"), NGINX, "/include conf.d/d")
    systemctl(lab, host(lab, "nginx"), "reload openresty")


def bring_include_back(lab: Lab) -> None:
    restore(lab, host(lab, "nginx"), NGINX)
    systemctl(lab, host(lab, "nginx"), "reload openresty")


def _fault(name: str, condition: str, faq: str, en: str, zh: str, break_: Act, heal: Act) -> Fault:
    return Fault(name, condition, faq, en, zh, break_, heal, layout="e")


LOGIN_LOGS = "s#-v=[^ ]*/logs/open_paas:[^ ]*##"


def lose_mount(lab: Lab) -> None:
    """login's container was created by hand, without the mount of the logs."""
    create(lab, paas(lab), "login", LOGIN_LOGS)
    await_service(lab, paas(lab), "login")


def use_bridge(lab: Lab) -> None:
    """login's container was created by hand, without --network=host: it runs, and has no address of the host."""
    create(lab, paas(lab), "login", "s/--network=host//")
    await_state(lab, paas(lab), LOGIN, "running")


def mount_another_tree(lab: Lab) -> None:
    """The code of esb is mounted from the copy that was made before an upgrade."""
    home, name = lab.layout.home, host(lab, "paas", 1)
    lab.run(name, f"cp -a {home}/open_paas {home}/open_paas.before")
    create(lab, name, "esb", f"s#-v={home}/open_paas:#-v={home}/open_paas.before:#")
    await_service(lab, name, "esb")


def mount_the_tree(lab: Lab) -> None:
    name = host(lab, "paas", 1)
    create_again(lab, name, "esb")
    lab.run(name, f"rm -rf {lab.layout.home}/open_paas.before")


def mount_again(lab: Lab) -> None:
    create_again(lab, paas(lab), "login")


FAULTS = [
    _fault("unit-runs-as-root", "unit-processes", "fatal-exited-too-quickly", "A drop-in lets paas run as root", "drop-in 使 paas 以 root 运行", run_as_root, run_as_before),
    _fault("log-directory-of-root", "login-log-dir", "fatal-exited-too-quickly", "The directory of the logs belongs to root", "日志目录属于 root", own_directory, give_directory_back),
    _fault("nginx-include-lost", "nginx-conf-port80", "login-502", "nginx.conf does not include conf.d any more", "nginx.conf 不再包含 conf.d", lose_include, bring_include_back),
    Fault("container-without-mount", "container-definition", "fatal-exited-too-quickly", "login's container was created without the mount of its logs", "login 的容器创建时没有挂载日志目录", lose_mount, mount_again, layout="f"),
    Fault("container-without-network", "container-definition", "fatal-exited-too-quickly", "login's container was created without the network of the host", "login 的容器创建时没有使用宿主机网络", use_bridge, mount_again, layout="f"),
    Fault("container-of-another-tree", "container-definition", "fatal-exited-too-quickly", "esb's container has its code from another directory", "esb 的容器挂载了另一个目录中的代码", mount_another_tree, mount_the_tree, layout="f"),
]  # fmt: skip
