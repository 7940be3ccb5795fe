"""Files that were edited and not loaded: one fault for each program and file that it reads at its start."""

from __future__ import annotations

import shlex

from lab.control import Lab
from lab.faults.actions import (
    edit,
    host,
    keep,
    reload_nginx,
    restart,
    restart_open_paas,
    restore,
    start_supervisord,
    supervisorctl,
)
from lab.faults.fault import Act, Fault

PAAS, AGENT, PLUGINS = "open_paas", "paas_agent", "paas_plugins"
START = "fatal-exited-too-quickly"
Restart = Act


def below(lab: Lab, path: str) -> str:
    return path if path.startswith("/") else f"{lab.layout.home}/{path}"


def in_place(role: str, number: int, path: str, sed: str, again: Restart) -> tuple[Act, Act]:
    """An edit without a restart; the heal puts the file back and restarts."""

    def break_(lab: Lab) -> None:
        edit(lab, host(lab, role, number), below(lab, path), sed)

    def heal(lab: Lab) -> None:
        restore(lab, host(lab, role, number), below(lab, path))
        again(lab)

    return break_, heal


def old_date(role: str, number: int, path: str, sed: str, again: Restart) -> tuple[Act, Act]:
    """The same with a file of another release, just unpacked, that keeps its date: mv or rsync."""

    def break_(lab: Lab) -> None:
        name, file = host(lab, role, number), below(lab, path)
        keep(lab, name, file)
        new = f"{file}.new"
        lab.run(
            name,
            f"cp -p {file} /run/lab-new && sed -i {shlex.quote(sed)} /run/lab-new && ! cmp -s {file} /run/lab-new"
            f" && touch -m -r {file} /run/lab-new && cp -p /run/lab-new {new} && mv {new} {file}",
        )

    def heal(lab: Lab) -> None:
        restore(lab, host(lab, role, number), below(lab, path))
        again(lab)

    return break_, heal


def services(number: int, *names: str) -> Restart:
    return lambda lab: restart(lab, host(lab, "paas", number), *names)


def paas_start(number: int) -> Restart:
    return lambda lab: restart_open_paas(lab, host(lab, "paas", number))


def gate_reload(lab: Lab) -> None:
    reload_nginx(lab, host(lab, "nginx"))


def app_reload(role: str) -> Restart:
    return lambda lab: reload_nginx(lab, host(lab, role))


def supervisor_start(role: str, number: int, module: str) -> Restart:
    """End a supervisord with its programs, and start it again."""

    def again(lab: Lab) -> None:
        name = host(lab, role, number)
        conf = f"{lab.layout.home}/etc/supervisor-{module}.conf"
        supervisorctl(lab, name, "shutdown", module)
        lab.run(name, f"while pgrep -f '^/.*/supervisord -c {conf}' >/dev/null; do sleep 0.1; done")
        start_supervisord(lab, name, module)
        lab.wait(
            lambda: "RUNNING" in supervisorctl(lab, name, "status", module), 40, f"{module} runs on {name}"
        )

    return again


def program_start(role: str, number: int, module: str, program: str) -> Restart:
    def again(lab: Lab) -> None:
        name = host(lab, role, number)
        supervisorctl(lab, name, f"restart {program}", module)
        lab.wait(
            lambda: "RUNNING" in supervisorctl(lab, name, f"status {program}", module),
            40,
            f"{program} runs on {name}",
        )

    return again


def settings_fault(service: str, path: str, sed: str, what: tuple[str, str]) -> Fault:
    """A setting that is changed on both paas hosts, and not loaded on either."""
    pairs = [in_place("paas", number, path, sed, services(number, service)) for number in (0, 1)]

    def break_(lab: Lab) -> None:
        for act, _ in pairs:
            act(lab)

    def heal(lab: Lab) -> None:
        for _, act in pairs:
            act(lab)

    file = path.rpartition("/")[2].partition(".")[0].replace("_", "-")
    return Fault(
        f"edited-{service}-{file}-{what[0]}", "services-loaded", START,
        f"{service} was not restarted after {what[0]} was changed in {path}",
        f"修改 {path} 中的 {what[1]} 之后没有重启 {service}",
        break_, heal,
    )  # fmt: skip


LOGIN = "open_paas/login/conf"
CENTER = "open_paas/paas/conf"
SETTINGS = [
    settings_fault("login", f"{LOGIN}/default.py", "$ a BK_COOKIE_PATH = '/another-path'", ("cookie-path", "cookie 路径")),
    settings_fault("login", f"{LOGIN}/default.py", "$ a LOGIN_REDIRECT_LIMIT = 4711", ("new-setting", "新的配置项")),
    settings_fault("login", f"{LOGIN}/settings_production.py", "$ a MAIL_HOST = 'mail-2.example.com'", ("mail-host", "邮件主机")),
    settings_fault("paas", f"{CENTER}/default.py", "$ a FEEDBACK_URL = 'http://feedback.example.com/'", ("feedback-url", "反馈地址")),
    settings_fault("paas", f"{CENTER}/settings_production.py", "$ a SITE_TITLE = 'another platform'", ("title", "标题")),
    settings_fault("esb", "open_paas/esb/configs/default.py", "$ a ESB_CHANNEL_CACHE_SECONDS = 3601", ("cache", "缓存时间")),
    settings_fault("appengine", "open_paas/appengine/controller/settings.py", "$ a QUEUE_NAME = 'deploy-queue-2'", ("queue", "队列")),
]  # fmt: skip


def secret_everywhere(lab: Lab) -> None:
    """The files of all hosts have the new SECRET_KEY of login; only the second login was restarted."""
    sed = "s/^SECRET_KEY = '.*/SECRET_KEY = 'rolled-out-this-morning-to-all-hosts'/"
    for number in (0, 1):
        edit(lab, host(lab, "paas", number), below(lab, f"{LOGIN}/settings_production.py"), sed)
    restart(lab, host(lab, "paas", 1), "login")


def secret_as_before(lab: Lab) -> None:
    for number in (0, 1):
        restore(lab, host(lab, "paas", number), below(lab, f"{LOGIN}/settings_production.py"))
        restart(lab, host(lab, "paas", number), "login")


def ini_fault(service: str, number: int, sed: str, what: tuple[str, str]) -> Fault:
    path = f"etc/uwsgi-open_paas-{service}.ini"
    break_, heal = in_place("paas", number, path, sed, services(number, service))
    return Fault(
        f"edited-{service}-ini-{what[0]}", "services-loaded", START,
        f"{service} was not restarted after {what[0]} was changed in its uwsgi file",
        f"修改 {service} 的 uwsgi 文件中的 {what[1]} 之后没有重启",
        break_, heal,
    )  # fmt: skip


INIS = [
    ini_fault("login", 0, "s/^workers = 2/workers = 8/", ("workers", "进程数")),
    ini_fault("paas", 1, "s/^buffer-size = .*/buffer-size = 65535/", ("buffer-size", "缓冲区")),
    ini_fault("esb", 0, "s/^max-requests = .*/max-requests = 50/", ("max-requests", "请求上限")),
    ini_fault("appengine", 1, "$ a harakiri = 30", ("harakiri", "超时")),
]


def starts_fault(service: str, file: str) -> Fault:
    path = f"open_paas/{service}/{file}"
    break_, heal = in_place("paas", 0, path, "$ a # another release", services(0, service))
    return Fault(
        f"edited-{service}-{file.partition('.')[0]}", "services-loaded", START,
        f"{service} was not restarted after {path} of another release was put there",
        f"换上另一版本的 {path} 之后没有重启 {service}",
        break_, heal,
    )  # fmt: skip


def swapped_settings(service: str, path: str, sed: str) -> Fault:
    break_, heal = old_date("paas", 0, path, sed, services(0, service))
    return Fault(
        f"replaced-{service}-settings", "services-loaded", START,
        f"{path} was replaced by one of the same date, and {service} was not restarted",
        f"{path} 被换成日期相同的文件，{service} 没有重启",
        break_, heal,
    )  # fmt: skip


def nginx_fault(
    name: str,
    role: str,
    path: str,
    sed: str,
    what: tuple[str, str],
    again: Restart,
    condition: str = "nginx-loaded",
) -> Fault:
    break_, heal = in_place(role, 0, path, sed, again)
    return Fault(f"edited-{name}", condition, "login-502", what[0], what[1], break_, heal)


SITE = "etc/nginx/paas.conf"
NGINX = [
    nginx_fault("nginx-timeout", "nginx", SITE, "s/proxy_read_timeout 600;/proxy_read_timeout 61;/",
                ("proxy_read_timeout was changed and nginx not reloaded", "修改 proxy_read_timeout 之后没有重载 nginx"), gate_reload),
    nginx_fault("nginx-body-size", "nginx", SITE, "s/client_max_body_size 512m/client_max_body_size 1m/",
                ("client_max_body_size was changed and nginx not reloaded", "修改 client_max_body_size 之后没有重载 nginx"), gate_reload,
                "nginx-upload-size"),
    nginx_fault("nginx-main", "nginx", "etc/nginx.conf", "s/worker_connections 1024/worker_connections 4096/",
                ("worker_connections was changed and nginx not reloaded", "修改 worker_connections 之后没有重载 nginx"), gate_reload),
    nginx_fault("nginx-default", "nginx", "etc/nginx/default.conf", "1 i # closed by the security team",
                ("the default server was changed and nginx not reloaded", "修改默认 server 之后没有重载 nginx"), gate_reload),
    nginx_fault("nginx-appo", "appo", "etc/nginx/paasagent.conf", "1 i # for the new SaaS",
                ("nginx of appo was not reloaded after a change", "修改后没有重载 appo 的 nginx"), app_reload("appo")),
    nginx_fault("nginx-appt", "appt", "etc/nginx.conf", "s/worker_connections 1024/worker_connections 512/",
                ("nginx of appt was not reloaded after a change", "修改后没有重载 appt 的 nginx"), app_reload("appt")),
    nginx_fault("nginx-appo-port", "appo", "etc/nginx/paasagent.conf", "s/listen 8010/listen 8011/",
                ("the file of nginx of appo listens on 8011, and was not loaded yet", "appo 的 nginx 配置文件改为监听 8011，尚未加载"), app_reload("appo"),
                "agent-nginx-8010"),
    nginx_fault("nginx-port", "nginx", SITE, "s/listen 80;/listen 8088;/",
                ("the server block of the domain listens on 8088, and was not loaded yet", "域名的 server 块改为监听 8088，尚未加载"), gate_reload,
                "nginx-conf-port80"),
]  # fmt: skip


def swapped_site() -> Fault:
    sed = "s/proxy_read_timeout 600;/proxy_read_timeout 62;/"
    break_, heal = old_date("nginx", 0, SITE, sed, gate_reload)
    return Fault(
        "replaced-nginx-site", "nginx-loaded", "login-502",
        "the site's file was replaced by one of the same date, nginx was not reloaded",
        "站点文件被换成日期相同的文件，没有重载 nginx",
        break_, heal,
    )  # fmt: skip


def copied_over(lab: Lab) -> None:
    """cp -p over the file: the same name and inode, an old date."""
    name, path = host(lab, "nginx"), below(lab, SITE)
    keep(lab, name, path)
    lab.run(
        name,
        f"sed 's/proxy_read_timeout 600;/proxy_read_timeout 63;/' {path} > /run/lab-new"
        f" && touch -m -d '2026-01-02 03:04:05' /run/lab-new && touch -a -d '2026-01-01' /run/lab-new && cp -p /run/lab-new {path}",
    )


def site_as_before(lab: Lab) -> None:
    restore(lab, host(lab, "nginx"), below(lab, SITE))
    gate_reload(lab)


def supervisor_fault(
    name: str, role: str, number: int, module: str, sed: str, what: tuple[str, str], path: str = ""
) -> Fault:
    path = path or f"etc/supervisor-{module}.conf"
    break_, heal = in_place(role, number, path, sed, supervisor_start(role, number, module))
    return Fault(f"edited-{name}", "supervisor-loaded", START, what[0], what[1], break_, heal)


SUPERVISORS = [
    supervisor_fault("supervisor-signal", "paas", 0, PAAS, "s/^stopsignal=INT.*/stopsignal=QUIT/",
                     ("stopsignal was changed and supervisord not updated", "修改 stopsignal 之后没有 update")),
    supervisor_fault("supervisor-environment", "paas", 1, PAAS, r"/^\[program:esb\]/a environment=TZ=\"Asia/Tokyo\"",
                     ("esb got another TZ in its file and was not updated", "为 esb 配置了 TZ 但没有 update")),
    supervisor_fault("supervisor-command", "paas", 0, PAAS, "s/\\(uwsgi-open_paas-login.ini\\)/\\1 --buffer-size 65535/",
                     ("the command of login was changed and not updated", "修改 login 的命令之后没有 update")),
    supervisor_fault("supervisor-agent", "appo", 0, AGENT, "s/^autorestart=true/autorestart=unexpected/",
                     ("the supervisor of paas_agent was not updated", "paas_agent 的 supervisor 没有 update")),
    supervisor_fault("supervisor-plugins", "paas", 0, PLUGINS, "$ a stopwaitsecs=60",
                     ("the supervisor of log_parser was not updated", "log_parser 的 supervisor 没有 update"),
                     "etc/supervisor-paas_plugins/log_parser.conf"),
]  # fmt: skip


def agent_fault(name: str, role: str, path: str, sed: str, what: tuple[str, str], again: Restart) -> Fault:
    break_, heal = in_place(role, 0, path, sed, again)
    return Fault(f"edited-{name}", "agents-loaded", "no-logs", what[0], what[1], break_, heal)


AGENTS = [
    agent_fault("log-parser", "paas", "paas_plugins/log_parser/conf/paas_app_log.conf", "1 i # another filter",
                ("log_parser was not restarted after a change", "修改后没有重启 log_parser"),
                program_start("paas", 0, PLUGINS, "log_parser")),
    agent_fault("log-agent", "appo", "paas_plugins/log_agent/conf/django.yml", "1 i # another path",
                ("log_agent was not restarted after a change", "修改后没有重启 log_agent"),
                program_start("appo", 0, PLUGINS, "log_agent")),
]  # fmt: skip

LIBRARY = ".envs/login/lib/python/site-packages/speedups.so"
"""A shared object that the fault adds to the virtual environment of login, and upgrades."""


def upgraded_package(lab: Lab) -> None:
    """login has loaded a shared object of a package, which pip then replaced."""
    name, file, start = host(lab, "paas"), below(lab, LIBRARY), below(lab, "open_paas/login/wsgi.py")
    copy = f"cp $(ls /usr/lib/python3*/lib-dynload/_json*.so | head -n 1) {file}"
    lab.run(name, f"mkdir -p $(dirname {file}) && {copy}")
    edit(lab, name, start, f"$ a import ctypes; ctypes.CDLL('{file}')")
    restart(lab, name, "login")
    lab.run(name, f"rm {file} && {copy}")


def package_as_before(lab: Lab) -> None:
    name = host(lab, "paas")
    restore(lab, name, below(lab, "open_paas/login/wsgi.py"))
    lab.run(name, f"rm -rf {below(lab, '.envs/login/lib/python')}")
    restart(lab, name, "login")


FAULTS = [
    Fault(
        "edited-login-package", "services-loaded", START,
        "a package of login was upgraded while login runs", "login 运行期间升级了它的软件包",
        upgraded_package, package_as_before,
    ),
    *SETTINGS,
    Fault(
        "edited-login-secret-not-restarted", "services-loaded", "login-validity-illegal",
        "login of the first paas host still runs with yesterday's SECRET_KEY",
        "第一台 paas 的 login 仍使用昨天的 SECRET_KEY",
        secret_everywhere, secret_as_before,
    ),
    *INIS,
    starts_fault("login", "wsgi.py"),
    starts_fault("esb", "wsgi.py"),
    swapped_settings("login", f"{LOGIN}/default.py", "$ a BK_COOKIE_PATH = '/older'"),
    swapped_settings("esb", "open_paas/esb/configs/default.py", "$ a ESB_CHANNEL_CACHE_SECONDS = 3602"),
    *NGINX,
    swapped_site(),
    Fault(
        "copied-over-nginx-site", "nginx-loaded", "login-502",
        "cp -p put another content with an old date into the site's file",
        "cp -p 以旧日期覆盖了站点文件",
        copied_over, site_as_before,
    ),
    *SUPERVISORS,
    *AGENTS,
]  # fmt: skip
