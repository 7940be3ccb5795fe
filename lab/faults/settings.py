"""Settings files of login that differ, are broken or lack something."""

from __future__ import annotations

from collections.abc import Callable

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


def service_settings(service: str, file: str) -> Callable[..., tuple[Act, Act]]:
    """Return a function as `production` for the settings file of another service."""

    def edited(sed: str, *numbers: int) -> tuple[Act, Act]:
        def path(lab: Lab) -> str:
            return f"{lab.layout.home}/open_paas/{service}/{file}"

        def break_(lab: Lab) -> None:
            for number in numbers:
                edit(lab, host(lab, "paas", number), path(lab), sed)
                restart(lab, host(lab, "paas", number), service)

        def heal(lab: Lab) -> None:
            for number in numbers:
                restore(lab, host(lab, "paas", number), path(lab))
                restart(lab, host(lab, "paas", number), service)

        return break_, heal

    return edited


developer_center = service_settings("paas", "conf/settings_production.py")
of_esb = service_settings("esb", "configs/default.py")
of_center = service_settings("paas", "conf/default.py")
of_login = service_settings("login", "conf/default.py")


AGES = [
    production("s/^BK_COOKIE_AGE = .*//; $ a BK_COOKIE_AGE = 24", 0, 1),
    developer_center("s/^BK_COOKIE_AGE = .*//; $ a BK_COOKIE_AGE = 24", 0, 1),
]


def write_age_in_hours(lab: Lab) -> None:
    for break_, _ in AGES:
        break_(lab)


def age_as_before(lab: Lab) -> None:
    for _, heal in AGES:
        heal(lab)


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
        "settings-match-inventory",
        "platform-healthy",
        "the developer center on both paas hosts requests a login that no longer exists",
        "两台 paas 上开发者中心的 LOGIN_HOST 指向已不存在的 login",
        *developer_center("s/^LOGIN_HOST = .*/LOGIN_HOST = 'http:\\/\\/10.66.0.19:8003'/", 0, 1),
    ),
    Fault(
        "job-port-dead",
        "settings-match-inventory",
        "platform-healthy",
        "HOST_JOB of esb on both paas hosts has a port on which nothing listens",
        "两台 paas 上 esb 的 HOST_JOB 端口没有任何监听",
        *of_esb("s/^HOST_JOB = .*/HOST_JOB = 'http:\\/\\/job.bklab.test:8081'/", 0, 1),
    ),
    Fault(
        "esb-redis-gone",
        "settings-match-inventory",
        "platform-healthy",
        "REDIS_HOST of esb on both paas hosts is the former redis, which is gone",
        "两台 paas 上 esb 的 REDIS_HOST 仍是已下线的旧 redis",
        *of_esb("s/^REDIS_HOST = .*/REDIS_HOST = '10.66.0.58'/", 0, 1),
    ),
    Fault(
        "session-cookie-other-domain",
        "cookie-domain",
        "login-redirect-loop",
        "SESSION_COOKIE_DOMAIN of paas is that of a former site, on both paas hosts",
        "两台 paas 上 paas 的 SESSION_COOKIE_DOMAIN 是旧站点的域",
        *of_center("$ a SESSION_COOKIE_DOMAIN = '.old.example'", 0, 1),
    ),
    Fault(
        "csrf-cookie-other-path",
        "cookie-domain",
        "login-redirect-loop",
        "CSRF_COOKIE_PATH of login is a path that no page has, on both paas hosts",
        "两台 paas 上 login 的 CSRF_COOKIE_PATH 不是任何页面的路径",
        *of_login("$ a CSRF_COOKIE_PATH = '/sso'", 0, 1),
    ),
    Fault(
        "cookie-age-in-minutes",
        "cookie-domain",
        "login-redirect-loop",
        "BK_COOKIE_AGE of login and paas was written in hours: 24 seconds, on both paas hosts",
        "两台 paas 上 login 和 paas 的 BK_COOKIE_AGE 按小时填写：24 秒",
        write_age_in_hours,
        age_as_before,
    ),
    Fault(
        "idle-age-short",
        "cookie-domain",
        "login-redirect-loop",
        "BK_INACTIVE_COOKIE_AGE of login is one second on both paas hosts",
        "两台 paas 上 login 的 BK_INACTIVE_COOKIE_AGE 只有 1 秒",
        *of_login("$ a BK_INACTIVE_COOKIE_AGE = 1", 0, 1),
    ),
)
