"""A SaaS that does not answer: its own socket, nginx of its host, the way through the domain."""

from __future__ import annotations

from lab.control import Lab
from lab.faults.actions import (
    address,
    await_http,
    edit,
    host,
    keep,
    reload_nginx,
    restart_nginx,
    restore,
    signal_processes,
    stop_nginx,
)
from lab.faults.agents import UWSGI, gate_site, run_folder, site
from lab.faults.agents import start_application as start
from lab.faults.fault import Act, Fault
from lab.faults.other_nginx import OTHER_CONF, other_nginx

SECTION = "appt-502"
STRAY_PORT = 9011
"""Where an application listens that has a TCP socket."""


def code(lab: Lab) -> str:
    return f"{lab.layout.home}/paas_agent/apps/projects/bk_framework/code/bk_framework/wsgi.py"


def rewrite(role: str, text: str, status: str) -> tuple[Act, Act]:
    """Another wsgi.py, and the application started with it; nginx of the host answers with the status."""

    def break_(lab: Lab) -> None:
        name = host(lab, role)
        keep(lab, name, code(lab))
        lab.run(name, f"cat > {code(lab)} <<'END'\n{text}\nEND\nkill -HUP $(cat {run_folder(lab)}/uwsgi.pid)")
        env = "o" if role == "appo" else "t"
        url = f"http://{address(lab, name)}:{lab.layout.ports['agent_nginx']}/{env}/bk_framework/"
        await_http(lab, name, url, status)

    def heal(lab: Lab) -> None:
        name = host(lab, role)
        lab.run(name, f"rm -f {code(lab)}")
        restore(lab, name, code(lab))
        start(lab, role)

    return break_, heal


def chmod_home(lab: Lab, mode: str) -> None:
    lab.run(host(lab, "appo"), f"chmod {mode} {lab.layout.home}")


def remove_pid_file(lab: Lab) -> None:
    lab.run(host(lab, "appt"), f"rm -f {run_folder(lab)}/uwsgi.pid")


def write_pid_file(lab: Lab) -> None:
    lab.run(host(lab, "appt"), f"pgrep -of '[p]rojects/bk_framework/conf/' > {run_folder(lab)}/uwsgi.pid")


def answering(status: str, headers: str = "") -> str:
    """Return a wsgi.py whose every answer has this status."""
    return (
        "def application(environ, start_response):\n"
        f"    start_response('{status}', [('Content-Type', 'text/html'){headers}])\n"
        "    return [b'']"
    )


def edited(role: str, sed: str) -> tuple[Act, Act]:
    """Another line in the site of the app host's nginx, which was reloaded."""

    def break_(lab: Lab) -> None:
        edit(lab, host(lab, role), site(lab), sed)
        reload_nginx(lab, host(lab, role))

    def heal(lab: Lab) -> None:
        restore(lab, host(lab, role), site(lab))
        reload_nginx(lab, host(lab, role))

    return break_, heal


def edited_in_front(sed: str) -> tuple[Act, Act]:
    """Another line in the site of the domain, and nginx reloaded."""

    def break_(lab: Lab) -> None:
        edit(lab, host(lab, "nginx"), gate_site(lab), sed)
        reload_nginx(lab, host(lab, "nginx"))

    def heal(lab: Lab) -> None:
        restore(lab, host(lab, "nginx"), gate_site(lab))
        reload_nginx(lab, host(lab, "nginx"))

    return break_, heal


def reuse_pid(lab: Lab) -> None:
    """The application died, and its pid belongs to another program now."""
    name = host(lab, "appo")
    signal_processes(lab, name, "KILL", UWSGI)
    lab.run(name, f"pgrep -x sshd | head -n 1 > {run_folder(lab)}/uwsgi.pid")


def mode(role: str, what: str, broken: str, right: str) -> tuple[Act, Act]:
    """Other permissions of the socket or of its directory."""

    def path(lab: Lab) -> str:
        return f"{run_folder(lab)}/uwsgi.sock" if what == "socket" else run_folder(lab)

    def break_(lab: Lab) -> None:
        lab.run(host(lab, role), f"chmod {broken} {path(lab)}")

    def heal(lab: Lab) -> None:
        lab.run(host(lab, role), f"chmod {right} {path(lab)}")

    return break_, heal


def second_master(lab: Lab) -> None:
    """The agent's nginx has a -c of its own and another socket in it; another product's nginx was started later."""
    name = host(lab, "appt")
    home = lab.layout.home
    stop_nginx(lab, name)
    lab.run(
        name,
        f"mkdir -p /etc/nginx-agent && cp {home}/etc/nginx.conf /etc/nginx-agent/nginx.conf &&"
        f" sed 's/run.uwsgi.sock;/run\\/app.sock;/' {site(lab)} > /etc/nginx-agent/site.conf &&"
        " sed -i 's#include .*/etc/nginx/\\*.conf;#include /etc/nginx-agent/site.conf;#' /etc/nginx-agent/nginx.conf"
        " && /usr/sbin/nginx -c /etc/nginx-agent/nginx.conf && "
        f"{other_nginx()}",
    )


def single_master(lab: Lab) -> None:
    name = host(lab, "appt")
    lab.run(
        name,
        "pkill -x nginx; while pgrep -x nginx >/dev/null; do sleep 0.05; done;"
        f" rm -rf /etc/nginx-agent {OTHER_CONF}; true",
    )
    restart_nginx(lab, name)


def serve_over_tcp(lab: Lab, role: str) -> None:
    """The application has a TCP socket, as its ini and nginx of its host say."""
    name, ini = (
        host(lab, role),
        f"{lab.layout.home}/paas_agent/apps/projects/bk_framework/conf/bk_framework.ini",
    )
    edit(lab, name, ini, f"s/^socket = .*/socket = 127.0.0.1:{STRAY_PORT}/")
    edit(lab, name, site(lab), f"s/uwsgi_pass unix:.*;/uwsgi_pass 127.0.0.1:{STRAY_PORT};/")
    reload_nginx(lab, name)
    start(lab, role)
    env = "o" if role == "appo" else "t"
    url = f"http://{address(lab, name)}:{lab.layout.ports['agent_nginx']}/{env}/bk_framework/"
    await_http(lab, name, url, "200")


def serve_over_unix(lab: Lab, role: str) -> None:
    name, ini = (
        host(lab, role),
        f"{lab.layout.home}/paas_agent/apps/projects/bk_framework/conf/bk_framework.ini",
    )
    lab.run(name, f"pkill -f '^python3 -m http.server {STRAY_PORT}' || true")
    restore(lab, name, ini)
    restore(lab, name, site(lab))
    reload_nginx(lab, name)
    start(lab, role)


def stray_on_its_port(lab: Lab) -> None:
    """Another program got the application's port while it was down; its pid file names a process that runs."""
    serve_over_tcp(lab, "appo")
    name = host(lab, "appo")
    signal_processes(lab, name, "KILL", UWSGI)
    lab.run(name, f"setsid python3 -m http.server {STRAY_PORT} --directory /srv >/dev/null 2>&1 &")
    lab.run(name, f"pgrep -x sshd | head -n 1 > {run_folder(lab)}/uwsgi.pid")
    await_http(lab, name, f"http://127.0.0.1:{STRAY_PORT}/", "200")


def stray_block(lab: Lab) -> None:
    """A server block of another product has the domain's name on the port of the applications."""
    name = host(lab, "appo")
    port, domain = lab.layout.ports["agent_nginx"], f"paas.{lab.layout.domain}"
    block = f"server {{ listen {port}; server_name {domain}; root /srv/empty; }}"
    lab.run(name, f"echo '{block}' > {lab.layout.home}/etc/nginx/zz-stray.conf")
    reload_nginx(lab, name)


def no_stray_block(lab: Lab) -> None:
    lab.run(host(lab, "appo"), f"rm -f {lab.layout.home}/etc/nginx/zz-stray.conf")
    reload_nginx(lab, host(lab, "appo"))


RUN = "saas-run-state"
DOMAIN = "saas-from-domain"
MAP = "agent-upstream-map"
IN_FRONT = "s#    location ~ ^/t/ {#    location ~ ^/o/bk_framework/ { %s }\\n    location ~ ^/t/ {#"


def start_again(lab: Lab) -> None:
    """The application was started again while it ran: its former uwsgi is still there."""
    apps = f"{lab.layout.home}/paas_agent/apps"
    lab.run(
        host(lab, "appt"),
        f"{apps}/Envs/bk_framework/bin/uwsgi --ini {apps}/projects/bk_framework/conf/bk_framework.ini; sleep 11",
    )


FAULTS = (
    Fault(
        "saas-two-masters",
        RUN,
        SECTION,
        "a former uwsgi of a SaaS still runs on the appt host",
        "appt 主机上 SaaS 的旧 uwsgi 仍在运行",
        start_again,
        lambda lab: start(lab, "appt"),
    ),
    Fault(
        "saas-frozen",
        RUN,
        SECTION,
        "bk_framework on the appo host accepts connections and does not answer",
        "appo 上的 bk_framework 接受连接但没有应答",
        lambda lab: signal_processes(lab, host(lab, "appo"), "STOP", UWSGI),
        lambda lab: signal_processes(lab, host(lab, "appo"), "CONT", UWSGI),
    ),
    Fault(
        "saas-error",
        RUN,
        SECTION,
        "every answer of bk_framework on the appt host is a 500",
        "appt 上的 bk_framework 每次都返回 500",
        *rewrite("appt", answering("500 Internal Server Error"), "500"),
    ),
    Fault(
        "saas-not-loaded",
        RUN,
        SECTION,
        "bk_framework on the appo host has a syntax error in its code",
        "appo 上的 bk_framework 代码有语法错误",
        *rewrite("appo", "def application(:\n", "500"),
    ),
    Fault(
        "saas-unavailable",
        RUN,
        SECTION,
        "bk_framework on the appt host answers 503, its database is gone",
        "appt 上的 bk_framework 返回 503，它的数据库不可用",
        *rewrite("appt", answering("503 Service Unavailable"), "503"),
    ),
    Fault(
        "saas-socket-closed",
        RUN,
        SECTION,
        "only root may open the socket of bk_framework on the appo host",
        "appo 上 bk_framework 的套接字只有 root 可以打开",
        *mode("appo", "socket", "600", "666"),
    ),
    Fault(
        "saas-directory-closed",
        RUN,
        SECTION,
        "nginx on the appt host may not enter the directory of the socket",
        "appt 上的 nginx 无权进入套接字所在目录",
        *mode("appt", "directory", "700", "755"),
    ),
    Fault(
        "saas-pid-reused",
        RUN,
        SECTION,
        "bk_framework on the appo host died, and its pid belongs to another program",
        "appo 上的 bk_framework 已退出，它的 pid 已属于其他程序",
        reuse_pid,
        lambda lab: start(lab, "appo"),
    ),
    Fault(
        "saas-nginx-other-socket",
        RUN,
        SECTION,
        "nginx on the appo host looks for the sockets of applications under another name",
        "appo 上的 nginx 使用了另一个套接字名",
        *edited("appo", "s/run.uwsgi.sock;/run\\/app.sock;/"),
    ),
    Fault(
        "saas-nginx-other-pid-file",
        RUN,
        SECTION,
        "nginx on the appt host looks for the pid files of applications in another directory",
        "appt 上的 nginx 在其他目录查找应用的 pid 文件",
        *edited("appt", "s/run.uwsgi.pid)/run\\/app.pid)/"),
    ),
    Fault(
        "saas-stray-block",
        RUN,
        SECTION,
        "another server block on the appo host has the domain's name on port 8010",
        "appo 上另一个 server 在 8010 上使用了该域名",
        stray_block,
        no_stray_block,
    ),
    Fault(
        "saas-second-nginx",
        RUN,
        SECTION,
        "two nginx run on the appt host, and the file of the agent's one names another socket",
        "appt 上运行两个 nginx，其中 agent 的配置指向另一个套接字",
        second_master,
        single_master,
    ),
    Fault(
        "saas-port-taken",
        RUN,
        SECTION,
        "another program has the TCP port of bk_framework on the appo host",
        "appo 上 bk_framework 的 TCP 端口被其他程序占用",
        stray_on_its_port,
        lambda lab: serve_over_unix(lab, "appo"),
    ),
    Fault(
        "saas-test-to-production",
        MAP,
        SECTION,
        "nginx sends /t/ to the production upstream",
        "nginx 把 /t/ 转发到正式环境的 upstream",
        *edited_in_front("s#proxy_pass http://PAAS_AGENT_TEST;#proxy_pass http://PAAS_AGENT_PROD;#"),
    ),
    Fault(
        "saas-production-to-test",
        MAP,
        SECTION,
        "nginx sends /o/ to the test upstream",
        "nginx 把 /o/ 转发到测试环境的 upstream",
        *edited_in_front("s#proxy_pass http://PAAS_AGENT_PROD;#proxy_pass http://PAAS_AGENT_TEST;#"),
    ),
    Fault(
        "saas-directory-closed",
        "saas-run-state",
        SECTION,
        "a hardening script closed the install root of the appo host to the user of nginx",
        "安全加固脚本使 appo 主机上 nginx 的用户无法进入安装目录",
        lambda lab: chmod_home(lab, "700"),
        lambda lab: chmod_home(lab, "755"),
    ),
    Fault(
        "saas-pid-file-removed",
        "saas-run-state",
        SECTION,
        "a cleaning job removed the pid file of a running SaaS: nginx answers 404",
        "清理任务删除了运行中 SaaS 的 pid 文件：nginx 返回 404",
        remove_pid_file,
        write_pid_file,
    ),
    Fault(
        "saas-location-missing",
        MAP,
        SECTION,
        "nginx has no location for /o/, so paas answers instead",
        "nginx 没有 /o/ 的 location，请求落到 paas",
        *edited_in_front("s#location ~ ^/o/ {#location ~ ^/old/ {#"),
    ),
    Fault(
        "saas-location-shadowed",
        MAP,
        SECTION,
        "an earlier location of nginx sends /t/ to paas",
        "nginx 中更靠前的 location 把 /t/ 转发到 paas",
        *edited_in_front(
            "s#    location ~ ^/doc/(.*) {#    location ~ ^/(t|old)/ { proxy_pass http://OPEN_PAAS; }\\n&#"
        ),
    ),
    Fault(
        "saas-maintenance-page",
        "nginx-passes-requests",
        SECTION,
        "nginx in front answers 503 for one application, a maintenance page that was left",
        "接入层 nginx 对一个应用返回 503，是遗留的维护页面",
        *edited_in_front(IN_FRONT % "return 503;"),
    ),
    Fault(
        "saas-empty-root",
        DOMAIN,
        SECTION,
        "nginx in front looks for one application in an empty directory",
        "接入层 nginx 在空目录中查找一个应用",
        *edited_in_front(IN_FRONT % "root /srv/empty;"),
    ),
)
