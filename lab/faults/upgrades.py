"""Half an upgrade: a host, a service or a file that was left behind."""

from __future__ import annotations

from lab.control import Lab
from lab.faults.actions import await_states, edit, host, keep, restart, restore, supervisorctl
from lab.faults.fault import Act, Fault

SILENT = "login-no-response"


def interface(service: str, number: int, pattern: str) -> tuple[Act, Act]:
    """A service of that paas host that does not know the paths with this pattern."""

    def path(lab: Lab) -> str:
        return f"{lab.layout.home}/open_paas/{service}/wsgi.py"

    def break_(lab: Lab) -> None:
        name = host(lab, "paas", number)
        kept = f'[route for route in application.routes if "{pattern}" not in route[0].pattern]'
        edit(lab, name, path(lab), f"$ a application.routes = {kept}")
        restart(lab, name, service)

    def heal(lab: Lab) -> None:
        name = host(lab, "paas", number)
        restore(lab, name, path(lab))
        restart(lab, name, service)

    return break_, heal


def manage(lab: Lab) -> str:
    return f"{lab.layout.home}/open_paas/login/manage.py"


def lose_manage(lab: Lab) -> None:
    keep(lab, host(lab, "paas", 1), manage(lab))
    lab.run(host(lab, "paas", 1), f"rm {manage(lab)}")


def environment(lab: Lab) -> str:
    return f"{lab.layout.home}/.envs/login"


def lose_environment(lab: Lab) -> None:
    """The new virtual environment was never made; the old login runs on from memory."""
    lab.run(host(lab, "paas"), f"mv {environment(lab)} {environment(lab)}.old")


def find_environment(lab: Lab) -> None:
    old = f"{environment(lab)}.old"
    lab.run(host(lab, "paas"), f"[ ! -e {old} ] || mv {old} {environment(lab)}")


def files_of_esb(lab: Lab) -> tuple[str, str]:
    return (
        f"{lab.layout.home}/etc/uwsgi-open_paas-esb.ini",
        f"{lab.layout.home}/open_paas/esb/configs/default.py",
    )


def supervisor(lab: Lab) -> str:
    return f"{lab.layout.home}/etc/supervisor-open_paas.conf"


def bad_esb(lab: Lab) -> None:
    """A syntax error, and uwsgi is told to end without an application."""
    name, (ini, settings) = host(lab, "paas"), files_of_esb(lab)
    edit(lab, name, ini, "/^master/ a need-app = true")
    edit(lab, name, settings, "$ a CACHES = {")
    edit(
        lab, name, supervisor(lab), "/^\\[program:esb\\]/a startsecs=10"
    )  # "too quickly" on a slow machine too
    supervisorctl(lab, name, "update")
    await_states(lab, name, "FATAL", "esb")


def good_esb(lab: Lab) -> None:
    for path in (*files_of_esb(lab), supervisor(lab)):
        restore(lab, host(lab, "paas"), path)
    supervisorctl(lab, host(lab, "paas"), "update")
    restart(lab, host(lab, "paas"), "esb")


def versions(paths: tuple[str, ...], *found: tuple[str, int, str]) -> tuple[Act, Act]:
    """Files VERSION below the install directory. found: role and number of each host, and what its files hold."""

    def files(lab: Lab) -> str:
        return " ".join(f"{lab.layout.home}/{path}/VERSION" for path in paths)

    def break_(lab: Lab) -> None:
        for role, number, version in found:
            lab.run(host(lab, role, number), f"echo {version} | tee {files(lab)}")

    def heal(lab: Lab) -> None:
        for role, number, _ in found:
            lab.run(host(lab, role, number), f"rm -f {files(lab)}")

    return break_, heal


FAULTS = (
    Fault(
        "paas-versions-differ",
        "versions-equal",
        "platform-healthy",
        "an upgrade of open_paas has reached one of the paas hosts only",
        "open_paas 的升级只到达其中一台 paas 主机",
        *versions(("open_paas", "open_paas/paas"), ("paas", 0, "3.2.5"), ("paas", 1, "3.1.0")),
    ),
    Fault(
        "agent-versions-differ",
        "versions-equal",
        "platform-healthy",
        "an upgrade of paas_agent has not reached the appt host",
        "paas_agent 的升级没有到达 appt 主机",
        *versions(("paas_agent",), ("appo", 0, "3.0.9"), ("appt", 0, "3.0.2")),
    ),
    Fault(
        "login-of-older-release",
        "login-is-login-direct",
        SILENT,
        "login on the second paas host is of an older release without the second version of is_login",
        "第二台 paas 上的 login 是旧版本，没有 is_login 的 v2 接口",
        *interface("login", 1, "v2"),
    ),
    Fault(
        "esb-without-login",
        "login-is-login-esb",
        SILENT,
        "esb on the first paas host has lost the interface of login",
        "第一台 paas 上的 esb 缺少 bk_login 组件",
        *interface("esb", 0, "bk_login"),
    ),
    Fault(
        "manage-missing",
        "password-reset-ready",
        "password-reset",
        "manage.py of login is missing on the second paas host",
        "第二台 paas 上缺少 login 的 manage.py",
        lose_manage,
        lambda lab: restore(lab, host(lab, "paas", 1), manage(lab)),
    ),
    Fault(
        "login-environment-missing",
        "next-start",
        "password-reset",
        "the virtual environment of login is missing on the first paas host",
        "第一台 paas 上缺少 login 的虚拟环境",
        lose_environment,
        find_environment,
    ),
    Fault(
        "esb-settings-broken",
        "settings-valid",
        "fatal-exited-too-quickly",
        "a syntax error in esb's settings on the first paas host: FATAL, Exited too quickly",
        "第一台 paas 上 esb 的配置有语法错误：FATAL Exited too quickly",
        bad_esb,
        good_esb,
    ),
)
