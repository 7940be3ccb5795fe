"""The services of generation 6.1 as units of systemd: stopped, looping, disabled, started by hand."""

from __future__ import annotations

import time

from lab.control import Lab
from lab.faults.actions import KEPT, address, await_http, edit, host, keep, restore
from lab.faults.fault import Act, Fault

SECTION = "fatal-exited-too-quickly"
LOGIN = "bk-paas-login"
LOOP_SECONDS = 40
PAAS_CONF = "/usr/local/openresty/nginx/conf/conf.d/paas.conf"
CHECK_SECONDS = 11
REGISTERED_SECONDS = 60
"""How long consul-template may take to write a service that passes its check again into nginx's file."""


def systemctl(lab: Lab, name: str, arguments: str) -> str:
    """Run systemctl on a host; its exit status says nothing that its text does not."""
    return lab.run(name, f"systemctl {arguments} || true", timeout=120)


def main_pid(unit: str) -> str:
    """Return the words of a shell for the pid of a unit's main process."""
    return f"$(systemctl show -p MainPID --value {unit})"


def signal_unit(lab: Lab, name: str, unit: str, signal: str) -> None:
    """Send a signal to the main process of a unit."""
    lab.run(name, f"kill -{signal} {main_pid(unit)}")


def add_drop_in(lab: Lab, name: str, file: str, *lines: str) -> None:
    """Write a drop-in of a service; systemd has read it when this returns."""
    text = "\\n".join(("[Service]", *lines, ""))
    lab.run(name, f"mkdir -p $(dirname {file}); printf '{text}' > {file}; systemctl daemon-reload")


def remove_drop_in(lab: Lab, name: str, file: str) -> None:
    lab.run(name, f"rm -rf $(dirname {file}); systemctl daemon-reload")


def paas(lab: Lab) -> str:
    return host(lab, "paas")


def await_unit(lab: Lab, name: str, unit: str, *states: str) -> None:
    """Wait until a unit is in one of the states, by its words ActiveState/SubState."""

    def reached() -> bool:
        shown = lab.run(name, f"systemctl show -p ActiveState -p SubState {unit}")
        values = dict(line.split("=", 1) for line in shown.split())
        return f"{values['ActiveState']}/{values['SubState']}" in states

    lab.wait(reached, LOOP_SECONDS, f"{unit} is {' or '.join(states)} on {name}")


def await_loop(lab: Lab, name: str, unit: str) -> None:
    """Wait until a unit was restarted automatically at least once, and is to be again."""
    await_unit(lab, name, unit, "activating/auto-restart")
    counted = f"systemctl show -p NRestarts {unit}"
    lab.wait(lambda: lab.run(name, counted).strip() not in ("NRestarts=0", ""), LOOP_SECONDS, f"{unit} loops")


def await_service(lab: Lab, name: str, service: str) -> None:
    await_unit(lab, name, f"bk-paas-{service}", "active/running")
    path = "/v1/ping/" if service == "appengine" else "/ping/"
    await_http(lab, name, f"http://{address(lab, name)}:{lab.layout.ports[service]}{path}", "200")


def await_registered(lab: Lab, name: str, service: str = "login") -> None:
    """Wait until nginx's file has the service of this host."""
    line = f"{lab.layout.host(name).address}:{lab.layout.ports[service]}"
    there = f"! grep -q '{line}' {PAAS_CONF} || echo there"
    nginx = host(lab, "nginx")
    for pause in (CHECK_SECONDS, 0):  # consul checks every 10 s, and may find it down once more
        lab.wait(
            lambda: "there" in lab.run(nginx, there), REGISTERED_SECONDS, f"nginx has {service} of {name}"
        )
        time.sleep(pause)


def start(lab: Lab, name: str, service: str) -> None:
    """Start a service's unit from whatever state it is in."""
    unit = f"bk-paas-{service}"
    systemctl(lab, name, f"reset-failed {unit}")
    systemctl(lab, name, f"restart {unit}")
    await_service(lab, name, service)
    await_registered(lab, name, service)


def stop_unit(role: str, *units: str) -> Act:
    """Return the act of stopping units on the first host of a role."""
    return lambda lab: systemctl(lab, host(lab, role), f"stop {' '.join(units)}")


def start_unit(role: str, *units: str) -> Act:
    return lambda lab: systemctl(lab, host(lab, role), f"start {' '.join(units)}")


def await_name(lab: Lab, name: str, role: str = "paas", *, there: bool = True) -> None:
    """Wait until consul gives a name to the first host of a role, or does not any more."""
    resolver, text = host(lab, role), f"getent hosts {name} >/dev/null && echo there || echo gone"
    expected = "there" if there else "gone"
    lab.wait(
        lambda: expected in lab.run(resolver, text), REGISTERED_SECONDS, f"{name} is {expected} on {resolver}"
    )


def start_gate(lab: Lab) -> None:
    """Start openresty in front; its name resolves again when consul has seen it answer."""
    systemctl(lab, host(lab, "nginx"), "start openresty")
    await_name(lab, "paas.service.consul", "appo")


def heal_login(lab: Lab) -> None:
    start(lab, paas(lab), "login")


def end_by_int(lab: Lab) -> None:
    """An operator ends the master with INT, as under supervisor: systemd does not start it again."""
    signal_unit(lab, paas(lab), LOGIN, "INT")
    await_unit(lab, paas(lab), LOGIN, "inactive/dead")


def settings(lab: Lab, project: str = "login") -> str:
    return f"{lab.layout.home}/open_paas/{project}/conf/settings_production.py"


def break_settings(lab: Lab) -> None:
    edit(lab, paas(lab), settings(lab), "$ a X = (")
    systemctl(lab, paas(lab), f"restart {LOGIN}")
    await_loop(lab, paas(lab), LOGIN)


def repair_settings(lab: Lab) -> None:
    restore(lab, paas(lab), settings(lab))
    heal_login(lab)


def wsgi(lab: Lab) -> str:
    return f"{lab.layout.home}/open_paas/login/wsgi.py"


def break_application(lab: Lab) -> None:
    """A module that the application imports was lost in an upgrade."""
    edit(lab, paas(lab), wsgi(lab), "$ a import bkpaas_gone")
    systemctl(lab, paas(lab), f"restart {LOGIN}")
    await_loop(lab, paas(lab), LOGIN)


def repair_application(lab: Lab) -> None:
    restore(lab, paas(lab), wsgi(lab))
    heal_login(lab)


def ini(lab: Lab, service: str = "login") -> str:
    return f"{lab.layout.home}/etc/uwsgi-open_paas-{service}.ini"


def venv(lab: Lab) -> str:
    return f"{lab.layout.home}/.envs/open_paas-login"


def move_away(path: str) -> str:
    return f"mkdir -p $(dirname {KEPT}{path}) && mv {path} {KEPT}{path}"


def move_back(path: str) -> str:
    return f"[ ! -e {KEPT}{path} ] || mv {KEPT}{path} {path}"


def lose_venv(lab: Lab) -> None:
    lab.run(paas(lab), move_away(venv(lab)))
    systemctl(lab, paas(lab), f"restart {LOGIN}")
    await_loop(lab, paas(lab), LOGIN)


def bring_venv_back(lab: Lab) -> None:
    lab.run(paas(lab), move_back(venv(lab)))
    heal_login(lab)


def lose_ini(lab: Lab) -> None:
    lab.run(paas(lab), move_away(ini(lab)))
    systemctl(lab, paas(lab), f"restart {LOGIN}")
    await_loop(lab, paas(lab), LOGIN)


def bring_ini_back(lab: Lab) -> None:
    lab.run(paas(lab), move_back(ini(lab)))
    heal_login(lab)


def take_port(lab: Lab) -> None:
    name, port = paas(lab), lab.layout.ports["login"]
    systemctl(lab, name, f"stop {LOGIN}")
    command = f"python3 -m http.server {port} --bind {address(lab, name)} --directory /srv"
    lab.run(name, f"systemd-run --quiet --unit=lab-holder {command}")
    await_http(lab, name, f"http://{address(lab, name)}:{port}/")
    systemctl(lab, name, f"start {LOGIN}")
    await_loop(lab, name, LOGIN)


def give_port_back(lab: Lab) -> None:
    systemctl(lab, paas(lab), "stop lab-holder")
    heal_login(lab)


def start_by_hand(lab: Lab) -> None:
    """uwsgi was started as root in a session while the unit was stopped; then the unit was started as well."""
    name = paas(lab)
    systemctl(lab, name, f"stop {LOGIN}")
    lab.run(
        name,
        f"systemd-run --quiet --scope --slice=user.slice --unit=lab-session -- setsid {venv(lab)}/bin/uwsgi --ini {ini(lab)} </dev/null >/dev/null 2>&1 &",
    )
    await_http(lab, name, f"http://{address(lab, name)}:{lab.layout.ports['login']}/ping/", "200")
    systemctl(lab, name, f"start {LOGIN}")
    await_loop(lab, name, LOGIN)


def end_by_hand(lab: Lab) -> None:
    name = paas(lab)
    systemctl(lab, name, "stop lab-session.scope")
    lab.run(name, "pkill -9 -u root -x uwsgi; while pgrep -u root -x uwsgi >/dev/null; do sleep 0.1; done")
    give_logs_back(lab)


def logs(lab: Lab) -> str:
    return f"{lab.layout.home}/logs/open_paas"


def own_log(lab: Lab) -> None:
    """manage.py was run as root, so the log was created again by root."""
    lab.run(paas(lab), f"chown root:root {logs(lab)}/login.log && chmod 644 {logs(lab)}/login.log")
    systemctl(lab, paas(lab), f"restart {LOGIN}")
    await_loop(lab, paas(lab), LOGIN)


def give_logs_back(lab: Lab) -> None:
    lab.run(paas(lab), f"chown blueking:blueking {logs(lab)}/*")
    heal_login(lab)


def hit_the_start_limit(lab: Lab) -> None:
    """The unit was killed and started repeatedly within ten seconds."""
    # between its end and the next start the unit has the main pid 0, which would mean the shell itself
    again = f"p={main_pid(LOGIN)}; [ $p = 0 ] || kill -9 $p; systemctl start {LOGIN}"
    lab.run(paas(lab), f"for i in 1 2 3 4 5 6 7; do {again} || break; done; true", timeout=60)
    await_unit(lab, paas(lab), LOGIN, "failed/failed")


def disable(lab: Lab) -> None:
    systemctl(lab, paas(lab), "disable bk-paas-esb")


def enable(lab: Lab) -> None:
    systemctl(lab, paas(lab), "enable bk-paas-esb")


def mask(lab: Lab) -> None:
    systemctl(lab, paas(lab), "mask bk-paas-esb")


def unmask(lab: Lab) -> None:
    systemctl(lab, paas(lab), "unmask bk-paas-esb")
    systemctl(lab, paas(lab), "daemon-reload")


UNIT_FILE = "/usr/lib/systemd/system/bk-paas-paas.service"


def edit_unit(lab: Lab) -> None:
    edit(lab, paas(lab), UNIT_FILE, "s/^RestartSec=.*/RestartSec=10s/")


def restore_unit(lab: Lab) -> None:
    restore(lab, paas(lab), UNIT_FILE)
    systemctl(lab, paas(lab), "daemon-reload")


def freeze(lab: Lab) -> None:
    """The workers hang: the unit is active, the port accepts, nothing answers."""
    lab.run(paas(lab), f"kill -STOP $(pgrep -P {main_pid(LOGIN)})")


def thaw(lab: Lab) -> None:
    lab.run(paas(lab), f"kill -CONT $(pgrep -P {main_pid(LOGIN)}) || true")
    await_service(lab, paas(lab), "login")


PROXY = "/etc/systemd/system/bk-paas-paas.service.d/proxy.conf"


def add_proxy(lab: Lab) -> None:
    add_drop_in(lab, paas(lab), PROXY, "Environment=http_proxy=http://10.70.0.99:3128")
    start(lab, paas(lab), "paas")


def remove_proxy(lab: Lab) -> None:
    remove_drop_in(lab, paas(lab), PROXY)
    start(lab, paas(lab), "paas")


def lose_settings(lab: Lab) -> None:
    """The installer did not render a file; the running service does not show it."""
    keep(lab, paas(lab), settings(lab, "esb"))
    lab.run(paas(lab), f"rm {settings(lab, 'esb')}")


def bring_settings_back(lab: Lab) -> None:
    restore(lab, paas(lab), settings(lab, "esb"))
    start(lab, paas(lab), "esb")  # the file was put in its place after its process had loaded it


def _fault(name: str, condition: str, en: str, zh: str, break_: Act, heal: Act, faq: str = SECTION) -> Fault:
    return Fault(name, condition, faq, en, zh, break_, heal, layout="e")


FAULTS = [
    _fault("unit-stopped", "unit-state", "login's unit was stopped", "login 的单元被停止", stop_unit("paas", LOGIN), heal_login),
    _fault("unit-ended-by-int", "unit-state", "kill -INT of login's master: dead, with success", "对 login 主进程 kill -INT：dead，且 Result=success", end_by_int, heal_login),
    _fault("unit-settings-syntax", "settings-valid", "A settings file with a syntax error: login loops", "配置文件有语法错误：login 反复重启", break_settings, repair_settings),
    _fault("unit-application-error", "unit-state", "login's application imports a module that is gone", "login 的应用导入了不存在的模块", break_application, repair_application),
    _fault("unit-venv-missing", "unit-state", "The virtual environment of login is gone: 127", "login 的虚拟环境不存在：127", lose_venv, bring_venv_back),
    _fault("unit-ini-missing", "unit-state", "The uwsgi file of login is gone", "login 的 uwsgi 配置文件不存在", lose_ini, bring_ini_back),
    _fault("unit-port-held", "port-owner", "Another program has the port of login", "其他程序占用 login 的端口", take_port, give_port_back),
    _fault("unit-by-hand", "unit-processes", "A uwsgi started by hand as root has the port of login", "以 root 手工启动的 uwsgi 占用 login 的端口", start_by_hand, end_by_hand),
    _fault("unit-log-of-root", "login-log-dir", "login.log belongs to root: the application does not load", "login.log 属于 root：应用无法加载", own_log, give_logs_back),
    _fault("unit-start-limit", "unit-state", "login was started too often: systemd gave up", "login 启动过于频繁：systemd 已放弃", hit_the_start_limit, heal_login),
    _fault("unit-disabled", "unit-definition", "esb's unit runs and is disabled", "esb 的单元在运行但为 disabled", disable, enable),
    _fault("unit-masked", "unit-definition", "esb's unit runs and is masked", "esb 的单元在运行但已被屏蔽", mask, unmask),
    _fault("unit-edited", "unit-definition", "paas's unit file was edited without daemon-reload", "修改 paas 的单元文件后没有 daemon-reload", edit_unit, restore_unit),
    _fault("unit-frozen", "services-answer", "login's workers are frozen under an active unit", "login 的 worker 被冻结，而单元为 active", freeze, thaw),
    _fault("unit-proxy", "http-proxy-env", "A drop-in gives paas a proxy that does not exist", "drop-in 给 paas 设置了不存在的代理", add_proxy, remove_proxy, "login-no-response"),
    _fault("unit-settings-absent", "settings-valid", "esb's settings_production.py is gone, its processes still run", "esb 的 settings_production.py 不存在，其进程仍在运行", lose_settings, bring_settings_back, "password-reset"),
    _fault("openresty-stopped", "unit-state", "openresty in front was stopped", "接入层的 openresty 被停止", stop_unit("nginx", "openresty"), start_gate, "login-502"),
    _fault("openresty-of-appo-stopped", "unit-state", "openresty on appo was stopped", "appo 上的 openresty 被停止", stop_unit("appo", "openresty"), start_unit("appo", "openresty"), "appt-502"),
    _fault("paasagent-stopped", "unit-state", "paas_agent on appt was stopped", "appt 上的 paas_agent 被停止", stop_unit("appt", "bk-paasagent"), start_unit("appt", "bk-paasagent"), "appt-502"),
    _fault("filebeat-stopped", "unit-state", "filebeat on appo was stopped", "appo 上的 filebeat 被停止", stop_unit("appo", "bk-filebeat@django"), start_unit("appo", "bk-filebeat@django"), "no-logs"),
    _fault("logstash-stopped", "unit-state", "logstash on a paas host was stopped", "一台 paas 主机上的 logstash 被停止", stop_unit("paas", "bk-logstash-paas-app-log"), start_unit("paas", "bk-logstash-paas-app-log"), "no-logs"),
    _fault("usermgr-stopped", "unit-state", "usermgr was stopped", "usermgr 被停止", stop_unit("usermgr", "bk-usermgr"), start_unit("usermgr", "bk-usermgr"), "platform-healthy"),
]  # fmt: skip
