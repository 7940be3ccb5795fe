"""All is well, and the next start fails: paths that are gone or closed, files that do not parse, lost pid files."""

from __future__ import annotations

from lab.control import Lab
from lab.faults.actions import edit, host, keep, restart, restart_nginx, restore, supervisorctl
from lab.faults.edited import (
    AGENT,
    PAAS,
    PLUGINS,
    SITE,
    START,
    Restart,
    app_reload,
    below,
    gate_reload,
    in_place,
    paas_start,
    services,
    supervisor_start,
)
from lab.faults.fault import Act, Fault


def moved(role: str, number: int, path: str) -> tuple[Act, Act]:
    """A path that what runs no longer needs, moved away: its name is gone."""

    def break_(lab: Lab) -> None:
        lab.run(host(lab, role, number), f"mv {below(lab, path)} {below(lab, path)}.away")

    def heal(lab: Lab) -> None:
        old = f"{below(lab, path)}.away"
        lab.run(host(lab, role, number), f"[ ! -e {old} ] && [ ! -L {old} ] || mv {old} {below(lab, path)}")

    return break_, heal


def mode(role: str, number: int, path: str, new: str, usual: str) -> tuple[Act, Act]:
    def break_(lab: Lab) -> None:
        lab.run(host(lab, role, number), f"chmod {new} {below(lab, path)}")

    def heal(lab: Lab) -> None:
        lab.run(host(lab, role, number), f"chmod {usual} {below(lab, path)}")

    return break_, heal


def linked(role: str, number: int, path: str, target: str) -> tuple[Act, Act]:
    """A link that leads elsewhere now."""

    def break_(lab: Lab) -> None:
        name, link = host(lab, role, number), below(lab, path)
        lab.run(name, f"cp -a {link} /run/lab-link && ln -sfn {target} {link}")

    def heal(lab: Lab) -> None:
        name, link = host(lab, role, number), below(lab, path)
        lab.run(
            name,
            f"[ ! -L /run/lab-link ] || {{ ln -sfn $(readlink /run/lab-link) {link}; rm /run/lab-link; }}",
        )

    return break_, heal


def fault(name: str, condition: str, en: str, zh: str, acts: tuple[Act, Act], faq: str = START) -> Fault:
    return Fault(name, condition, faq, en, zh, *acts)


def start(name: str, en: str, zh: str, acts: tuple[Act, Act], faq: str = START) -> Fault:
    return fault(name, "next-start", en, zh, acts, faq)


def replaced_binary(role: str, path: str, again: Restart) -> tuple[Act, Act]:
    """The program was installed anew under what runs: the kernel shows (deleted)."""

    def break_(lab: Lab) -> None:
        name, file = host(lab, role), below(lab, path)
        lab.run(name, f"f=$(readlink -f {file}) && cp -p $f $f.new && mv $f.new $f")

    def heal(lab: Lab) -> None:
        again(lab)

    return break_, heal


def emptied(role: str, number: int, path: str, again: Restart) -> tuple[Act, Act]:
    """A pid file that is empty."""

    def break_(lab: Lab) -> None:
        keep(lab, host(lab, role, number), below(lab, path))
        lab.run(host(lab, role, number), f": > {below(lab, path)}")

    def heal(lab: Lab) -> None:
        restore(lab, host(lab, role, number), below(lab, path))
        again(lab)

    return break_, heal


def gate_restart(lab: Lab) -> None:
    restart_nginx(lab, host(lab, "nginx"))


def nothing(_: Lab) -> None:
    """Nothing has to be started again."""


def removed(role: str, number: int, path: str) -> tuple[Act, Act]:
    def break_(lab: Lab) -> None:
        keep(lab, host(lab, role, number), below(lab, path))
        lab.run(host(lab, role, number), f"rm {below(lab, path)}")

    def heal(lab: Lab) -> None:
        restore(lab, host(lab, role, number), below(lab, path))

    return break_, heal


def number_in(role: str, number: int, path: str, text: str) -> tuple[Act, Act]:
    def break_(lab: Lab) -> None:
        keep(lab, host(lab, role, number), below(lab, path))
        lab.run(host(lab, role, number), f"echo {text} > {below(lab, path)}")

    def heal(lab: Lab) -> None:
        restore(lab, host(lab, role, number), below(lab, path))

    return break_, heal


INI = "etc/uwsgi-open_paas-{}.ini"
CONF = f"etc/supervisor-{PAAS}.conf"
AGENT_CONF = f"etc/supervisor-{AGENT}.conf"
PLUGIN_CONF = f"etc/supervisor-{PLUGINS}/log_parser.conf"

PATHS = [
    start("next-uwsgi-gone", "the uwsgi of esb is gone, the running one does not notice", "esb 的 uwsgi 已不存在，运行中的进程不受影响",
          moved("paas", 0, ".envs/esb/bin/uwsgi")),
    start("next-uwsgi-dangling", "the uwsgi of paas is a link to a version that was removed", "paas 的 uwsgi 链接指向已删除的版本",
          linked("paas", 1, ".envs/paas/bin/uwsgi", "/opt/uwsgi-2.0.13/uwsgi")),
    start("next-uwsgi-other", "the uwsgi of appengine leads to another program", "appengine 的 uwsgi 指向另一个程序",
          linked("paas", 0, ".envs/appengine/bin/uwsgi", "/usr/bin/python3")),
    start("next-environment-closed", "the virtual environment of login may not be entered any more", "login 的虚拟环境不能再进入",
          mode("paas", 0, ".envs/login/bin/uwsgi", "644", "755")),
    start("next-application-environment-gone", "the virtual environment of a running SaaS was removed", "运行中 SaaS 的虚拟环境已被删除",
          moved("appo", 0, "paas_agent/apps/Envs/bk_framework"), "appt-502"),
    start("next-application-ini-gone", "the uwsgi file of a running SaaS is gone", "运行中 SaaS 的 uwsgi 文件不存在",
          moved("appt", 0, "paas_agent/apps/projects/bk_framework/conf/bk_framework.ini"), "appt-502"),
    start("next-ini-gone", "the uwsgi file of appengine is gone", "appengine 的 uwsgi 文件不存在",
          moved("paas", 1, INI.format("appengine"))),
    start("next-supervisorctl-gone", "supervisorctl of open_paas is gone", "open_paas 的 supervisorctl 不存在",
          moved("paas", 1, ".envs/open_paas/bin/supervisorctl")),
    start("next-supervisord-gone", "supervisord of open_paas is gone", "open_paas 的 supervisord 不存在",
          moved("paas", 0, ".envs/open_paas/bin/supervisord")),
    start("next-python-gone", "the Python of the supervisor's virtual environment is a dangling link", "supervisor 虚拟环境的 Python 链接已失效",
          linked("paas", 1, ".envs/open_paas/bin/python", "/opt/py27/bin/python2.7")),
    start("next-agent-gone", "the program of paas_agent is gone, the running one does not notice", "paas_agent 的程序不存在，运行中的进程不受影响",
          moved("appo", 0, "paas_agent/paas_agent/bin/paas_agent")),
    start("next-java-gone", "the java of log_parser is gone", "log_parser 的 java 不存在", moved("paas", 0, "jvm/bin/java"), "no-logs"),
    start("next-filebeat-gone", "the filebeat of log_agent is gone", "log_agent 的 filebeat 不存在",
          moved("appo", 0, "/usr/share/filebeat/bin/filebeat"), "no-logs"),
]  # fmt: skip


def config(name: str, role: str, number: int, path: str, sed: str, en: str, zh: str, again: Restart) -> Fault:
    return start(name, en, zh, in_place(role, number, path, sed, again))


CONFIGS = [
    config("next-log-folder", "paas", 0, CONF, "s#^\\(stdout_logfile=\\).*/paas_supervisord.log#\\1/data/logs/paas/supervisord.log#",
           "the log directory of paas in supervisor's file does not exist", "supervisor 配置中 paas 的日志目录不存在", paas_start(0)),
    config("next-program-lost", "paas", 1, CONF, "/^\\[program:esb\\]/,/^autorestart/d",
           "esb runs and was taken out of supervisor's file", "esb 正在运行，但已从 supervisor 配置中删除", paas_start(1)),
    config("next-control-elsewhere", "paas", 0, CONF, "s#^serverurl=.*#serverurl=unix:///tmp/supervisor.sock#",
           "supervisorctl connects to another socket than supervisord's", "supervisorctl 连接的不是 supervisord 的套接字", paas_start(0)),
    config("next-agent-socket", "appo", 0, AGENT_CONF, "s#supervisor.sock#supervisor-new.sock#",
           "the path of the socket was changed in paas_agent's supervisor file, and not loaded", "修改了 paas_agent 的 supervisor 文件中的套接字路径，没有加载",
           supervisor_start("appo", 0, AGENT)),
    config("next-chdir", "paas", 0, INI.format("esb"), "s#^chdir = .*#&-3.2.6#",
           "chdir of esb in the uwsgi file is a release that is not there", "esb 的 uwsgi 文件中 chdir 指向不存在的版本", services(0, "esb")),
    config("next-plugins-command", "paas", 1, PLUGIN_CONF, "s#^command=[^ ]*#command=/usr/lib/jvm/java-11/bin/java#",
           "the command of log_parser in its file is a java that is not there", "log_parser 配置中的 java 不存在",
           supervisor_start("paas", 1, PLUGINS)),
    config("next-agent-directory", "appo", 0, AGENT_CONF, "s#^directory=.*#&-2#",
           "the directory of paas_agent in its file does not exist", "paas_agent 配置中的目录不存在", supervisor_start("appo", 0, AGENT)),
]  # fmt: skip


def valid(
    name: str,
    condition: str,
    role: str,
    number: int,
    path: str,
    sed: str,
    en: str,
    zh: str,
    again: Restart,
    faq: str = START,
) -> Fault:
    return fault(name, condition, en, zh, in_place(role, number, path, sed, again), faq)


def short_limit(lab: Lab) -> None:
    """A harakiri of two seconds, in force."""
    name = host(lab, "paas")
    edit(lab, name, below(lab, INI.format("esb")), "$ a harakiri = 2")
    restart(lab, name, "esb")


def usual_limit(lab: Lab) -> None:
    name = host(lab, "paas")
    restore(lab, name, below(lab, INI.format("esb")))
    restart(lab, name, "esb")


def small_headers(service: str) -> tuple[Act, Act]:
    """A buffer-size of two kilobytes, in force."""

    def break_(lab: Lab) -> None:
        edit(
            lab, host(lab, "paas"), below(lab, INI.format(service)), "s/^buffer-size = .*/buffer-size = 2048/"
        )
        restart(lab, host(lab, "paas"), service)

    def heal(lab: Lab) -> None:
        restore(lab, host(lab, "paas"), below(lab, INI.format(service)))
        restart(lab, host(lab, "paas"), service)

    return break_, heal


def in_force(path: str, sed: str) -> tuple[Act, Act]:
    """Edit supervisor's file of the first paas host, and start what it is about with it."""

    def break_(lab: Lab) -> None:
        name = host(lab, "paas")
        edit(lab, name, below(lab, path), sed)
        supervisorctl(lab, name, "update")
        restart(lab, name, "login")

    def heal(lab: Lab) -> None:
        name = host(lab, "paas")
        restore(lab, name, below(lab, path))
        supervisorctl(lab, name, "update")
        restart(lab, name, "login")

    return break_, heal


PORTAL = """\
server {
    listen 8443 ssl;
    server_name portal.bklab.test;
    ssl_certificate /etc/ssl/portal.crt;
    ssl_certificate_key /etc/ssl/portal.key;
}
"""


def add_portal(lab: Lab) -> None:
    lab.run(host(lab, "nginx"), f"cat > {below(lab, 'etc/nginx/portal.conf')} <<'END'\n{PORTAL}END")


def remove_portal(lab: Lab) -> None:
    lab.run(host(lab, "nginx"), f"rm -f {below(lab, 'etc/nginx/portal.conf')}")
    gate_reload(lab)


ACCOUNTS = [
    start("next-nginx-certificate", "a site was added whose certificate is not there, and nginx not reloaded",
          "新增的站点所用证书不存在，nginx 尚未重载", (add_portal, remove_portal)),
    fault("next-directory-gone", "settings-valid", "appengine's directory was renamed while it runs", "appengine 运行期间其目录被改名",
          moved("paas", 1, "open_paas/appengine")),
    config("next-nginx-user", "nginx", 0, "etc/nginx.conf", "s/^user .*/user nginx-old;/",
           "the account of nginx's workers does not exist", "nginx worker 的账号不存在", gate_reload),
    config("next-supervisor-user", "paas", 1, CONF, "/^\\[program:esb\\]/a user=paas-old",
           "the account of esb in supervisor's file does not exist", "supervisor 配置中 esb 的账号不存在", paas_start(1)),
    config("next-supervisor-user-closed", "paas", 0, CONF, "/^\\[program:login\\]/a user=nobody",
           "login gets an account at its next start that may not write its logs", "login 下次启动将使用无权写日志的账号", paas_start(0)),
]  # fmt: skip

VALID = [
    fault("esb-harakiri-short", "uwsgi-conf-valid", "uwsgi ends each request of esb after two seconds", "uwsgi 两秒后就结束 esb 的请求",
          (short_limit, usual_limit), "login-502"),
    fault("login-buffer-small", "uwsgi-conf-valid", "login refuses requests with more than 2 KB of headers", "login 拒绝请求头超过 2 KB 的请求",
          small_headers("login"), "login-502"),
    fault("login-buffer-small-by-command", "uwsgi-conf-valid", "the command of login limits requests to 2 KB of headers", "login 的命令将请求头限制为 2 KB",
          in_force(CONF, "s/\\(uwsgi-open_paas-login.ini\\)/\\1 --buffer-size 2048/"), "login-502"),
    fault("esb-buffer-small", "uwsgi-conf-valid", "esb refuses requests with more than 2 KB of headers", "esb 拒绝请求头超过 2 KB 的请求",
          small_headers("esb"), "login-502"),
    valid("conf-supervisor-section", "supervisor-conf-valid", "paas", 0, CONF, "s/^\\[program:login\\]/[program:login/",
          "a bracket is missing in the supervisor configuration", "supervisor 配置缺少括号", paas_start(0)),
    valid("conf-supervisor-number", "supervisor-conf-valid", "paas", 1, CONF, "/^\\[program:esb\\]/a startretries=many",
          "startretries is not a number", "startretries 不是数字", paas_start(1)),
    valid("conf-supervisor-signal", "supervisor-conf-valid", "paas", 0, CONF, "s/^stopsignal=INT/stopsignal=INTERRUPT/",
          "stopsignal is not a signal", "stopsignal 不是有效的信号", paas_start(0)),
    valid("conf-supervisor-percent", "supervisor-conf-valid", "appo", 0, AGENT_CONF, "/^\\[program:paas_agent\\]/a environment=RATE=\"50%\"",
          "a lone % in the environment of paas_agent", "paas_agent 的 environment 中有单独的 %", supervisor_start("appo", 0, AGENT)),
    valid("conf-plugins-command", "supervisor-conf-valid", "paas", 0, f"etc/supervisor-{PLUGINS}.conf", "$ a [program:other]\\nautostart=false",
          "a program of paas_plugins without a command", "paas_plugins 中有程序没有 command", supervisor_start("paas", 0, PLUGINS)),
    valid("conf-uwsgi-section", "uwsgi-conf-valid", "paas", 0, INI.format("login"), "s/^\\[uwsgi\\]/[uwgsi]/",
          "the section of login's uwsgi file is misspelt", "login 的 uwsgi 文件段名写错", services(0, "login")),
    valid("conf-uwsgi-module", "uwsgi-conf-valid", "paas", 1, INI.format("paas"), "/^module/d",
          "the uwsgi file of paas names no application", "paas 的 uwsgi 文件没有指定应用", services(1, "paas")),
    valid("conf-uwsgi-equals", "uwsgi-conf-valid", "paas", 0, INI.format("esb"), "s/^chdir = /chdir /",
          "an equals sign is missing in the uwsgi file of esb", "esb 的 uwsgi 文件缺少等号", services(0, "esb")),
    valid("conf-nginx-semicolon", "nginx-conf-valid", "nginx", 0, SITE, "s/proxy_redirect off;/proxy_redirect off/",
          "a semicolon is missing in nginx's file", "nginx 文件缺少分号", gate_reload, "login-502"),
    valid("conf-nginx-misspelt", "nginx-conf-valid", "nginx", 0, SITE, "s/client_max_body_size/client_max_boddy_size/",
          "a directive of nginx is misspelt", "nginx 指令写错", gate_reload, "login-502"),
    valid("conf-nginx-brace", "nginx-conf-valid", "nginx", 0, "etc/nginx/default.conf", "$ a }",
          "a brace too many in nginx's file", "nginx 文件多了一个括号", gate_reload, "login-502"),
    valid("conf-nginx-upstream-twice", "nginx-conf-valid", "nginx", 0, SITE, "$ a upstream OPEN_PAAS { server 127.0.0.1:1; }",
          "an upstream is in nginx's files twice", "nginx 文件中 upstream 重复", gate_reload, "login-502"),
    valid("conf-nginx-name", "nginx-conf-valid", "nginx", 0, SITE, "$ a upstream MONITOR { server monitor.gone.test:8080; }",
          "an upstream of another system has a name that does not resolve", "其他系统的 upstream 中有无法解析的名称", gate_reload, "login-502"),
    valid("conf-nginx-app", "nginx-conf-valid", "appo", 0, "etc/nginx/paasagent.conf", "0,/;/s/;//",
          "a semicolon is missing in the file of the app host's nginx", "app 主机的 nginx 文件缺少分号", app_reload("appo"), "appt-502"),
]  # fmt: skip

RENAME = "mv {path} {path}.old && cp -a {path}.old {path}"
RENAME_BACK = "[ ! -d {path}.old ] || {{ rm -rf {path} && mv {path}.old {path}; }}"


def by_hand(lab: Lab) -> None:
    name, conf = host(lab, "paas", 1), below(lab, CONF)
    edit(lab, name, conf, "/^\\[program:login\\]/a autostart=false")
    supervisorctl(lab, name, "update")
    restart(lab, name, "login")


def by_itself(lab: Lab) -> None:
    name = host(lab, "paas", 1)
    restore(lab, name, below(lab, CONF))
    supervisorctl(lab, name, "update")
    restart(lab, name, "login")


PIDS = [
    fault("pid-nginx-gone", "pid-files", "the pid file of nginx was cleaned away", "nginx 的 pid 文件被清理",
          removed("nginx", 0, "/run/nginx.pid"), "login-502"),
    fault("pid-nginx-other", "pid-files", "the pid file of nginx has another number", "nginx 的 pid 文件内容不符",
          number_in("nginx", 0, "/run/nginx.pid", "4242"), "login-502"),
    fault("pid-nginx-app", "pid-files", "the pid file of the app host's nginx was cleaned away", "app 主机的 nginx pid 文件被清理",
          removed("appt", 0, "/run/nginx.pid"), "appt-502"),
    fault("pid-uwsgi-gone", "pid-files", "the pid file of esb was cleaned away", "esb 的 pid 文件被清理",
          removed("paas", 0, "logs/open_paas/esb_uwsgi.pid")),
    fault("pid-uwsgi-empty", "pid-files", "the pid file of login is empty after a full disk", "磁盘写满之后 login 的 pid 文件为空",
          emptied("paas", 1, "logs/open_paas/login_uwsgi.pid", nothing)),
]  # fmt: skip

UPGRADED = [
    start("next-directory-renamed", "login's directory was renamed and another one put there, without a restart",
          "login 的目录被改名，原处换成另一个目录，未重启",
          (lambda lab: lab.run(host(lab, "paas", 1), RENAME.format(path=below(lab, "open_paas/login"))),
           lambda lab: lab.run(host(lab, "paas", 1), RENAME_BACK.format(path=below(lab, "open_paas/login"))))),
    start("next-interpreter-dangling", "the interpreter of open_paas's supervisord is a link to a version that was removed",
          "open_paas 的 supervisord 所用解释器链接指向已删除的版本",
          linked("paas", 0, ".envs/open_paas/bin/python", "/opt/py27/bin/python2.7")),
    start("next-not-by-itself", "login has autostart=false and was started by hand", "login 设置了 autostart=false，由人手启动",
          (by_hand, by_itself)),
]  # fmt: skip

BINARIES = [
    start("next-nginx-replaced", "nginx was updated and not restarted", "nginx 更新之后没有重启",
          replaced_binary("nginx", "/usr/sbin/nginx", gate_restart), "login-502"),
    start("next-uwsgi-replaced", "uwsgi was updated and the services not restarted", "uwsgi 更新之后没有重启服务",
          replaced_binary("paas", "/usr/bin/uwsgi-core", paas_start(0))),
]  # fmt: skip

FAULTS = [*PATHS, *CONFIGS, *ACCOUNTS, *VALID, *PIDS, *UPGRADED, *BINARIES]
