"""Declare the layout of the platform: install roots, services, paths of files and URLs, roles."""

from __future__ import annotations

from collections.abc import Collection

from bkpaas.inventory.deployment import Deployment, Generation, Host

INSTALL_ROOTS = ("/data/bkce", "/data/bkee")
"""Of the community and of the enterprise edition."""

OPEN_PAAS_SERVICES = ("appengine", "paas", "esb", "login")
"""The services that every paas host runs."""


def has_project(entry: Host, service: str) -> bool:
    """Return whether install.config gives a project to a paas host: paas(login); all are its own without that."""
    return not entry.projects or service in entry.projects


SERVICE_PATHS = {"appengine": "/", "paas": "/", "esb": "/", "login": "/accounts/is_login/"}
"""Per service a path that answers without a token and without side effects.

GET /login/ with a cookie would log a session out; no cookie is ever sent.
"""
HEALTHZ_PATHS = {
    "appengine": "/v1/healthz/",
    "paas": "/healthz/",
    "esb": "/healthz/",
    "login": "/healthz/",
    "console": "/console/healthz/",
}
"""On the service's own port."""
DOMAIN_HEALTHZ_PATHS = {
    "appengine": "/v1/healthz/",
    "paas": "/healthz/",
    "esb": "/api/healthz/",
    "login": "/login/healthz/",
    "console": "/console/healthz/",
}
"""Through the PaaS domain; on 6.x that of esb is the API gateway's path, see domain_healthz_paths()."""

IS_LOGIN_PATH = "/login/accounts/is_login/"
"""login refuses a request without a token immediately, without the database: the answer proves that login was reached."""
LOGIN_PAGE_PATH = "/login/"
"""The login form, a page of some kilobytes; without a cookie the request changes nothing."""
IS_LOGIN_V2_PATH = "/login/api/v2/is_login/"
IS_LOGIN_ESB_PATH = "/c/compapi/v2/bk_login/is_login/"
PLATFORM_PATH = "/platform/"
"""Redirects a browser without a login to the login form."""

SETTINGS_FILES = {
    "login": ("open_paas/login/conf/default.py", "open_paas/login/conf/settings_production.py"),
    "paas": ("open_paas/paas/conf/default.py", "open_paas/paas/conf/settings_production.py"),
    "esb": ("open_paas/esb/configs/default.py",),
    "appengine": ("open_paas/appengine/controller/settings.py",),
    "console": ("open_paas/console/conf/default.py", "open_paas/console/conf/settings_production.py"),
}
"""Per project, below the install root, in the order in which they are loaded."""
_SETTINGS_FILES_6 = {
    "esb": ("open_paas/esb/configs/default.py", "open_paas/esb/conf/settings_production.py"),
    "appengine": (
        "open_paas/appengine/controller/settings.py",
        "open_paas/appengine/conf/settings_production.py",
    ),
}
"""Where 6.x differs: the last file is the one that the installer renders."""


def settings_files(deployment: Deployment) -> dict[str, tuple[str, ...]]:
    """Return the settings files per project of a deployment's generation."""
    return settings_files_of(deployment.generation)


def settings_files_of(generation: Generation) -> dict[str, tuple[str, ...]]:
    """Return the settings files per project of a generation."""
    return SETTINGS_FILES if generation == "5.x" else SETTINGS_FILES | _SETTINGS_FILES_6


def is_open_source(deployment: Deployment) -> bool:
    """Return whether the install root is not that of a package: projects and logs may be directly below it.

    Source: examples of legacy-bk-paas, with /data/paas/login and /data/paas/logs.
    """
    root = deployment.install_root
    return root is not None and root not in INSTALL_ROOTS


def log_directories(deployment: Deployment) -> tuple[str, ...]:
    """Return the directories in which open_paas may write its logs."""
    return ("{home}/logs/open_paas", *(("{home}/logs",) if is_open_source(deployment) else ()))


def project_paths(path: str, deployment: Deployment) -> tuple[str, ...]:
    """Return where a file below open_paas/ may be."""
    return (path, *((path.removeprefix("open_paas/"),) if is_open_source(deployment) else ()))


def supervisor_confs(deployment: Deployment) -> tuple[str, ...]:
    """Return the names that the configuration of open_paas's supervisor may have besides the usual one."""
    if not is_open_source(deployment):
        return ()
    return ("{home}/supervisord.conf", "{home}/etc/supervisord.conf", "/etc/supervisord.conf")


LOADED_FILES = ("wsgi.py", "settings.py", "urls.py", "conf/settings_env.py")
"""Besides SETTINGS_FILES: what every project imports at its start, below its directory.

Source: wsgi.py and settings.py of legacy-bk-paas; settings.py imports conf.default and conf.settings_production.
"""

LOGIN_CALLER_ROLES = ("nginx", "paas", "appo", "appt", "cmdb", "job")
"""Roles whose programs ask login through the domain whether a user is logged in."""
LOG_PLUGIN_ROLES = ("paas", "appo", "appt")
"""Roles whose hosts have log_agent or log_parser."""

DATA_DIRECTORIES = {
    "mysql": ("/var/lib/mysql", "{home}/public/mysql"),
    "redis": ("/var/lib/redis", "{home}/public/redis"),
    "rabbitmq": ("/var/lib/rabbitmq", "{home}/public/rabbitmq"),
    "es": ("/var/lib/elasticsearch", "{home}/public/es", "{home}/service/es"),
    "nginx": ("/var/log/nginx",),
    "appo": ("{home}/paas_agent",),
    "appt": ("{home}/paas_agent",),
}
"""Per role, directories that may be file systems of their own."""

SYSTEM_DIRECTORIES = ("/", "/tmp", "/var", "/var/log", "/var/tmp", "/run", "{home}", "{home}/logs")
"""Directories of every host that may be file systems of their own."""
LOG_DIRECTORIES = {
    "paas": ("{home}/logs/open_paas", "{home}/logs/paas_plugins"),
    "nginx": ("{home}/logs/nginx", "/var/log/nginx", "/var/lib/nginx"),
    "appo": (
        "{home}/logs/paas_agent",
        "{home}/logs/paas_plugins",
        "{home}/paas_agent/apps/logs",
        "{home}/logs/nginx",
        "/var/log/nginx",
    ),
    "appt": (
        "{home}/logs/paas_agent",
        "{home}/logs/paas_plugins",
        "{home}/paas_agent/apps/logs",
        "{home}/logs/nginx",
        "/var/log/nginx",
    ),
    "mysql": ("{home}/logs/mysql", "/var/log/mysql"),
    "redis": ("{home}/logs/redis", "/var/log/redis"),
    "rabbitmq": ("{home}/logs/rabbitmq", "/var/log/rabbitmq"),
    "es": ("{home}/logs/es", "/var/log/elasticsearch"),
}
"""Per role, directories of logs and temporary files that may be file systems of their own."""

NGINX_CONFS = (
    "/etc/nginx/nginx.conf",
    "/usr/local/openresty/nginx/conf/nginx.conf",
    "/usr/local/nginx/conf/nginx.conf",
)
"""Main configuration files that are read besides those of the running master."""


OPEN_PAAS_UNITS = {service: f"bk-paas-{service}.service" for service in OPEN_PAAS_SERVICES}
"""The units of generation 6.0 and 6.1; each host of the role paas has all of them."""
MORE_PAAS_UNITS = {name: f"bk-paas-{name}.service" for name in ("console", "apigw")}
"""Units that not every edition has."""
UNITS = {
    "paas": (
        *OPEN_PAAS_UNITS.values(),
        *MORE_PAAS_UNITS.values(),
        "bk-paas.target",
        "bk-logstash-paas-app-log.service",
    ),
    "nginx": ("openresty.service", "consul-template.service"),
    "appo": ("bk-paasagent.service", "openresty.service", "bk-filebeat@django.service"),
    "appt": ("bk-paasagent.service", "openresty.service", "bk-filebeat@django.service"),
    "rabbitmq": ("rabbitmq-server.service",),
    "usermgr": ("bk-usermgr.service",),
    "iam": ("bk-iam.service",),
}
"""Units by role, on generation 6.0 and 6.1."""
REQUIRED_UNITS = {
    "paas": tuple(OPEN_PAAS_UNITS.values()),
    "nginx": ("openresty.service", "consul-template.service"),
    "appo": ("bk-paasagent.service", "openresty.service"),
    "appt": ("bk-paasagent.service", "openresty.service"),
    "usermgr": ("bk-usermgr.service",),
    "iam": ("bk-iam.service",),
}
"""Units that a host of the role must have; the others of UNITS are judged where they are enabled."""
EVERYWHERE_UNITS = ("consul.service",)
"""Units of every host of these generations."""


CONTAINER_PREFIXES = ("bk-paas-", "bk-usermgr-")
"""What the names of the platform's containers begin with, in generation 6.2 and later."""
CONTAINER_ROLES = ("paas", "usermgr")
"""Roles whose hosts can have such containers."""
DOCKER_UNIT = "docker.service"
DOCKER_ROOTS = ("{home}/public/docker", "{home}/public/paas_agent/docker", "/var/lib/docker")
"""Data roots of the daemon besides that of its daemon.json: as the installer sets them, and docker's own."""


def container_of_service(service: str) -> str:
    """Return the name of the container of a service of open_paas."""
    return f"bk-paas-{service}"


def unit_of_service(service: str) -> str:
    """Return the unit of a service, without .service."""
    return "bk-paasagent" if service == "paas_agent" else f"bk-paas-{service}"


def required_units(roles: Collection[str]) -> tuple[str, ...]:
    """Return the units that a host of these roles must have."""
    return tuple(
        dict.fromkeys(unit for role, units in REQUIRED_UNITS.items() if role in roles for unit in units)
    )


def units_of(roles: Collection[str]) -> tuple[str, ...]:
    """Return the units that hosts of these roles can have; none for roles without a unit of the platform."""
    names = [unit for role, units in UNITS.items() if role in roles for unit in units]
    return tuple(dict.fromkeys((*names, *EVERYWHERE_UNITS)))


def domain_healthz_paths(deployment: Deployment) -> dict[str, str]:
    """Return the healthz paths that lead to a service through the domain."""
    if deployment.generation == "5.x":
        return DOMAIN_HEALTHZ_PATHS
    return {service: path for service, path in DOMAIN_HEALTHZ_PATHS.items() if service != "esb"}


def domain_paths(deployment: Deployment) -> list[str]:
    """Return the paths that are asked through the domain for a 502, one for each upstream behind it."""
    if deployment.generation == "6.x":
        return ["/", "/login/", "/api/c/", "/v1/"]  # an application has an upstream of its own there
    paths = ["/", "/login/", "/api/", "/v1/"]
    if deployment.hosts_with("appo"):
        paths.append("/o/")
    if deployment.hosts_with("appt"):
        paths.append("/t/")
    return paths
