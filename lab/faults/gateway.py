"""nginx in front, its upstreams, and the firewall between it and the paas hosts."""

from __future__ import annotations

from lab.control import Lab
from lab.faults.actions import (
    add_address,
    address,
    await_http,
    block,
    edit,
    gate_url,
    host,
    keep,
    reload_nginx,
    remove_address,
    restart_nginx,
    restore,
    signal_processes,
    start_roles,
    stop_nginx,
    unblock,
)
from lab.faults.fault import Act, Fault

SECTION = "login-502"
SITES = ("default", "paas", "cmdb", "job")
OLD_LOGIN = "10.66.0.19"  # of a host that is no more


def nginx(lab: Lab) -> str:
    return host(lab, "nginx")


def site(lab: Lab, name: str) -> str:
    return f"{lab.layout.home}/etc/nginx/{name}.conf"


NAMED_LOGIN = "login-2.bklab.test"


def move_a_name(lab: Lab) -> None:
    """nginx resolved the name of an upstream's server when it was loaded; the name has another address since."""
    name, second = nginx(lab), address(lab, host(lab, "paas", 1))
    keep(lab, name, "/etc/hosts")
    lab.run(name, f"echo '{OLD_LOGIN} {NAMED_LOGIN}' >> /etc/hosts")
    edit(lab, name, site(lab, "paas"), f"/upstream OPEN_PAAS_LOGIN /,/}}/s/{second}/{NAMED_LOGIN}/")
    reload_nginx(lab, name)
    # as a container does: the file is changed in place, since it may be a mount
    lab.run(name, f"sed 's/^{OLD_LOGIN} /{second} /' /etc/hosts > /run/hosts && cat /run/hosts > /etc/hosts")
    url = gate_url(lab, "/login/")
    lab.run(name, f"for i in 1 2 3 4; do curl -s -o /dev/null -m 20 {url} || true; done", timeout=90)


def name_as_before(lab: Lab) -> None:
    for path in ("/etc/hosts", site(lab, "paas")):
        restore(lab, nginx(lab), path)
    reload_nginx(lab, nginx(lab))


def firewall(verdict: str) -> tuple[Act, Act]:
    """The first paas host rejects connections from nginx to login."""

    def break_(lab: Lab) -> None:
        source = address(lab, nginx(lab))
        block(lab, host(lab, "paas"), lab.layout.ports["login"], source, verdict)

    return break_, lambda lab: unblock(lab, host(lab, "paas"))


def upstreams(sed: str) -> tuple[Act, Act]:
    """Other upstreams in paas.conf; {first} and {second} stand for the addresses of the paas hosts."""

    def break_(lab: Lab) -> None:
        first, second = (address(lab, host(lab, "paas", number)) for number in (0, 1))
        edit(lab, nginx(lab), site(lab, "paas"), sed.format(first=first, second=second))
        reload_nginx(lab, nginx(lab))

    def heal(lab: Lab) -> None:
        restore(lab, nginx(lab), site(lab, "paas"))
        reload_nginx(lab, nginx(lab))

    return break_, heal


def listen_elsewhere(lab: Lab) -> None:
    """All of nginx on the second network card only, while the names lead to the first."""
    name, port = nginx(lab), lab.layout.ports["http"]
    second = add_address(lab, name)
    for each in SITES:
        edit(lab, name, site(lab, each), f"s/listen {port}/listen {second}:{port}/")
    restart_nginx(lab, name)


def listen_right(lab: Lab) -> None:
    name = nginx(lab)
    for each in SITES:
        restore(lab, name, site(lab, each))
    restart_nginx(lab, name)
    remove_address(lab, name)


def shadow(lab: Lab) -> None:
    """An old site that names the address itself gets all requests for it, whatever their Host."""
    name, port = nginx(lab), lab.layout.ports["http"]
    server = f"listen {address(lab, name)}:{port}; server_name portal.{lab.layout.domain}; return 404;"
    lab.run(name, f"echo 'server {{ {server} }}' > {site(lab, 'portal')}")
    reload_nginx(lab, name)
    await_http(lab, name, gate_url(lab, "/healthz/"), "404")


def unshadow(lab: Lab) -> None:
    lab.run(nginx(lab), f"rm -f {site(lab, 'portal')}")
    reload_nginx(lab, nginx(lab))


def leave_maintenance(lab: Lab) -> None:
    """A page for maintenance was put before the site, and forgotten."""
    name, port = nginx(lab), lab.layout.ports["http"]
    names = f"listen {port}; server_name paas.{lab.layout.domain};"
    lab.run(name, f"echo 'server {{ {names} location / {{ return 503; }} }}' > {site(lab, '00-portal')}")
    reload_nginx(lab, name)
    await_http(lab, name, gate_url(lab, "/login/"), "503")


def end_maintenance(lab: Lab) -> None:
    lab.run(nginx(lab), f"rm -f {site(lab, '00-portal')}")
    reload_nginx(lab, nginx(lab))


def leave_old_site(lab: Lab) -> None:
    """The site of a former environment was left before the site: its upstream is gone."""
    name, port = nginx(lab), lab.layout.ports["http"]
    address_ = ".".join((*address(lab, name).split(".")[:3], "13"))
    names = f"listen {port}; server_name paas.{lab.layout.domain};"
    block_ = f"upstream OPEN_PAAS_OLD {{ server {address_}:8001; }} server {{ {names} location / {{ proxy_pass http://OPEN_PAAS_OLD; }} }}"
    lab.run(name, f"echo '{block_}' > {site(lab, '00-portal')}")
    reload_nginx(lab, name)
    await_http(lab, name, gate_url(lab, "/login/"), "502")


def refuse_hosts(lab: Lab) -> None:
    """Only the paas hosts and the desktops of the administrators may use the platform."""
    paas = [one.name for one in lab.layout.hosts if "paas" in one.roles]
    allowed = "".join(f"allow {address(lab, one)}; " for one in paas)
    in_front(f"s|client_max_body_size.*|&\\n    {allowed}allow 127.0.0.0/8; allow 10.66.0.1; deny all;|")[0](
        lab
    )


def lose_site(lab: Lab) -> None:
    """An upgrade of nginx tidied its folder, and was told to reload."""
    edit(lab, nginx(lab), site(lab, "paas"), "d")
    reload_nginx(lab, nginx(lab))


def in_front(sed: str) -> tuple[Act, Act]:
    """Anything else in paas.conf."""

    def break_(lab: Lab) -> None:
        edit(lab, nginx(lab), site(lab, "paas"), sed)
        reload_nginx(lab, nginx(lab))

    return break_, site_right


def site_right(lab: Lab) -> None:
    restore(lab, nginx(lab), site(lab, "paas"))
    reload_nginx(lab, nginx(lab))


def stop_portal(lab: Lab, role: str, program: str) -> None:
    signal_processes(lab, host(lab, role), "TERM", f"/.*/{program}")
    lab.run(host(lab, role), f"while pgrep -x {program} >/dev/null; do sleep 0.05; done")


FAULTS = (
    Fault(
        "firewall-drop",
        "paas-ports-from-nginx",
        SECTION,
        "a firewall drops what nginx sends to login on the first paas host",
        "防火墙丢弃 nginx 发往第一台 paas 上 login 的报文",
        *firewall("DROP"),
    ),
    Fault(
        "firewall-reject",
        "paas-ports-from-nginx",
        SECTION,
        "a firewall rejects what nginx sends to login on the first paas host",
        "防火墙拒绝 nginx 发往第一台 paas 上 login 的报文",
        *firewall("REJECT --reject-with icmp-host-prohibited"),
    ),
    Fault(
        "upstream-stale",
        "nginx-conf-upstreams",
        SECTION,
        "nginx sends half of the logins to the address of a host that no longer exists",
        "nginx 把一半的登录请求发往已不存在的主机地址",
        *upstreams(f"/upstream OPEN_PAAS_LOGIN /,/}}}}/s/{{first}}/{OLD_LOGIN}/"),
    ),
    Fault(
        "upstream-missing-host",
        "nginx-upstreams-complete",
        SECTION,
        "the upstreams of nginx lack the second paas host",
        "nginx 的 upstream 中没有第二台 paas",
        *upstreams("/server {second}:/d"),
    ),
    Fault(
        "nginx-other-nic",
        "nginx-listen-vs-domain",
        SECTION,
        "nginx listens on its second address only, the names lead to the first",
        "nginx 只监听第二个地址，而域名指向第一个",
        listen_elsewhere,
        listen_right,
    ),
    Fault(
        "nginx-shadowed",
        "nginx-listen-vs-domain",
        SECTION,
        "another server block names nginx's address itself and gets all its requests",
        "另一个 server 块明确监听 nginx 的地址，抢走了全部请求",
        shadow,
        unshadow,
    ),
    Fault(
        "nginx-maintenance-left",
        "nginx-listen-vs-domain",
        SECTION,
        "a server block for maintenance with the domain's name was left before the site",
        "维护用的同名 server 遗留在站点之前",
        leave_maintenance,
        end_maintenance,
    ),
    Fault(
        "nginx-old-site-left",
        "nginx-listen-vs-domain",
        SECTION,
        "the site of a former environment with the domain's name and a dead upstream was left before the site",
        "旧环境的同名站点遗留在站点之前，其 upstream 已不存在",
        leave_old_site,
        end_maintenance,
    ),
    Fault(
        "nginx-returns-503",
        "nginx-listen-vs-domain",
        SECTION,
        "the site of the domain returns 503 for every request",
        "域名的站点对所有请求返回 503",
        *in_front("s|server_name.*|&\\n    return 503;|"),
    ),
    Fault(
        "nginx-refuses-hosts",
        "nginx-listen-vs-domain",
        SECTION,
        "allow and deny of the site leave out the app hosts, cmdb and job",
        "站点的 allow、deny 漏掉了 app 主机、cmdb 和 job",
        refuse_hosts,
        site_right,
    ),
    Fault(
        "nginx-stopped",
        "nginx-conf-port80",
        SECTION,
        "nginx in front does not run",
        "入口 nginx 没有运行",
        lambda lab: stop_nginx(lab, nginx(lab)),
        lambda lab: restart_nginx(lab, nginx(lab)),
    ),
    Fault(
        "nginx-workers-frozen",
        "nginx-conf-port80",
        SECTION,
        "all workers of nginx in front are stopped by a signal",
        "入口 nginx 的所有 worker 都被信号暂停",
        lambda lab: signal_processes(lab, nginx(lab), "STOP", "nginx: worker"),
        lambda lab: signal_processes(lab, nginx(lab), "CONT", "nginx: worker"),
    ),
    Fault(
        "agent-nginx-frozen",
        "agent-nginx-8010",
        "appt-502",
        "the workers of nginx on the appt host are stopped by a signal",
        "appt 主机上 nginx 的 worker 被信号暂停",
        lambda lab: signal_processes(lab, host(lab, "appt"), "STOP", "nginx: worker"),
        lambda lab: signal_processes(lab, host(lab, "appt"), "CONT", "nginx: worker"),
    ),
    Fault(
        "nginx-site-lost",
        "nginx-conf-port80",
        SECTION,
        "paas.conf of nginx is empty, requests for the domain end in the default server",
        "nginx 的 paas.conf 是空文件，域名请求落到默认 server",
        lose_site,
        site_right,
    ),
    Fault(
        "nginx-name-old",
        "nginx-conf-port80",
        SECTION,
        "nginx serves the name that the domain had before",
        "nginx 的 server_name 仍是旧域名",
        *in_front("s/server_name paas\\./server_name bk-paas./"),
    ),
    Fault(
        "upstream-outside",
        "nginx-conf-upstreams",
        SECTION,
        "nginx sends all logins to a host that is not in the inventory",
        "nginx 把全部登录请求发往清单之外的主机",
        *upstreams(
            f"/upstream OPEN_PAAS_LOGIN /,/}}}}/{{{{s/{{first}}/{OLD_LOGIN}/;s/{{second}}/{OLD_LOGIN}/}}}}"
        ),
    ),
    Fault(
        "upstream-name-moved",
        "nginx-old-upstream",
        SECTION,
        "the name of a server of nginx's upstream has another address since nginx was loaded",
        "nginx 加载之后，upstream 中某个 server 的域名换了地址",
        move_a_name,
        name_as_before,
    ),
    Fault(
        "upstream-wrong-port",
        "nginx-conf-upstreams",
        SECTION,
        "nginx sends what is for esb to the developer center's port",
        "nginx 把 esb 的请求发往开发者中心的端口",
        *in_front("/upstream OPEN_PAAS_ESB /,/}/s/:8002 /:8001 /"),
    ),
    Fault(
        "upstream-marked-down",
        "nginx-upstreams-complete",
        SECTION,
        "the second paas host is still marked down in nginx after its maintenance",
        "第二台 paas 维护后在 nginx 中仍标记为 down",
        *upstreams("s/server {second}:\\([0-9]*\\) /server {second}:\\1 down /"),
    ),
    Fault(
        "login-to-the-wrong-service",
        "nginx-conf-upstreams",
        "login-no-response",
        "an old paas.conf sends /login/ to the developer center",
        "旧的 paas.conf 把 /login/ 转发到开发者中心",
        *in_front("s/http:.*OPEN_PAAS_LOGIN/http:\\/\\/OPEN_PAAS/"),
    ),
    Fault(
        "esb-paths-to-the-wrong-service",
        "nginx-conf-upstreams",
        SECTION,
        "an old paas.conf sends /api/ to the developer center",
        "旧的 paas.conf 把 /api/ 转发到开发者中心",
        *in_front("s/http:.*OPEN_PAAS_ESB/http:\\/\\/OPEN_PAAS/"),
    ),
    Fault(
        "engine-on-nginx",
        "domain-502",
        SECTION,
        "an old paas.conf looks for appengine on nginx's own host",
        "旧的 paas.conf 认为 appengine 在 nginx 本机",
        *in_front("s/http:.*OPEN_PAAS_APPENGINE/http:\\/\\/127.0.0.1:8000/"),
    ),
    Fault(
        "slash-stripped",
        "login-redirect-shape",
        "login-redirect-loop",
        "nginx removes the slash at the end of /platform/, the developer center adds it again",
        "nginx 去掉 /platform/ 末尾的斜杠，开发者中心又加回来",
        *in_front(
            "/^    # paas$/ i location ^~ /platform { rewrite ^(/.+)/$ $1 permanent; proxy_pass http://OPEN_PAAS; }"
        ),
    ),
    Fault(
        "cmdb-web-stopped",
        "upstream-answers",
        SECTION,
        "the web server of cmdb, behind the same nginx, does not run",
        "同一 nginx 后面的 cmdb webserver 没有运行",
        lambda lab: stop_portal(lab, "cmdb", "cmdb_webserver"),
        lambda lab: start_roles(lab, host(lab, "cmdb")),
    ),
    Fault(
        "job-stopped",
        "upstream-answers",
        SECTION,
        "job, behind the same nginx, does not run",
        "同一 nginx 后面的 job 没有运行",
        lambda lab: stop_portal(lab, "job", "job"),
        lambda lab: start_roles(lab, host(lab, "job")),
    ),
)
