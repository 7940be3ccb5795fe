"""Settings files of login that differ, are broken or lack something."""

from __future__ import annotations

from lab.control import Lab
from lab.faults.fault import Act, Fault
from lab.faults.hands import edit, host, restart, restore


def production(sed: str, *numbers: int) -> tuple[Act, Act]:
    """Another settings_production.py of login on the paas hosts with those numbers, and login restarted with it."""

    def path(lab: Lab) -> str:
        return f"{lab.layout.home}/open_paas/login/conf/settings_production.py"

    def break_(lab: Lab) -> None:
        for number in numbers:
            name = host(lab, "paas", number)
            edit(lab, name, path(lab), sed)
            restart(lab, name, "login")

    def heal(lab: Lab) -> None:
        for number in numbers:
            name = host(lab, "paas", number)
            restore(lab, name, path(lab))
            restart(lab, name, "login")

    return break_, heal


FAULTS = (
    Fault(
        "login-secret-differs",
        "login-secret-equal",
        "login-validity-illegal",
        "login's SECRET_KEY on the second paas host is not that of the first",
        "第二台 paas 上 login 的 SECRET_KEY 与第一台不同",
        *production("s/^SECRET_KEY = '.*/SECRET_KEY = 'left-over-from-an-older-installation'/", 1),
    ),
    Fault(
        "bad-settings",
        "services-answer",
        "platform-healthy",
        "a syntax error in login's settings on the first paas host: RUNNING, and every answer is a 500",
        "第一台 paas 上 login 的配置有语法错误：状态 RUNNING，但所有应答都是 500",
        *production("$ a CACHES = {", 0),
    ),
    Fault(
        "setting-missing",
        "healthz-login",
        "platform-healthy",
        "ESB_TOKEN is missing in login's settings on both paas hosts",
        "两台 paas 上 login 的配置都缺少 ESB_TOKEN",
        *production("/^ESB_TOKEN = /d", 0, 1),
    ),
)
