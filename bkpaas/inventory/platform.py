"""Declare the layout of the platform: install roots, services, paths of files and URLs, roles."""

from __future__ import annotations

from bkpaas.inventory.deployment import Deployment

INSTALL_ROOTS = ("/data/bkce", "/data/bkee")
"""Of the community and of the enterprise edition."""

OPEN_PAAS_SERVICES = ("appengine", "paas", "esb", "login")
"""The services that every paas host runs."""

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
"""Through the PaaS domain."""

IS_LOGIN_PATH = "/login/accounts/is_login/"
"""Without a token login refuses at once and asks no database: the answer proves that login was reached."""
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

NGINX_CONFS = (
    "/etc/nginx/nginx.conf",
    "/usr/local/openresty/nginx/conf/nginx.conf",
    "/usr/local/nginx/conf/nginx.conf",
)
"""Main configuration files that are read besides those of the running master."""


def domain_paths(deployment: Deployment) -> list[str]:
    """Return the paths that are asked through the domain for a 502, one for each upstream behind it."""
    paths = ["/", "/login/", "/api/", "/v1/"]
    if deployment.hosts_with("appo"):
        paths.append("/o/")
    if deployment.hosts_with("appt"):
        paths.append("/t/")
    return paths
