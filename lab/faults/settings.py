"""Settings files of login that differ, are broken or lack something."""

from __future__ import annotations

from lab.control import Lab
from lab.faults.actions import edit, host, restart, restore
from lab.faults.fault import Act, Fault


def login_production(lab: Lab) -> str:
    return f"{lab.layout.home}/open_paas/login/conf/settings_production.py"


def production(sed: str, *numbers: int) -> tuple[Act, Act]:
    """Another settings_production.py of login on the paas hosts with those numbers, and login restarted with it."""

    def break_(lab: Lab) -> None:
        for number in numbers:
            name = host(lab, "paas", number)
            edit(lab, name, login_production(lab), sed)
            restart(lab, name, "login")

    def heal(lab: Lab) -> None:
        for number in numbers:
            name = host(lab, "paas", number)
            restore(lab, name, login_production(lab))
            restart(lab, name, "login")

    return break_, heal


def developer_center(sed: str, *numbers: int) -> tuple[Act, Act]:
    """The same for the settings of paas."""

    def path(lab: Lab) -> str:
        return f"{lab.layout.home}/open_paas/paas/conf/settings_production.py"

    def break_(lab: Lab) -> None:
        for number in numbers:
            edit(lab, host(lab, "paas", number), path(lab), sed)
            restart(lab, host(lab, "paas", number), "paas")

    def heal(lab: Lab) -> None:
        for number in numbers:
            restore(lab, host(lab, "paas", number), path(lab))
            restart(lab, host(lab, "paas", number), "paas")

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
        "settings-valid",
        "platform-healthy",
        "a syntax error in login's settings on the first paas host: RUNNING, and every answer is a 500",
        "第一台 paas 上 login 的配置有语法错误：状态 RUNNING，但所有应答都是 500",
        *production("$ a CACHES = {", 0),
    ),
    Fault(
        "settings-broken-for-later",
        "settings-valid",
        "password-reset",
        "login's settings on the second paas host have a syntax error that its next start will find",
        "第二台 paas 上 login 的配置有语法错误，下次启动时才会暴露",
        lambda lab: edit(lab, host(lab, "paas", 1), login_production(lab), "$ a CACHES = {"),
        lambda lab: restore(lab, host(lab, "paas", 1), login_production(lab)),
    ),
    Fault(
        "setting-missing",
        "healthz-login",
        "platform-healthy",
        "ESB_TOKEN is missing in login's settings on both paas hosts",
        "两台 paas 上 login 的配置都缺少 ESB_TOKEN",
        *production("/^ESB_TOKEN = /d", 0, 1),
    ),
    Fault(
        "paas-secret-differs",
        "login-secret-equal",
        "login-validity-illegal",
        "the developer center's SECRET_KEY on the second paas host is not that of the first",
        "第二台 paas 上开发者中心的 SECRET_KEY 与第一台不同",
        *developer_center("s/^SECRET_KEY = '.*/SECRET_KEY = 'left-over-from-an-older-installation'/", 1),
    ),
    Fault(
        "esb-token-differs",
        "settings-across-projects",
        "login-redirect-loop",
        "login's ESB_TOKEN on the second paas host is not that of the first",
        "第二台 paas 上 login 的 ESB_TOKEN 与第一台不同",
        *production("s/^ESB_TOKEN = '.*/ESB_TOKEN = 'left-over-from-an-older-installation'/", 1),
    ),
    Fault(
        "scheme-wrong",
        "scheme-matches",
        "login-redirect-loop",
        "login's settings have https, the domain is served under http",
        "login 的 HTTP_SCHEMA 为 https，而域名使用 http",
        *production("s/^HTTP_SCHEMA = .*/HTTP_SCHEMA = 'https'/", 0, 1),
    ),
    Fault(
        "paas-setting-missing",
        "healthz-paas",
        "platform-healthy",
        "HOST_JOB is missing in the developer center's settings on both paas hosts",
        "两台 paas 上开发者中心的配置都缺少 HOST_JOB",
        *developer_center("/^HOST_JOB = /d", 0, 1),
    ),
    Fault(
        "paas-asks-old-login",
        "healthz-paas",
        "platform-healthy",
        "the developer center on both paas hosts requests a login that no longer exists",
        "两台 paas 上开发者中心的 LOGIN_HOST 指向已不存在的 login",
        *developer_center("s/^LOGIN_HOST = .*/LOGIN_HOST = 'http:\\/\\/10.66.0.19:8003'/", 0, 1),
    ),
)
