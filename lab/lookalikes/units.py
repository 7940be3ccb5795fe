"""Look-alikes of generation 6.1: other units, timers, checks and counters that are no fault."""

from __future__ import annotations

from lab.control import Lab
from lab.faults.actions import host
from lab.faults.units import LOGIN, await_registered, await_service, signal_unit, systemctl
from lab.lookalikes.lookalike import Lookalike

OTHER = "/etc/systemd/system/other-product.service"
CHECK = "/etc/consul.d/service/other-product.json"


def fail_another_unit(lab: Lab) -> None:
    """A unit of another product failed on a paas host."""
    name = host(lab, "paas")
    text = "[Service]\\nExecStart=/bin/false\\n[Install]\\nWantedBy=multi-user.target\\n"
    lab.run(name, f"printf '{text}' > {OTHER}; systemctl daemon-reload")
    systemctl(lab, name, "enable --now other-product")


def remove_another_unit(lab: Lab) -> None:
    name = host(lab, "paas")
    systemctl(lab, name, "disable --now other-product")
    lab.run(name, f"rm -f {OTHER}; systemctl daemon-reload; systemctl reset-failed")


def disable_timer(lab: Lab) -> None:
    systemctl(lab, host(lab, "paas"), "disable --now logrotate.timer")


def enable_timer(lab: Lab) -> None:
    systemctl(lab, host(lab, "paas"), "enable --now logrotate.timer")


def fail_another_check(lab: Lab) -> None:
    """consul has a failing check of another product's service."""
    name = host(lab, "nginx")
    text = '{"service": {"id": "other", "name": "other", "port": 9, "check": {"tcp": "127.0.0.1:9"}}}'
    lab.run(name, f"echo '{text}' > {CHECK}")
    critical = "curl -s -m 5 http://127.0.0.1:8500/v1/health/state/critical | grep -c other || true"
    lab.wait(lambda: lab.run(name, critical).strip() != "0", 20, "the check of the other service fails")


def remove_another_check(lab: Lab) -> None:
    lab.run(host(lab, "nginx"), f"rm -f {CHECK}")


def have_restarted(lab: Lab) -> None:
    """login was killed once and came back: NRestarts stays 1."""
    name = host(lab, "paas")
    signal_unit(lab, name, LOGIN, "KILL")
    counted = f"systemctl show -p NRestarts --value {LOGIN}"
    lab.wait(lambda: lab.run(name, counted).strip() != "0", 30, "login was restarted")
    await_service(lab, name, "login")
    await_registered(lab, name)


def have_reloaded(lab: Lab) -> None:
    """A plain kill reloads uwsgi: the same master, new workers."""
    name = host(lab, "paas")
    signal_unit(lab, name, LOGIN, "TERM")
    await_service(lab, name, "login")
    await_registered(lab, name)


def forget_restarts(lab: Lab) -> None:
    systemctl(lab, host(lab, "paas"), f"restart {LOGIN}")
    await_service(lab, host(lab, "paas"), "login")
    await_registered(lab, host(lab, "paas"))


DROP_IN = "/etc/systemd/system/bk-paas-esb.service.d/limits.conf"
OTHER_UWSGI = "/etc/systemd/system/other-uwsgi.service"
OTHER_INI = "/etc/other-product.ini"


def add_drop_in(lab: Lab) -> None:
    """A site raised a limit of esb with a drop-in, and restarted it."""
    name = host(lab, "paas")
    text = "[Service]\\nTimeoutStopSec=30\\n"
    lab.run(name, f"mkdir -p $(dirname {DROP_IN}); printf '{text}' > {DROP_IN}; systemctl daemon-reload")
    systemctl(lab, name, "restart bk-paas-esb")
    await_service(lab, name, "esb")


def remove_drop_in(lab: Lab) -> None:
    name = host(lab, "paas")
    lab.run(name, f"rm -rf $(dirname {DROP_IN}); systemctl daemon-reload")
    systemctl(lab, name, "restart bk-paas-esb")
    await_service(lab, name, "esb")


def run_another_uwsgi(lab: Lab) -> None:
    """Another product has a uwsgi of its own on a paas host, as root."""
    name = host(lab, "paas")
    ini = "[uwsgi]\\nplugins = http,python3\\nhttp = 127.0.0.1:9980\\nmaster = true\\n"
    unit = f"[Service]\\nExecStart=/usr/bin/uwsgi-core --ini {OTHER_INI}\\nKillSignal=SIGQUIT\\n"
    files = f"printf '{ini}' > {OTHER_INI}; printf '{unit}' > {OTHER_UWSGI}"
    lab.run(name, f"{files}; systemctl daemon-reload; systemctl start other-uwsgi")


def end_another_uwsgi(lab: Lab) -> None:
    name = host(lab, "paas")
    systemctl(lab, name, "stop other-uwsgi")
    lab.run(name, f"rm -f {OTHER_INI} {OTHER_UWSGI}; systemctl daemon-reload; systemctl reset-failed")


def leave_supervisor(lab: Lab) -> None:
    """Files of the supervisor of 5.x were left: its configuration, a stale pid file and a log."""
    home, name = lab.layout.home, host(lab, "paas")
    conf, logs = f"{home}/etc/supervisor-paas_plugins.conf", f"{home}/logs/open_paas"
    text = "[supervisord]\\n[program:log_parser]\\ncommand=/bin/false\\n"
    lab.run(name, f"printf '{text}' > {conf}; echo 4242 > {logs}/supervisord.pid; : > {logs}/supervisord.log")


def remove_supervisor(lab: Lab) -> None:
    home, name = lab.layout.home, host(lab, "paas")
    lab.run(name, f"rm -f {home}/etc/supervisor-paas_plugins.conf {home}/logs/open_paas/supervisord.*")


LOOKALIKES = [
    Lookalike("unit-of-another-product", "A failed unit of another product", "其他产品的失败单元", fail_another_unit, remove_another_unit, layout="e"),
    Lookalike("timer-disabled", "A disabled timer", "被禁用的定时器", disable_timer, enable_timer, layout="e"),
    Lookalike("check-of-another-service", "A failing check of another service in consul", "consul 中其他服务的失败检查", fail_another_check, remove_another_check, layout="e"),
    Lookalike("unit-restarted-once", "A unit that was restarted once, before the run", "运行之前重启过一次的单元", have_restarted, forget_restarts, layout="e"),
    Lookalike("unit-reloaded", "A uwsgi that was reloaded by TERM", "被 TERM 重载过的 uwsgi", have_reloaded, forget_restarts, layout="e"),
    Lookalike("unit-with-drop-in", "A drop-in of the site that is loaded", "已加载的站点 drop-in", add_drop_in, remove_drop_in, layout="e"),
    Lookalike("uwsgi-of-another-product", "A uwsgi of another product under a unit of its own", "其他产品由自己的单元运行的 uwsgi", run_another_uwsgi, end_another_uwsgi, layout="e"),
    Lookalike("supervisor-files-left", "Files of the supervisor of 5.x that nothing uses", "5.x 遗留且无人使用的 supervisor 文件", leave_supervisor, remove_supervisor, layout="e"),
]  # fmt: skip
