"""Faults of generations 6.x around the services: names, registrations, accounts, neighbours, the next start."""

from __future__ import annotations

from lab.control import Lab
from lab.faults.actions import KEPT, address, await_http, edit, host, keep, restore
from lab.faults.agent_rows import change, put_back
from lab.faults.browser_session import try_to_log_in
from lab.faults.consul import fill_application
from lab.faults.containers import await_service as await_contained
from lab.faults.containers import create, create_again, docker
from lab.faults.database_state import sql
from lab.faults.fault import Act, Fault
from lab.faults.log_search import redis_cli
from lab.faults.units import (
    LOGIN,
    PAAS_CONF,
    REGISTERED_SECONDS,
    SECTION,
    add_drop_in,
    await_loop,
    await_name,
    await_registered,
    await_service,
    heal_login,
    ini,
    move_away,
    move_back,
    paas,
    remove_drop_in,
    signal_unit,
    start,
    systemctl,
    venv,
)

ACCOUNT = "esb_app_account"
KEPT_ACCOUNT = "esb_app_account_kept"
RESOLV = "/etc/resolv.conf"
SERVICES = "/etc/consul.d/service"
DROP_IN = "/etc/systemd/system/bk-paas-login.service.d/account.conf"


# what only the next start shows


def lose_venv_of_running(lab: Lab) -> None:
    """A clean-up removed the virtual environment; the service still runs from memory."""
    lab.run(paas(lab), move_away(venv(lab)))


def bring_venv_back(lab: Lab) -> None:
    lab.run(paas(lab), move_back(venv(lab)))


def close_ini(lab: Lab) -> None:
    """The uwsgi file was written again by root with mode 600: the account of the unit cannot read it."""
    lab.run(paas(lab), f"chown root:root {ini(lab, 'esb')} && chmod 600 {ini(lab, 'esb')}")


def open_ini(lab: Lab) -> None:
    lab.run(paas(lab), f"chmod 644 {ini(lab, 'esb')}")


def lose_unit_file(lab: Lab) -> None:
    """The unit file was removed and systemd was reloaded while the service runs."""
    name = paas(lab)
    lab.run(name, move_away("/usr/lib/systemd/system/bk-paas-paas.service") + " && systemctl daemon-reload")


def bring_unit_file_back(lab: Lab) -> None:
    name = paas(lab)
    lab.run(name, move_back("/usr/lib/systemd/system/bk-paas-paas.service"))
    systemctl(lab, name, "daemon-reload")
    await_service(lab, name, "paas")


# a start that fails


def lose_permission(lab: Lab) -> None:
    """uwsgi lost its x bit: the shell of the unit ends with 126."""
    name, program = paas(lab), f"{venv(lab)}/bin/uwsgi"
    lab.run(name, f"{move_away(program)} && cp -L {KEPT}{program} {program} && chmod 644 {program}")
    systemctl(lab, name, f"restart {LOGIN}")
    await_loop(lab, name, LOGIN)


def give_permission(lab: Lab) -> None:
    program = f"{venv(lab)}/bin/uwsgi"
    lab.run(paas(lab), f"[ ! -e {KEPT}{program} ] || {{ rm -f {program}; mv {KEPT}{program} {program}; }}")
    heal_login(lab)


def other_account(lab: Lab) -> None:
    """A drop-in names an account that does not exist on this host: 217/USER."""
    name = paas(lab)
    add_drop_in(lab, name, DROP_IN, "User=bluekings")
    systemctl(lab, name, f"restart {LOGIN}")
    await_loop(lab, name, LOGIN)


def own_account(lab: Lab) -> None:
    remove_drop_in(lab, paas(lab), DROP_IN)
    heal_login(lab)


def start_by_hand_only(lab: Lab) -> None:
    """An operator stopped the unit and started uwsgi in a session, with the account of the service."""
    name = paas(lab)
    systemctl(lab, name, f"stop {LOGIN}")
    lab.run(
        name,
        "systemd-run --quiet --scope --slice=user.slice --unit=lab-session --uid=blueking --"
        f" setsid {venv(lab)}/bin/uwsgi --ini {ini(lab)} </dev/null >/dev/null 2>&1 &",
    )
    await_http(lab, name, f"http://{address(lab, name)}:{lab.layout.ports['login']}/ping/", "200")


def end_session(lab: Lab) -> None:
    name = paas(lab)
    systemctl(lab, name, "kill -s KILL lab-session.scope")
    systemctl(lab, name, "stop lab-session.scope")
    heal_login(lab)


# names and registrations of consul


def other_resolver(lab: Lab) -> None:
    """NetworkManager wrote resolv.conf again: consul's agent is not asked any more."""
    keep(lab, paas(lab), RESOLV)
    lab.run(paas(lab), f"printf 'nameserver {lab.layout.controller}\\n' > {RESOLV}")


def own_resolver(lab: Lab) -> None:
    restore(lab, paas(lab), RESOLV)
    for service in ("login", "paas", "esb", "appengine"):
        start(lab, paas(lab), service)


def lose_registration(lab: Lab) -> None:
    """The definition of login was lost on the second paas host: nginx leaves the host out."""
    name = host(lab, "paas", 1)
    lab.run(name, move_away(f"{SERVICES}/paas-login.json"))
    nginx, line = host(lab, "nginx"), f"{lab.layout.host(name).address}:{lab.layout.ports['login']}"
    gone = f"grep -q '{line}' {PAAS_CONF} || echo gone"
    lab.wait(lambda: "gone" in lab.run(nginx, gone), REGISTERED_SECONDS, "nginx has no login of that host")


def register_again(lab: Lab) -> None:
    name = host(lab, "paas", 1)
    lab.run(name, move_back(f"{SERVICES}/paas-login.json"))
    await_registered(lab, name)


# neighbours that nothing but a login shows


def freeze_usermgr(lab: Lab) -> None:
    """usermgr hangs: its unit is active, and every page of login waits for it."""
    signal_unit(lab, host(lab, "usermgr"), "bk-usermgr", "STOP")


def thaw_usermgr(lab: Lab) -> None:
    signal_unit(lab, host(lab, "usermgr"), "bk-usermgr", "CONT")
    for number in (0, 1):
        for service in ("esb", "login", "paas"):
            start(lab, host(lab, "paas", number), service)


def usermgr_conf(lab: Lab) -> str:
    return f"{lab.layout.home}/etc/usermgr.conf"


def restart_usermgr(lab: Lab) -> None:
    name = host(lab, "usermgr")
    systemctl(lab, name, "restart bk-usermgr")
    await_http(lab, name, f"http://{address(lab, name)}:{lab.layout.ports['usermgr']}/")


def hold_usermgr(lab: Lab) -> None:
    """usermgr waits for the table of its users, and closes the connection after 8 s."""
    edit(lab, host(lab, "usermgr"), usermgr_conf(lab), "/^\\[server\\]/a hold_seconds = 8")
    restart_usermgr(lab)


def release_usermgr(lab: Lab) -> None:
    restore(lab, host(lab, "usermgr"), usermgr_conf(lab))
    restart_usermgr(lab)


def stopped(role: str, name: str) -> tuple[Act, Act]:
    """The unit of a data host is stopped; some seconds later consul does not give its name any more."""

    def break_(lab: Lab) -> None:
        systemctl(lab, host(lab, role), f"stop {role}@default")
        await_name(lab, name, there=False)

    def heal(lab: Lab) -> None:
        systemctl(lab, host(lab, role), f"start {role}@default")
        await_name(lab, name)

    return break_, heal


def change_redis_password(lab: Lab) -> None:
    """The running redis was given another password; its file and all clients have the old one."""
    redis_cli(lab, "config set requirepass Lab-redis-9new")


def restart_redis(lab: Lab) -> None:
    systemctl(lab, host(lab, "redis"), "restart redis@default")
    lab.wait(lambda: "PONG" in redis_cli(lab, "ping"), REGISTERED_SECONDS, "redis accepts its password")
    await_name(lab, "redis.service.consul")


def lose_account(lab: Lab) -> None:
    """The row of bk_paas is gone: ESB refuses every call of login, all healthz are green."""
    sql(lab, f"CREATE TABLE IF NOT EXISTS {KEPT_ACCOUNT} AS SELECT * FROM {ACCOUNT}")
    sql(lab, f"DELETE FROM {ACCOUNT} WHERE app_code = 'bk_paas'")
    for number in (0, 1):
        try_to_log_in(lab, host(lab, "paas", number))


def give_account_back(lab: Lab) -> None:
    if KEPT_ACCOUNT in sql(lab, "SHOW TABLES").split():
        sql(
            lab,
            f"DELETE FROM {ACCOUNT}; INSERT INTO {ACCOUNT} SELECT * FROM {KEPT_ACCOUNT}; DROP TABLE {KEPT_ACCOUNT}",
        )


# nginx


TEMPLATE = "/etc/consul-template/templates/paas.conf"


def spoil_template(lab: Lab) -> None:
    """An edit of the template has an error: nginx refuses the rendered file and goes on with the old one."""
    name = host(lab, "nginx")
    edit(lab, name, TEMPLATE, "0,/client_max_body_size/s/client_max_body_size/client_max_boddy_size/")
    rendered = f"! grep -q client_max_boddy_size {PAAS_CONF} || echo rendered"
    lab.wait(lambda: "rendered" in lab.run(name, rendered), REGISTERED_SECONDS, "paas.conf is rendered")


def repair_template(lab: Lab) -> None:
    restore(lab, host(lab, "nginx"), TEMPLATE)
    fill_application(lab)


def stop_consul_template(lab: Lab) -> None:
    systemctl(lab, host(lab, "nginx"), "stop consul-template")


def start_consul_template(lab: Lab) -> None:
    systemctl(lab, host(lab, "nginx"), "start consul-template")


# settings


def default(lab: Lab, project: str) -> str:
    return f"{lab.layout.home}/open_paas/{project}/conf/default.py"


def edit_default(lab: Lab) -> None:
    """The time-out was raised as the FAQ says, in the file that the next upgrade replaces."""
    for number in (0, 1):
        name = host(lab, "paas", number)
        edit(
            lab,
            name,
            default(lab, "paas"),
            "s/^EVENT_STATE_EXPIRE_SECONDS = .*/EVENT_STATE_EXPIRE_SECONDS = 720/",
        )
        start(lab, name, "paas")


def restore_default(lab: Lab) -> None:
    for number in (0, 1):
        name = host(lab, "paas", number)
        restore(lab, name, default(lab, "paas"))
        start(lab, name, "paas")


def development(lab: Lab) -> None:
    """The uwsgi file of login selects the settings of development."""
    edit(lab, paas(lab), ini(lab), "s/BK_ENV=production/BK_ENV=development/")


def production(lab: Lab) -> None:
    restore(lab, paas(lab), ini(lab))
    heal_login(lab)


# containers


def second_container(lab: Lab) -> None:
    """A copy of login's container from a repair, under another name, has the port; the right one ended."""
    name = paas(lab)
    docker(lab, name, f"kill {LOGIN}")
    line = f"$(grep -- '--name {LOGIN} ' /opt/docker/start.sh | sed 's/--name {LOGIN} /--name {LOGIN}-old /')"
    lab.run(name, f'eval "{line}"', timeout=60)
    await_contained(lab, name, "login")
    docker(lab, name, f"start {LOGIN}")


def remove_second_container(lab: Lab) -> None:
    docker(lab, paas(lab), f"rm -f {LOGIN}-old")
    docker(lab, paas(lab), f"start {LOGIN}")
    await_contained(lab, paas(lab), "login")


def disable_docker(lab: Lab) -> None:
    systemctl(lab, paas(lab), "disable docker")


def enable_docker(lab: Lab) -> None:
    systemctl(lab, paas(lab), "enable docker")


def less_memory_on_one(lab: Lab) -> None:
    """The limit of esb was changed on one host only."""
    name = host(lab, "paas", 1)
    create(lab, name, "esb", "s/--memory [^ ]*/--memory 256m/")
    await_contained(lab, name, "esb")


def same_memory(lab: Lab) -> None:
    create_again(lab, host(lab, "paas", 1), "esb")


def _fault(
    name: str, condition: str, en: str, zh: str, break_: Act, heal: Act, faq: str = SECTION, layout: str = "e"
) -> Fault:
    return Fault(name, condition, faq, en, zh, break_, heal, layout=layout)


FAULTS = [
    _fault("unit-venv-lost", "next-start", "The virtual environment of a running login was removed", "正在运行的 login 的虚拟环境被删除", lose_venv_of_running, bring_venv_back),
    _fault("unit-ini-closed", "next-start", "The account of esb cannot read its uwsgi file any more", "esb 的账号已无权读取其 uwsgi 配置文件", close_ini, open_ini),
    _fault("unit-file-gone", "unit-state", "The unit file of paas was removed while paas runs", "paas 运行时其单元文件被删除", lose_unit_file, bring_unit_file_back),
    _fault("unit-not-executable", "unit-state", "uwsgi of login is not executable: 126", "login 的 uwsgi 不可执行：126", lose_permission, give_permission),
    _fault("unit-account-unknown", "unit-state", "A drop-in gives login an account that does not exist: 217", "drop-in 给 login 指定了不存在的账号：217", other_account, own_account),
    _fault("unit-by-hand-only", "unit-processes", "login runs in a session, its unit is stopped", "login 在会话中运行，其单元已停止", start_by_hand_only, end_session),
    _fault("resolver-not-consul", "consul-names", "A paas host does not ask consul for names", "一台 paas 主机不向 consul 查询域名", other_resolver, own_resolver, "login-no-response"),
    _fault("consul-service-lost", "nginx-upstreams-complete", "login of one host is not registered in consul", "一台主机的 login 没有注册到 consul", lose_registration, register_again, "login-502"),
    _fault("usermgr-frozen", "unit-state", "usermgr hangs under an active unit", "usermgr 卡死，而单元为 active", freeze_usermgr, thaw_usermgr, "platform-healthy"),
    _fault("usermgr-holds", "healthz-esb", "usermgr waits for the table of its users and gives no answer", "usermgr 等待其用户表后没有给出应答", hold_usermgr, release_usermgr, "platform-healthy"),
    _fault("app-account-lost", "esb-token", "ESB does not know the application bk_paas", "ESB 中没有应用 bk_paas 的账号", lose_account, give_account_back, "login-no-response"),
    _fault("rendered-file-broken", "nginx-conf-valid", "nginx refuses paas.conf and goes on with the old one", "nginx 拒绝 paas.conf，继续使用旧配置", spoil_template, repair_template, "login-502"),
    _fault("consul-template-stopped", "unit-state", "consul-template was stopped", "consul-template 被停止", stop_consul_template, start_consul_template, "login-502"),
    _fault("default-py-edited", "settings-lost-at-upgrade", "A time-out was changed in default.py", "在 default.py 中修改了超时", edit_default, restore_default, "deploy-timeout"),
    _fault("unit-env-development", "bk-env-production", "The uwsgi file of login selects development", "login 的 uwsgi 配置选择了 development", development, production, "platform-healthy"),
    _fault("redis-unit-stopped", "consul-names", "redis was stopped: healthz of ESB is not ok", "redis 被停止：ESB 的 healthz 异常", *stopped("redis", "redis.service.consul"), "no-logs"),
    _fault("redis-password-at-runtime", "redis-password", "the running redis was given a password that no file has", "运行中的 redis 被设置了任何文件中都没有的密码", change_redis_password, restart_redis, "no-logs"),
    _fault("mysql-unit-stopped", "consul-names", "MySQL was stopped: paas answers 500 in HTML", "MySQL 被停止：paas 返回 HTML 的 500", *stopped("mysql", "mysql-default.service.consul"), "platform-healthy"),
    _fault("appt-row-inactive", "healthz-appengine", "appt is not active in the database: paas hides it", "appt 在数据库中未激活：paas 不显示", change("is_active = 0"), put_back, "appt-502"),
    _fault("container-copy", "container-processes", "A copy of login's container under another name has the port", "login 容器的副本以其他名称占用端口", second_container, remove_second_container, layout="f"),
    _fault("docker-disabled", "unit-definition", "docker runs and is disabled", "docker 在运行但为 disabled", disable_docker, enable_docker, layout="f"),
    _fault("container-memory-differs", "containers-equal", "esb has another memory limit on one host", "一台主机上 esb 的内存限制不同", less_memory_on_one, same_memory, layout="f"),
]  # fmt: skip
