"""consul and consul-template of generation 6.x: names that do not resolve, files that are not rendered."""

from __future__ import annotations

from lab.control import Lab
from lab.faults.actions import address, edit, host, restore
from lab.faults.fault import Act, Fault
from lab.faults.units import PAAS_CONF, await_registered, await_service, signal_unit, start, systemctl

PLACEHOLDER_SECONDS = 40
LONGEST_SECONDS = 21
"""More than a name that no agent answers takes in ESB, which asks for two."""
QUICK_SECONDS = 1.0
QUICK_TIMES = 3
HELD_UP_SECONDS = 90
"""How long requests may wait for an agent that hangs, one after the other in each worker."""


def stop_consul(lab: Lab) -> None:
    systemctl(lab, host(lab, "paas"), "stop consul")


def start_consul(lab: Lab) -> None:
    systemctl(lab, host(lab, "paas"), "start consul")


def silence_consul(lab: Lab) -> None:
    """The agent hangs: it takes questions and never answers."""
    signal_unit(lab, host(lab, "paas"), "consul", "STOP")


def wake_consul(lab: Lab) -> None:
    """Let the agent go on, and wait until the requests that it has held up are answered."""
    name = host(lab, "paas")
    signal_unit(lab, name, "consul", "CONT")
    urls = [
        f"http://{address(lab, name)}:{lab.layout.ports[service]}/" for service in ("login", "paas", "esb")
    ]
    command = "; ".join(
        f"curl -s -o /dev/null -m 5 -w '%{{time_total}} ' {url} || true" for url in urls * QUICK_TIMES
    )

    def quick() -> bool:
        return all(float(seconds) < QUICK_SECONDS for seconds in lab.run(name, command, timeout=120).split())

    lab.wait(quick, HELD_UP_SECONDS, f"the services on {name} answer quickly")
    lab.run(name, f"sleep {LONGEST_SECONDS}", timeout=60)  # another worker may still have one


def keys(lab: Lab) -> str:
    return f"{lab.layout.home}/public/consul/kv.json"


def empty_application(lab: Lab) -> None:
    """The last server of an application was taken offline: its list in consul is empty."""
    name = host(lab, "nginx")
    edit(
        lab,
        name,
        keys(lab),
        's#"bkapps/upstreams/prod/bk_framework": .*#"bkapps/upstreams/prod/bk_framework": "[]"#',
    )
    application = "/usr/local/openresty/nginx/conf/conf.d/app_upstream.conf"
    rendered = f"! grep -A2 'upstream bk_framework' {application} | grep -q server && echo yes || true"
    lab.wait(lambda: "yes" in lab.run(name, rendered), PLACEHOLDER_SECONDS, "the empty upstream is rendered")


def fill_application(lab: Lab) -> None:
    restore(lab, host(lab, "nginx"), keys(lab))
    good = "/usr/local/openresty/nginx/sbin/nginx -p /usr/local/openresty/nginx -c conf/nginx.conf -t 2>/dev/null && echo yes || true"
    lab.wait(
        lambda: "yes" in lab.run(host(lab, "nginx"), good), PLACEHOLDER_SECONDS, "nginx accepts its files"
    )


def await_placeholder(lab: Lab, there: bool) -> None:
    name = host(lab, "nginx")
    count = f"grep -c '127.0.0.1:8003' {PAAS_CONF} || true"
    lab.wait(
        lambda: (lab.run(name, count).strip() != "0") == there, PLACEHOLDER_SECONDS, f"placeholder: {there}"
    )


def stop_login_everywhere(lab: Lab) -> None:
    """login is down on all hosts: consul has no passing instance, and nginx gets a placeholder."""
    for number in (0, 1):
        systemctl(lab, host(lab, "paas", number), "stop bk-paas-login")
    await_placeholder(lab, True)


def start_login_everywhere(lab: Lab) -> None:
    systemctl(lab, host(lab, "nginx"), "start consul-template")
    for number in (0, 1):
        start(lab, host(lab, "paas", number), "login")
    for number in (0, 1):
        await_registered(lab, host(lab, "paas", number))


def leave_placeholder(lab: Lab) -> None:
    """consul-template ended while login was down: login is back, and nginx does not know."""
    stop_login_everywhere(lab)
    systemctl(lab, host(lab, "nginx"), "stop consul-template")
    for number in (0, 1):
        systemctl(lab, host(lab, "paas", number), "start bk-paas-login")
        await_service(lab, host(lab, "paas", number), "login")


HOSTS = "/etc/hosts"


def pin(lab: Lab, service: str, target: str) -> None:
    """Write a name of consul into /etc/hosts of the first paas host."""
    edit(lab, host(lab, "paas"), HOSTS, f"$ a {target} {service}.service.consul")


def unpin(lab: Lab) -> None:
    restore(lab, host(lab, "paas"), HOSTS)
    for service in ("login", "paas", "esb", "appengine"):
        start(lab, host(lab, "paas"), service)


def pin_to(service: str, role: str) -> Act:
    """Return the act of pinning a name to the host of another role, as if the service was moved since."""
    return lambda lab: pin(lab, service, address(lab, host(lab, role)))


TEMPLATE = "/etc/consul-template/templates/paas.conf"
INTERNAL = "paas.service.consul"


def await_internal(lab: Lab, there: bool) -> None:
    name = host(lab, "nginx")
    count = f"grep -c 'server_name .*{INTERNAL}' {PAAS_CONF} || true"
    lab.wait(
        lambda: (lab.run(name, count).strip() != "0") == there, PLACEHOLDER_SECONDS, f"{INTERNAL}: {there}"
    )


def lose_internal(lab: Lab) -> None:
    """An edit of the template has taken its name from the server through which the services call each other."""
    edit(lab, host(lab, "nginx"), TEMPLATE, f"s/server_name  *{INTERNAL};/server_name internal.bk.local;/")
    await_internal(lab, False)


def bring_internal_back(lab: Lab) -> None:
    restore(lab, host(lab, "nginx"), TEMPLATE)
    await_internal(lab, True)


def _fault(name: str, condition: str, faq: str, en: str, zh: str, break_: Act, heal: Act) -> Fault:
    return Fault(name, condition, faq, en, zh, break_, heal, layout="e")


FAULTS = [
    _fault("consul-stopped", "unit-state", "login-no-response", "consul's agent on a paas host was stopped", "一台 paas 主机上的 consul agent 被停止", stop_consul, start_consul),
    _fault("consul-name-pinned", "consul-names", "login-no-response", "The database has an old address in /etc/hosts of a paas host", "一台 paas 主机的 /etc/hosts 中数据库为旧地址", pin_to("mysql-default", "job"), unpin),
    _fault("consul-iam-pinned", "consul-names", "platform-healthy", "bkiam has an old address in /etc/hosts of a paas host", "一台 paas 主机的 /etc/hosts 中 bkiam 为旧地址", pin_to("bkiam", "cmdb"), unpin),
    _fault("internal-server-lost", "nginx-conf-port80", "login-no-response", "nginx has no server for paas.service.consul", "nginx 中没有 paas.service.consul 的 server", lose_internal, bring_internal_back),
    _fault("consul-silent", "consul-names", "login-no-response", "consul's agent on a paas host hangs", "一台 paas 主机上的 consul agent 卡死", silence_consul, wake_consul),
    _fault("application-without-server", "agent-upstream-map", "appt-502", "An application has an empty list of servers: nginx refuses every reload", "某应用的 server 列表为空：nginx 拒绝任何重载", empty_application, fill_application),
    _fault("login-stopped-everywhere", "unit-state", "login-502", "login is stopped on all hosts: placeholder in nginx", "所有主机上的 login 都已停止：nginx 中为占位地址", stop_login_everywhere, start_login_everywhere),
    _fault("placeholder-left", "unit-state", "login-502", "consul-template ended while login was down", "login 停止期间 consul-template 退出", leave_placeholder, start_login_everywhere),
]  # fmt: skip
