"""Settings of which one project or one host has another value than the others."""

from __future__ import annotations

from typing import NamedTuple

from lab.control import Lab
from lab.faults.actions import address, edit, host, restart, restore
from lab.faults.fault import Act, Fault

FILES = {
    "login": "login/conf/settings_production.py",
    "login default": "login/conf/default.py",
    "paas": "paas/conf/settings_production.py",
    "esb": "esb/configs/default.py",
    "appengine": "appengine/controller/settings.py",
}


def changed(file: str, sed: str, *numbers: int) -> tuple[Act, Act]:
    """Edit a settings file on the paas hosts with those numbers, and restart its service."""
    service = file.partition(" ")[0]

    def path(lab: Lab) -> str:
        return f"{lab.layout.home}/open_paas/{FILES[file]}"

    def break_(lab: Lab) -> None:
        for number in numbers:
            name = host(lab, "paas", number)
            edit(
                lab,
                name,
                path(lab),
                sed.replace("OTHER_HOST", address(lab, host(lab, "es"))).replace(
                    "FIRST_HOST", address(lab, host(lab, "paas"))
                ),
            )
            restart(lab, name, service)

    def heal(lab: Lab) -> None:
        for number in numbers:
            name = host(lab, "paas", number)
            restore(lab, name, path(lab))
            restart(lab, name, service)

    return break_, heal


class Change(NamedTuple):
    """Represent one setting with another value on one paas host."""

    name: str
    condition: str
    file: str
    number: int
    sed: str
    en: str
    zh: str


def setting(name: str, value: str) -> str:
    """Return the edit that gives a setting another value where it is set."""
    return f"s|^{name} = .*|{name} = {value}|"


ACROSS, INVENTORY, HOSTS = "settings-across-projects", "settings-match-inventory", "login-settings-equal"
CHANGES = (
    Change("esb-token-login-1", ACROSS, "login", 0, setting("ESB_TOKEN", "'left-over-1'"), "ESB_TOKEN of login", "login 的 ESB_TOKEN"),
    Change("esb-token-login-2", ACROSS, "login", 1, setting("ESB_TOKEN", "'left-over-2'"), "ESB_TOKEN of login", "login 的 ESB_TOKEN"),
    Change("esb-token-paas-1", ACROSS, "paas", 0, setting("ESB_TOKEN", "'left-over-3'"), "ESB_TOKEN of paas", "paas 的 ESB_TOKEN"),
    Change("esb-token-paas-2", ACROSS, "paas", 1, setting("ESB_TOKEN", "'left-over-4'"), "ESB_TOKEN of paas", "paas 的 ESB_TOKEN"),
    Change("esb-token-esb-1", ACROSS, "esb", 0, setting("ESB_TOKEN", "'left-over-5'"), "ESB_TOKEN of esb", "esb 的 ESB_TOKEN"),
    Change("esb-token-esb-2", ACROSS, "esb", 1, "$ a globals().update({'ESB_TOKEN': 'left-over-6'})", "ESB_TOKEN of esb, set at the end by an update of globals(),", "esb 的 ESB_TOKEN（在文件末尾通过 globals() 更新）"),
    Change("cookie-name-login-1", ACROSS, "login default", 0, setting("BK_COOKIE_NAME", "'bk_ticket'"), "BK_COOKIE_NAME in default.py of login", "login default.py 的 BK_COOKIE_NAME"),
    Change("cookie-name-login-2", ACROSS, "login", 1, "$ a BK_COOKIE_NAME = 'bk_ticket'", "BK_COOKIE_NAME of login", "login 的 BK_COOKIE_NAME"),
    Change("cookie-name-paas-1", ACROSS, "paas", 0, setting("BK_COOKIE_NAME", "'bk' '_ticket'"), "BK_COOKIE_NAME of paas", "paas 的 BK_COOKIE_NAME"),
    Change("cookie-name-paas-2", ACROSS, "paas", 1, setting("BK_COOKIE_NAME", "'bk_ticket'"), "BK_COOKIE_NAME of paas", "paas 的 BK_COOKIE_NAME"),
    Change("cookie-age-login-1", ACROSS, "login default", 0, setting("BK_COOKIE_AGE", "60 * 60"), "BK_COOKIE_AGE of login", "login 的 BK_COOKIE_AGE"),
    Change("cookie-age-paas-2", ACROSS, "paas", 1, setting("BK_COOKIE_AGE", "60 * 60"), "BK_COOKIE_AGE of paas", "paas 的 BK_COOKIE_AGE"),
    Change("cookie-domain-paas-1", ACROSS, "paas", 0, setting("BK_COOKIE_DOMAIN", "'.old.example'"), "BK_COOKIE_DOMAIN of paas", "paas 的 BK_COOKIE_DOMAIN"),
    Change("cookie-domain-paas-2", ACROSS, "paas", 1, setting("BK_COOKIE_DOMAIN", "'.old.example'"), "BK_COOKIE_DOMAIN of paas", "paas 的 BK_COOKIE_DOMAIN"),
    Change("cookie-domain-login-1", "cookie-domain", "login", 0, setting("BK_COOKIE_DOMAIN", "'.old.example'"), "BK_COOKIE_DOMAIN of login", "login 的 BK_COOKIE_DOMAIN"),
    Change("cookie-domain-login-2", "cookie-domain", "login", 1, setting("BK_COOKIE_DOMAIN", "'.test'"), "BK_COOKIE_DOMAIN of login, a top-level domain,", "login 的 BK_COOKIE_DOMAIN（顶级域）"),
    Change("database-host-esb-1", ACROSS, "esb", 0, "s|'HOST': .*|'HOST': 'OTHER_HOST',|", "HOST of esb's database", "esb 数据库的 HOST"),
    Change("database-port-login-2", ACROSS, "login", 1, "s|'PORT': .*|'PORT': 3307,|", "PORT of login's database", "login 数据库的 PORT"),
    Change("database-port-paas-1", ACROSS, "paas", 0, "$ a DATABASES['default']['PORT'] = '3308'", "PORT of paas's database, in a line of its own,", "paas 数据库的 PORT（单独一行）"),
    Change("database-name-appengine-1", ACROSS, "appengine", 0, "s|'NAME': .*|'NAME': 'open_paas_old',|", "NAME of appengine's database", "appengine 数据库的 NAME"),
    Change("database-name-esb-2", ACROSS, "esb", 1, "$ a DATABASES['default'].update(NAME='open_paas_old')", "NAME of esb's database", "esb 数据库的 NAME"),
    Change("paas-domain-login-1", INVENTORY, "login", 0, setting("PAAS_DOMAIN", "'paas.old.example'"), "PAAS_DOMAIN of login", "login 的 PAAS_DOMAIN"),
    Change("paas-domain-paas-2", INVENTORY, "paas", 1, setting("PAAS_DOMAIN", "'paas.old.example'"), "PAAS_DOMAIN of paas", "paas 的 PAAS_DOMAIN"),
    Change("inner-domain-paas-1", INVENTORY, "paas", 0, setting("PAAS_INNER_DOMAIN", "'OTHER_HOST'"), "PAAS_INNER_DOMAIN of paas", "paas 的 PAAS_INNER_DOMAIN"),
    Change("inner-domain-login-2", INVENTORY, "login", 1, setting("PAAS_INNER_DOMAIN", "'nowhere.bklab.test'"), "PAAS_INNER_DOMAIN of login", "login 的 PAAS_INNER_DOMAIN"),
    Change("login-host-port-1", INVENTORY, "paas", 0, "s|^\\(LOGIN_HOST = .*\\):8003|\\1:8005|", "the port in LOGIN_HOST of paas", "paas 的 LOGIN_HOST 端口"),
    Change("login-host-address-2", INVENTORY, "paas", 1, setting("LOGIN_HOST", "'http://OTHER_HOST:8003'"), "the address in LOGIN_HOST of paas", "paas 的 LOGIN_HOST 地址"),
    Change("login-host-loopback-1", INVENTORY, "paas", 0, setting("LOGIN_HOST", "'http://127.0.0.1:8003'"), "LOGIN_HOST of paas, on loopback where login does not listen,", "paas 的 LOGIN_HOST（login 没有监听的回环地址）"),
    Change("engine-host-port-2", INVENTORY, "paas", 1, "s|^\\(ENGINE_HOST = .*\\):8000|\\1:8009|", "the port in ENGINE_HOST of paas", "paas 的 ENGINE_HOST 端口"),
    Change("esb-login-host-1", INVENTORY, "esb", 0, setting("HOST_BK_LOGIN", "'http://OTHER_HOST:8003'"), "HOST_BK_LOGIN of esb", "esb 的 HOST_BK_LOGIN"),
    Change("esb-paas-host-2", INVENTORY, "esb", 1, setting("PAAS_HOST", "'http://OTHER_HOST'"), "PAAS_HOST of esb", "esb 的 PAAS_HOST"),
    Change("host-cc-paas-1", INVENTORY, "paas", 0, setting("HOST_CC", "'http://OTHER_HOST:80'"), "HOST_CC of paas", "paas 的 HOST_CC"),
    Change("host-job-esb-2", INVENTORY, "esb", 1, setting("HOST_JOB", "'http://OTHER_HOST:80'"), "HOST_JOB of esb", "esb 的 HOST_JOB"),
    Change("host-cc-port-esb-1", HOSTS, "esb", 0, "s|^\\(HOST_JOB = .*\\)'$|\\1/v2'|", "the path in HOST_JOB of esb", "esb 的 HOST_JOB 路径"),
    Change("host-cc-esb-outside", INVENTORY, "esb", 0, setting("HOST_CC", "'http://192.0.2.10:8080'"), "HOST_CC of esb, an address outside of the inventory,", "esb 的 HOST_CC（清单之外的地址）"),
    Change("host-cc-esb-port", HOSTS, "esb", 1, "s|^\\(HOST_CC = .*:\\)[0-9]*'|\\18099'|", "the port in HOST_CC of esb", "esb 的 HOST_CC 端口"),
    Change("host-fta-esb-missing", HOSTS, "esb", 0, "/^HOST_FTA = /d", "HOST_FTA of esb, which is missing,", "esb 的 HOST_FTA（缺失）"),
    Change("login-host-paas-outside", INVENTORY, "paas", 1, setting("LOGIN_HOST", "'http://192.0.2.10:8003'"), "LOGIN_HOST of paas, an address outside of the inventory,", "paas 的 LOGIN_HOST（清单之外的地址）"),
    Change("secret-key-paas-1", "login-secret-equal", "paas", 0, setting("SECRET_KEY", "'left-over-7'"), "SECRET_KEY of paas", "paas 的 SECRET_KEY"),
    Change("secret-key-esb-2", "login-secret-equal", "esb", 1, setting("SECRET_KEY", "'left-' 'over-8'"), "SECRET_KEY of esb", "esb 的 SECRET_KEY"),
    Change("secret-key-appengine-2", "login-secret-equal", "appengine", 1, "$ a import sys; setattr(sys.modules[__name__], 'SECRET_KEY', 'left-over-9')", "SECRET_KEY of appengine, set by setattr,", "appengine 的 SECRET_KEY（通过 setattr 设置）"),
    Change("timeout-esb-1", HOSTS, "esb", 0, setting("HTTP_TIMEOUT", "3"), "HTTP_TIMEOUT of esb", "esb 的 HTTP_TIMEOUT"),
    Change("redis-host-esb-2", INVENTORY, "esb", 1, setting("REDIS_HOST", "'OTHER_HOST'"), "REDIS_HOST of esb", "esb 的 REDIS_HOST"),
    Change("time-zone-login-2", HOSTS, "login default", 1, setting("TIME_ZONE", "'UTC'"), "TIME_ZONE in default.py of login", "login default.py 的 TIME_ZONE"),
    Change("database-password-login-1", "database-login", "login", 0, "s|'PASSWORD': .*|'PASSWORD': 'not-this-one',|", "PASSWORD of login's database", "login 数据库的 PASSWORD"),
)  # fmt: skip


def _fault(change: Change) -> Fault:
    ordinals = ("first", "第一台")[0:2] if change.number == 0 else ("second", "第二台")
    return Fault(
        change.name,
        change.condition,
        "login-redirect-loop",
        f"{change.en} on the {ordinals[0]} paas host is another one",
        f"{ordinals[1]} paas 上{change.zh}与其他不同",
        *changed(change.file, change.sed, change.number),
    )


FAULTS = (
    *map(_fault, CHANGES),
    Fault(
        "cookies-for-https",
        "scheme-matches",
        "login-redirect-loop",
        "a security review made the cookies of login Secure, the domain has no https",
        "安全加固后 login 的 cookie 带 Secure，而域名没有 https",
        *changed("login", "$ a CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE = True", 0, 1),
    ),
    Fault(
        "allowed-hosts-by-address",
        INVENTORY,
        "login-redirect-loop",
        "a security review set ALLOWED_HOSTS of paas to the address of the host",
        "安全加固后 paas 的 ALLOWED_HOSTS 只有主机的地址",
        *changed("paas", "$ a ALLOWED_HOSTS = ['FIRST_HOST', 'localhost']", 0, 1),
    ),
    Fault(
        "settings-of-the-first-host",
        "settings-own-host",
        "login-502",
        "the settings of paas on the second paas host were copied from the first, with its address",
        "第二台 paas 上 paas 的配置从第一台复制而来，含第一台的地址",
        *changed("paas", '/^\\(ENGINE\\|LOGIN\\)_HOST/s/[0-9.]*\\(:[0-9]*\\)"/FIRST_HOST\\1"/', 1),
    ),
    Fault(
        "settings-not-followed",
        "settings-valid",
        "login-redirect-loop",
        "settings_production.py of login ends with exec() of a text that is not known, on the second paas host",
        "第二台 paas 上 login 的 settings_production.py 末尾用 exec() 执行一段无法得知的文本",
        *changed("login", "$ a exec(''.join([]))", 1),
    ),
)
