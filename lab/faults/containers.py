"""The services of generation 6.2 and later as containers: ended, paused, short of memory, unequal, by hand."""

from __future__ import annotations

from lab.control import Lab
from lab.faults.actions import address, await_http, edit, host, restore
from lab.faults.consul import (
    await_placeholder,
    empty_application,
    fill_application,
    silence_consul,
    start_consul,
    stop_consul,
    wake_consul,
)
from lab.faults.fault import Act, Fault
from lab.faults.units import (
    await_registered,
    ini,
    move_away,
    move_back,
    paas,
    settings,
    start_gate,
    start_unit,
    stop_unit,
    systemctl,
    wsgi,
)

SECTION = "fatal-exited-too-quickly"
LOGIN = "bk-paas-login"
STATE_SECONDS = 40
START = "/opt/docker/start.sh"
"""The commands with which the installer has created the containers of a host."""
TOO_SMALL = "10m"
"""Less than the first process needs."""
FOR_ONE_WORKER = "40m"
"""Enough for the first process and one more."""


def docker(lab: Lab, name: str, arguments: str) -> str:
    """Run docker on a host; its exit status says nothing that its text does not."""
    return lab.run(name, f"docker {arguments} || true", timeout=60)


def await_state(lab: Lab, name: str, container: str, *states: str) -> None:
    """Wait until a container is in one of the states, with the exit code of one that has ended: exited 137."""
    shown = "{{.State.Status}} {{.State.ExitCode}}"

    def reached() -> bool:
        words = docker(lab, name, f"inspect -f '{shown}' {container}").split()
        return " ".join(words) in states or words[:1] == [states[0]]

    lab.wait(reached, STATE_SECONDS, f"{container} is {' or '.join(states)} on {name}")


def await_service(lab: Lab, name: str, service: str) -> None:
    path = "/v1/ping/" if service == "appengine" else "/ping/"
    await_http(lab, name, f"http://{address(lab, name)}:{lab.layout.ports[service]}{path}", "200")
    await_registered(lab, name, service)


def start(lab: Lab, name: str, service: str = "login") -> None:
    """Start the container of a service from whatever state it is in."""
    docker(lab, name, f"unpause bk-paas-{service} >/dev/null 2>&1")
    docker(lab, name, f"start bk-paas-{service}")
    await_service(lab, name, service)


def create(lab: Lab, name: str, service: str, sed: str = "") -> None:
    """Create the container of a service again, as the installer does, with its command edited by sed."""
    line = f"$(grep -- '--name bk-paas-{service} ' {START} | sed '{sed}')"
    lab.run(name, f'docker rm -f bk-paas-{service} || true; eval "{line}" || true', timeout=60)


def create_again(lab: Lab, name: str, service: str = "login") -> None:
    """Put back a container that was created with other options."""
    create(lab, name, service)
    await_service(lab, name, service)


def heal_login(lab: Lab) -> None:
    start(lab, paas(lab))


def kill(lab: Lab) -> None:
    docker(lab, paas(lab), f"kill {LOGIN}")
    await_state(lab, paas(lab), LOGIN, "exited 137")


def end_by_int(lab: Lab) -> None:
    """An operator ends the master with INT, as under supervisor: docker does not start it again."""
    lab.run(paas(lab), f"kill -INT $(docker inspect -f '{{{{.State.Pid}}}}' {LOGIN})")
    await_state(lab, paas(lab), LOGIN, "exited 0")


def restart_broken(lab: Lab) -> None:
    """Start login again with what was broken before; it ends with 22."""
    docker(lab, paas(lab), f"kill {LOGIN}")
    await_state(lab, paas(lab), LOGIN, "exited 137")
    docker(lab, paas(lab), f"start {LOGIN}")
    await_state(lab, paas(lab), LOGIN, "exited 22")


def break_settings(lab: Lab) -> None:
    edit(lab, paas(lab), settings(lab), "$ a X = (")
    restart_broken(lab)


def repair_settings(lab: Lab) -> None:
    restore(lab, paas(lab), settings(lab))
    heal_login(lab)


def break_application(lab: Lab) -> None:
    """A module that the application imports was lost in an upgrade."""
    edit(lab, paas(lab), wsgi(lab), "$ a import bkpaas_gone")
    restart_broken(lab)


def repair_application(lab: Lab) -> None:
    restore(lab, paas(lab), wsgi(lab))
    heal_login(lab)


def lose_ini(lab: Lab) -> None:
    """The container was created while its uwsgi file was missing: docker made a directory."""
    lab.run(paas(lab), move_away(ini(lab)))
    create(lab, paas(lab), "login")
    await_state(lab, paas(lab), LOGIN, "exited 1")


def bring_ini_back(lab: Lab) -> None:
    lab.run(paas(lab), f"[ ! -d {ini(lab)} ] || rmdir {ini(lab)}; {move_back(ini(lab))}")
    create_again(lab, paas(lab))


def lose_certificates(lab: Lab) -> None:
    """A directory that the containers use is gone from the host; they still have it."""
    lab.run(paas(lab), f"mv {lab.layout.home}/cert {lab.layout.home}/cert.kept")


def bring_certificates_back(lab: Lab) -> None:
    home = lab.layout.home
    lab.run(paas(lab), f"[ ! -d {home}/cert.kept ] || mv {home}/cert.kept {home}/cert")


def pause(lab: Lab) -> None:
    docker(lab, paas(lab), f"pause {LOGIN}")
    await_state(lab, paas(lab), LOGIN, "paused")


def limit_memory(lab: Lab, limit: str) -> None:
    """resource.tpl has too small a limit for login: its container was created with it on all hosts."""
    for number in (0, 1):
        create(lab, host(lab, "paas", number), "login", f"s/--memory [^ ]*/--memory {limit}/")


def too_little_memory(lab: Lab) -> None:
    limit_memory(lab, TOO_SMALL)
    for number in (0, 1):
        await_state(lab, host(lab, "paas", number), LOGIN, "exited 137")


def memory_for_one_worker(lab: Lab) -> None:
    """The first process has enough memory, its workers are killed: docker does not say so."""
    limit_memory(lab, FOR_ONE_WORKER)
    for number in (0, 1):
        await_deaths(lab, host(lab, "paas", number))


def await_deaths(lab: Lab, name: str) -> None:
    """Wait until some workers of login were killed."""
    deaths = f"grep -c 'killed by signal 9' {lab.layout.home}/logs/open_paas/login_uwsgi.log || true"
    lab.wait(lambda: int(lab.run(name, deaths)) >= 3, STATE_SECONDS, f"workers die on {name}")


def memory_without_unit(lab: Lab) -> None:
    """The limit is 512, which is bytes: docker refuses, and there is no container at all."""
    create(lab, paas(lab), "login", "s/--memory [^ ]*/--memory 512/")


def restore_memory(lab: Lab) -> None:
    for number in (0, 1):
        create_again(lab, host(lab, "paas", number))


def heal_created(lab: Lab) -> None:
    create_again(lab, paas(lab))


def old_image(lab: Lab) -> None:
    """The upgrade has not reached esb on the second host."""
    name = host(lab, "paas", 1)
    create(lab, name, "esb", "s/:2.14.68$/:2.14.60/")
    await_service(lab, name, "esb")


def new_image(lab: Lab) -> None:
    create_again(lab, host(lab, "paas", 1), "esb")


def other_user(lab: Lab) -> None:
    """The container was created with an account that may not write login's log."""
    lab.run(paas(lab), f"chmod 640 {lab.layout.home}/logs/open_paas/login.log")
    create(lab, paas(lab), "login", "s/--network=host/--network=host -u 10000/")
    await_state(lab, paas(lab), LOGIN, "exited 22", "exited 1")


def remove(lab: Lab) -> None:
    docker(lab, paas(lab), "rm -f bk-paas-esb")


def bring_esb_back(lab: Lab) -> None:
    create_again(lab, paas(lab), "esb")


def start_by_hand(lab: Lab) -> None:
    """uwsgi was started by hand while the container was stopped; then the container was started as well."""
    name = paas(lab)
    docker(lab, name, f"kill {LOGIN}")
    await_state(lab, name, LOGIN, "exited 137")
    uwsgi = "/opt/docker/images/open_paas-login/bin/uwsgi"
    lab.run(
        name,
        f"systemd-run --quiet --scope --slice=user.slice --unit=lab-session -- setsid {uwsgi} --ini {ini(lab)} </dev/null >/dev/null 2>&1 &",
    )
    await_service(lab, name, "login")
    docker(lab, name, f"start {LOGIN}")
    await_state(lab, name, LOGIN, "exited 1")


def end_by_hand(lab: Lab) -> None:
    systemctl(lab, paas(lab), "kill -s KILL lab-session.scope")
    systemctl(lab, paas(lab), "stop lab-session.scope")
    heal_login(lab)


def take_port(lab: Lab) -> None:
    name, port = paas(lab), lab.layout.ports["login"]
    docker(lab, name, f"kill {LOGIN}")
    await_state(lab, name, LOGIN, "exited 137")
    command = f"python3 -m http.server {port} --bind {address(lab, name)} --directory /srv"
    lab.run(name, f"systemd-run --quiet --unit=lab-holder {command}")
    await_http(lab, name, f"http://{address(lab, name)}:{port}/")
    docker(lab, name, f"start {LOGIN}")
    await_state(lab, name, LOGIN, "exited 1")


def give_port_back(lab: Lab) -> None:
    systemctl(lab, paas(lab), "stop lab-holder")
    heal_login(lab)


def freeze(lab: Lab) -> None:
    """The workers hang: docker shows the container running, nothing answers."""
    lab.run(paas(lab), f"kill -STOP $(pgrep -P $(docker inspect -f '{{{{.State.Pid}}}}' {LOGIN}))")


def thaw(lab: Lab) -> None:
    lab.run(paas(lab), f"kill -CONT $(pgrep -P $(docker inspect -f '{{{{.State.Pid}}}}' {LOGIN})) || true")
    await_service(lab, paas(lab), "login")


def add_proxy(lab: Lab) -> None:
    """docker has put the proxy of root's settings into the container when it was created."""
    create(lab, paas(lab), "paas", "s#--network=host#--network=host -e http_proxy=http://10.71.0.99:3128#")
    await_service(lab, paas(lab), "paas")


def remove_proxy(lab: Lab) -> None:
    create_again(lab, paas(lab), "paas")


def kill_everywhere(lab: Lab) -> None:
    """login is down on all hosts: consul has no passing instance, and nginx gets a placeholder."""
    for number in (0, 1):
        docker(lab, host(lab, "paas", number), f"kill {LOGIN}")
    await_placeholder(lab, True)


def start_everywhere(lab: Lab) -> None:
    for number in (0, 1):
        start(lab, host(lab, "paas", number))


def kill_usermgr(lab: Lab) -> None:
    docker(lab, host(lab, "usermgr"), "kill bk-usermgr-usermgr")


def start_usermgr(lab: Lab) -> None:
    docker(lab, host(lab, "usermgr"), "start bk-usermgr-usermgr")


UNITS_OF_6_1 = (
    'cd /opt && python3 -c "from lab.generation6 import units; from lab.layout import load;'
    " units.open_paas(load('/opt/lab/layout.json'), '{address}')\" && systemctl daemon-reload"
)
"""Install the units and virtual environments of 6.1 on a host of 6.2."""
SERVICES = ("appengine", "paas", "esb", "login")


def leave_behind(lab: Lab) -> None:
    """The upgrade has not reached the second paas host: it has units, and no container."""
    name = host(lab, "paas", 1)
    lab.run(name, "docker rm -f " + " ".join(f"bk-paas-{service}" for service in SERVICES), timeout=60)
    lab.run(name, UNITS_OF_6_1.format(address=address(lab, name)))
    systemctl(lab, name, "start " + " ".join(f"bk-paas-{service}" for service in SERVICES))
    for service in SERVICES:
        await_service(lab, name, service)


def take_over(lab: Lab) -> None:
    """Complete the upgrade of the second host."""
    name = host(lab, "paas", 1)
    units = " ".join(f"bk-paas-{service}.service" for service in SERVICES)
    systemctl(lab, name, f"disable --now {units} bk-paas.target blueking.target")
    files = f"cd /usr/lib/systemd/system && rm -f {units} bk-paas.target blueking.target"
    lab.run(name, f"({files}); rm -rf {lab.layout.home}/.envs/open_paas-*; systemctl daemon-reload")
    lab.run(name, f"chown -R root:root {lab.layout.home}/logs/open_paas {lab.layout.home}/open_paas")
    for service in SERVICES:
        create_again(lab, name, service)


def leave_unit(lab: Lab) -> None:
    """The upgrade has left the unit of login: after a reboot it had the port before the container."""
    name = paas(lab)
    docker(lab, name, f"kill {LOGIN}")
    await_state(lab, name, LOGIN, "exited 137")
    lab.run(name, UNITS_OF_6_1.format(address=address(lab, name)))
    systemctl(lab, name, "start bk-paas-login")
    await_service(lab, name, "login")
    docker(lab, name, f"start {LOGIN}")
    await_state(lab, name, LOGIN, "exited 1")


def remove_unit(lab: Lab) -> None:
    name = paas(lab)
    units = " ".join(f"bk-paas-{service}.service" for service in SERVICES)
    systemctl(lab, name, f"disable --now {units} bk-paas.target blueking.target")
    files = f"cd /usr/lib/systemd/system && rm -f {units} bk-paas.target blueking.target"
    lab.run(name, f"({files}); rm -rf {lab.layout.home}/.envs/open_paas-*; systemctl daemon-reload")
    lab.run(name, f"chown -R root:root {lab.layout.home}/logs/open_paas {lab.layout.home}/open_paas")
    heal_login(lab)


def _fault(name: str, condition: str, en: str, zh: str, break_: Act, heal: Act, faq: str = SECTION) -> Fault:
    return Fault(name, condition, faq, en, zh, break_, heal, layout="f")


FAULTS = [
    _fault("container-killed", "container-state", "login's container was killed: exited (137)", "login 的容器被杀死：exited (137)", kill, heal_login),
    _fault("container-ended-by-int", "container-state", "kill -INT of login's master: exited (0)", "对 login 主进程 kill -INT：exited (0)", end_by_int, heal_login),
    _fault("container-settings-syntax", "settings-valid", "A settings file with a syntax error: login exits with 22", "配置文件有语法错误：login 以 22 退出", break_settings, repair_settings),
    _fault("container-application-error", "container-state", "login's application imports a module that is gone", "login 的应用导入了不存在的模块", break_application, repair_application),
    _fault("container-ini-directory", "container-definition", "login's uwsgi file was missing: docker made a directory", "login 的 uwsgi 配置文件缺失：docker 创建了目录", lose_ini, bring_ini_back),
    _fault("container-source-gone", "container-definition", "A directory that containers use is gone from the host", "容器使用的目录已从宿主机消失", lose_certificates, bring_certificates_back),
    _fault("container-paused", "container-state", "login's container is paused", "login 的容器被暂停", pause, heal_login),
    _fault("container-out-of-memory", "container-state", "login's limit is too small for its master: OOMKilled", "login 的内存限制不足以运行主进程：OOMKilled", too_little_memory, restore_memory),
    _fault("container-workers-killed", "container-memory", "login's limit is too small for its workers: docker shows it running", "login 的内存限制不足以运行 worker：docker 显示正在运行", memory_for_one_worker, restore_memory),
    _fault("container-memory-without-unit", "container-state", "The limit 512 without a unit is bytes: no container", "内存限制 512 没有单位，即字节：没有容器", memory_without_unit, heal_created),
    _fault("container-old-image", "containers-equal", "esb has the image before the upgrade on one host", "一台主机上 esb 仍是升级前的镜像", old_image, new_image),
    _fault("container-other-user", "containers-equal", "login's container runs as an account that may not write its log", "login 的容器以无权写日志的账号运行", other_user, heal_created),
    _fault("container-removed", "container-state", "esb's container was removed", "esb 的容器被删除", remove, bring_esb_back),
    _fault("container-by-hand", "container-processes", "A uwsgi started by hand has the port of login", "手工启动的 uwsgi 占用 login 的端口", start_by_hand, end_by_hand),
    _fault("container-port-held", "port-owner", "Another program has the port of login", "其他程序占用 login 的端口", take_port, give_port_back),
    _fault("container-frozen", "services-answer", "login's workers are frozen in a running container", "login 的 worker 被冻结，而容器为 running", freeze, thaw),
    _fault("container-proxy", "http-proxy-env", "paas's container was created with a proxy that does not exist", "paas 的容器创建时带有不存在的代理", add_proxy, remove_proxy, "login-no-response"),
    _fault("container-usermgr-killed", "container-state", "usermgr's container was killed", "usermgr 的容器被杀死", kill_usermgr, start_usermgr, "platform-healthy"),
    _fault("docker-stopped", "unit-state", "The docker daemon was stopped: the containers go on", "docker 守护进程被停止：容器仍在运行", stop_unit("paas", "docker"), start_unit("paas", "docker")),
    _fault("docker-login-killed-everywhere", "container-state", "login was killed on all hosts: placeholder in nginx", "所有主机上的 login 都被杀死：nginx 中为占位地址", kill_everywhere, start_everywhere, "login-502"),
    _fault("docker-openresty-stopped", "unit-state", "openresty in front was stopped, before services in containers", "接入层的 openresty 被停止（服务在容器中）", stop_unit("nginx", "openresty"), start_gate, "login-502"),
    _fault("docker-consul-stopped", "unit-state", "consul's agent was stopped on a host with containers", "运行容器的主机上 consul agent 被停止", stop_consul, start_consul, "login-no-response"),
    _fault("docker-consul-silent", "consul-names", "consul's agent hangs on a host with containers", "运行容器的主机上 consul agent 卡死", silence_consul, wake_consul, "login-no-response"),
    _fault("docker-application-without-server", "agent-upstream-map", "An application has an empty list of servers, before services in containers", "某应用的 server 列表为空（服务在容器中）", empty_application, fill_application, "appt-502"),
    _fault("upgrade-left-a-host", "generation-mixed", "The upgrade to containers has not reached one paas host", "升级到容器时遗漏了一台 paas 主机", leave_behind, take_over),
    _fault("upgrade-left-a-unit", "generation-mixed", "The upgrade to containers has left the unit of login", "升级到容器后遗留了 login 的单元", leave_unit, remove_unit),
]  # fmt: skip
