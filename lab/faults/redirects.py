"""Faults that make the login page loop or time out: settings, names, proxies and firewalls."""

from __future__ import annotations

from lab.control import Lab
from lab.faults.actions import (
    address,
    await_http,
    await_states,
    block,
    edit,
    host,
    keep,
    restart,
    restore,
    supervisorctl,
    unblock,
)
from lab.faults.fault import Act, Fault
from lab.faults.settings import production

LOOP = "login-redirect-loop"
SILENT = "login-no-response"
PROFILE = "/etc/profile.d/proxy.sh"
PROXY = "http://10.66.0.99:3128"


def cut_off(role: str) -> tuple[Act, Act]:
    """nginx in front rejects everything from the first host of a role."""

    def break_(lab: Lab) -> None:
        source, port = address(lab, host(lab, role)), lab.layout.ports["http"]
        block(lab, host(lab, "nginx"), port, source, "REJECT --reject-with tcp-reset")

    return break_, lambda lab: unblock(lab, host(lab, "nginx"))


def set_proxy(lab: Lab) -> None:
    keep(lab, host(lab, "cmdb"), "/etc/environment")
    lab.run(host(lab, "cmdb"), f"echo http_proxy={PROXY} >> /etc/environment")


def forget_environment(lab: Lab) -> None:
    """login starts without BK_ENV and looks for settings_development.py."""
    edit(lab, host(lab, "paas", 1), ini(lab), "/^env=BK_ENV=/d")
    restart(lab, host(lab, "paas", 1), "login")


def remember_environment(lab: Lab) -> None:
    restore(lab, host(lab, "paas", 1), ini(lab))
    restart(lab, host(lab, "paas", 1), "login")


def ini(lab: Lab) -> str:
    return f"{lab.layout.home}/etc/uwsgi-open_paas-login.ini"


def lose_table(lab: Lab) -> None:
    """Half a migration: every right password ends in a 500, and nothing else notices."""
    rename(lab, "login_bklog", "login_bklog_old")


def find_table(lab: Lab) -> None:
    rename(lab, "login_bklog_old", "login_bklog")


def rename(lab: Lab, old: str, new: str) -> None:
    lab.run(host(lab, "mysql"), f"mariadb open_paas -e 'RENAME TABLE IF EXISTS {old} TO {new}'")


def flapping_errors(lab: Lab) -> None:
    """esb on the first paas host was away for a moment, and nginx noticed."""
    name = host(lab, "paas")
    supervisorctl(lab, name, "stop esb")
    errors = f"{lab.layout.home}/logs/nginx/paas_web_error.log"
    url = f"http://paas.{lab.layout.domain}/api/healthz/"
    gate = host(lab, "nginx")
    lab.wait(
        lambda: (
            lab.run(gate, f"curl -s -o /dev/null -m 5 {url}; grep -c refused {errors} || true").strip() != "0"
        ),
        20,
        "nginx logs a refused connection",
    )
    restart(lab, name, "esb")
    lab.run(gate, "nginx -s reload")


def set_profile_proxy(lab: Lab) -> None:
    lab.run(host(lab, "job"), f"echo export http_proxy={PROXY} no_proxy=localhost,127.0.0.1 > {PROFILE}")


def supervisor(lab: Lab) -> str:
    return f"{lab.layout.home}/etc/supervisor-open_paas.conf"


def start_with_proxy(lab: Lab) -> None:
    """esb was started from a shell in which a proxy was set."""
    name = host(lab, "paas")
    edit(lab, name, supervisor(lab), f'/^\\[program:esb\\]/a environment=http_proxy="{PROXY}"')
    supervisorctl(lab, name, "update")
    await_states(lab, name, "RUNNING")


def start_without_proxy(lab: Lab) -> None:
    restore(lab, host(lab, "paas"), supervisor(lab))
    supervisorctl(lab, host(lab, "paas"), "update")
    await_states(lab, host(lab, "paas"), "RUNNING")


def hijack(lab: Lab) -> None:
    """Something on the way answers for the domain, and answers 200 to everything."""
    name, port = host(lab, "job"), 3128
    lab.run(name, f"setsid python3 -m http.server {port} --directory /srv >/dev/null 2>&1 &")
    await_http(lab, name, f"http://{address(lab, name)}:{port}/", "200")
    gate, http = address(lab, host(lab, "nginx")), lab.layout.ports["http"]
    rule = f"-d {gate} -p tcp --dport {http} -j REDIRECT --to-ports {port}"
    lab.run(name, f"iptables -t nat -A OUTPUT {rule}")


def let_through(lab: Lab) -> None:
    stop = "pkill -f '^python3 -m http.server' || true"
    lab.run(host(lab, "job"), f"iptables -t nat -F OUTPUT; {stop}")


FAULTS = (
    Fault(
        "login-settings-differ",
        "login-settings-equal",
        LOOP,
        "login's settings on the second paas host name another inner domain than those on the first",
        "两台 paas 上 login 的 PAAS_INNER_DOMAIN 配置不一致",
        *production("s/^PAAS_INNER_DOMAIN = .*/PAAS_INNER_DOMAIN = 'paas.service.consul'/", 1),
    ),
    Fault(
        "cookie-domain-wrong",
        "cookie-domain",
        LOOP,
        "login sets its cookie for a domain that is not the deployment's",
        "login 设置的 cookie 域不是本部署的域名",
        *production("s/^BK_COOKIE_DOMAIN = .*/BK_COOKIE_DOMAIN = '.bk.com'/", 0, 1),
    ),
    Fault(
        "domain-cut-off-from-appo",
        "domain-from-agents",
        LOOP,
        "a firewall keeps the appo host from the PaaS domain",
        "防火墙使 appo 主机无法访问 PaaS 域名",
        *cut_off("appo"),
    ),
    Fault(
        "domain-cut-off-from-job",
        "domain-from-cmdb-job",
        LOOP,
        "a firewall keeps the job host from the PaaS domain",
        "防火墙使 job 主机无法访问 PaaS 域名",
        *cut_off("job"),
    ),
    Fault(
        "http-proxy",
        "http-proxy-env",
        SILENT,
        "the cmdb host sends its web requests to a proxy",
        "cmdb 主机的 http 请求被代理劫持",
        set_proxy,
        lambda lab: restore(lab, host(lab, "cmdb"), "/etc/environment"),
    ),
    Fault(
        "bk-env-missing",
        "bk-env-production",
        LOOP,
        "login on the second paas host starts without BK_ENV=production",
        "第二台 paas 上的 login 启动时缺少 BK_ENV=production",
        forget_environment,
        remember_environment,
    ),
    Fault(
        "login-broken",
        "database-tables",
        SILENT,
        "every login with the right password ends in an error, while all of healthz is green",
        "密码正确的登录全部报错，而所有 healthz 正常",
        lose_table,
        find_table,
    ),
    Fault(
        "errors-in-nginx-log",
        "nginx-error-log",
        "login-502",
        "a service was away for a moment, nginx has logged it",
        "某服务曾短暂中断，nginx 日志中留有记录",
        flapping_errors,
        lambda lab: restart(lab, host(lab, "paas"), "esb"),
    ),
    Fault(
        "proxy-in-profile",
        "http-proxy-env",
        SILENT,
        "the profile of the job host sets a proxy that does not except PaaS",
        "job 主机的 profile 设置了代理，且没有排除 PaaS",
        set_profile_proxy,
        lambda lab: lab.run(host(lab, "job"), f"rm -f {PROFILE}"),
    ),
    Fault(
        "proxy-of-esb",
        "http-proxy-env",
        SILENT,
        "esb on the first paas host was started with a proxy that no longer exists",
        "第一台 paas 上的 esb 启动时带有已失效的代理",
        start_with_proxy,
        start_without_proxy,
    ),
    Fault(
        "domain-hijacked",
        "domain-from-cmdb-job",
        LOOP,
        "a transparent proxy answers the job host in the domain's place, with 200",
        "透明代理代替域名应答 job 主机，状态码为 200",
        hijack,
        let_through,
    ),
)
