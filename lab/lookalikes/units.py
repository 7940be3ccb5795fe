"""Look-alikes of generation 6.1: other units, timers, checks and counters that are no fault."""

from __future__ import annotations

from lab.control import Lab
from lab.faults.actions import host
from lab.faults.units import LOGIN, await_service, systemctl
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
    lab.run(name, f"kill -9 $(systemctl show -p MainPID --value {LOGIN})")
    counted = f"systemctl show -p NRestarts --value {LOGIN}"
    lab.wait(lambda: lab.run(name, counted).strip() != "0", 30, "login was restarted")
    await_service(lab, name, "login")


def have_reloaded(lab: Lab) -> None:
    """A plain kill reloads uwsgi: the same master, new workers."""
    name = host(lab, "paas")
    lab.run(name, f"kill $(systemctl show -p MainPID --value {LOGIN})")
    await_service(lab, name, "login")


def forget_restarts(lab: Lab) -> None:
    systemctl(lab, host(lab, "paas"), f"restart {LOGIN}")
    await_service(lab, host(lab, "paas"), "login")


LOOKALIKES = [
    Lookalike("unit-of-another-product", "A failed unit of another product", "其他产品的失败单元", fail_another_unit, remove_another_unit, layout="e"),
    Lookalike("timer-disabled", "A disabled timer", "被禁用的定时器", disable_timer, enable_timer, layout="e"),
    Lookalike("check-of-another-service", "A failing check of another service in consul", "consul 中其他服务的失败检查", fail_another_check, remove_another_check, layout="e"),
    Lookalike("unit-restarted-once", "A unit that was restarted once, before the run", "运行之前重启过一次的单元", have_restarted, forget_restarts, layout="e"),
    Lookalike("unit-reloaded", "A uwsgi that was reloaded by TERM", "被 TERM 重载过的 uwsgi", have_reloaded, forget_restarts, layout="e"),
]  # fmt: skip
