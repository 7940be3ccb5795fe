"""How long a deployment of a SaaS may take, on the paas hosts and on the agents."""

from __future__ import annotations

from lab.control import Lab
from lab.faults.actions import address, await_http, edit, host, restart, restore, supervisorctl
from lab.faults.fault import Act, Fault

SECTION = "deploy-timeout"
EVENT = "EVENT_STATE_EXPIRE_SECONDS"


def agent_limit(value: str, before: str = "") -> tuple[Act, Act]:
    """Another EXECUTE_TIME_LIMIT on the appt host, and its agent restarted to know it."""

    def break_(lab: Lab) -> None:
        sed = f"s/^\\(  EXECUTE_TIME_LIMIT:\\) [^ ]*/{before}\\1 {value}/"
        edit(lab, host(lab, "appt"), agent_file(lab), sed)
        restart_agent(lab)

    def heal(lab: Lab) -> None:
        restore(lab, host(lab, "appt"), agent_file(lab))
        restart_agent(lab)

    return break_, heal


def agent_file(lab: Lab) -> str:
    return f"{lab.layout.home}/etc/paas_agent_config.yaml"


def restart_agent(lab: Lab) -> None:
    name = host(lab, "appt")
    supervisorctl(lab, name, "restart paas_agent", module="paas_agent")
    await_http(lab, name, f"http://{address(lab, name)}:{lab.layout.ports['agent']}/healthz", "200")


def paas_limit(sed: str, *numbers: int, restarted: bool = True) -> tuple[Act, Act]:
    """Other limits on the paas hosts with those numbers, known to the running paas or not."""

    def break_(lab: Lab) -> None:
        for number in numbers:
            edit(lab, host(lab, "paas", number), paas_file(lab), sed)
            if restarted:
                restart(lab, host(lab, "paas", number), "paas")

    def heal(lab: Lab) -> None:
        for number in numbers:
            restore(lab, host(lab, "paas", number), paas_file(lab))
            restart(lab, host(lab, "paas", number), "paas")

    return break_, heal


def paas_file(lab: Lab) -> str:
    return f"{lab.layout.home}/open_paas/paas/conf/default.py"


def agents_disagree(lab: Lab) -> None:
    """Each of the two app hosts has another limit, and neither the shipped one."""
    agent_limit("240")[0](lab)
    edit(lab, host(lab, "appo"), agent_file(lab), "s/^\\(  EXECUTE_TIME_LIMIT:\\) [^ ]*/\\1 200/")
    supervisorctl(lab, host(lab, "appo"), "restart paas_agent", module="paas_agent")


def agents_agree(lab: Lab) -> None:
    agent_limit("240")[1](lab)
    restore(lab, host(lab, "appo"), agent_file(lab))
    supervisorctl(lab, host(lab, "appo"), "restart paas_agent", module="paas_agent")


def edit_agent_later(lab: Lab) -> None:
    edit(lab, host(lab, "appt"), agent_file(lab), "s/USE_PYPI: 'true'/USE_PYPI: 'false'/")


FAULTS = (
    Fault(
        "deploy-limits-reversed",
        "deploy-timeout-order",
        SECTION,
        "an agent may take longer for a deployment than PaaS waits for it",
        "agent 的部署超时大于 PaaS 的部署超时",
        *agent_limit("400"),
    ),
    Fault(
        "deploy-limit-unparsable",
        "deploy-timeout-parse",
        SECTION,
        "EXECUTE_TIME_LIMIT has a unit, which the agent reads as 0",
        "EXECUTE_TIME_LIMIT 带了单位，被 agent 当作 0",
        *agent_limit("300s"),
    ),
    Fault(
        "deploy-limits-differ",
        "deploy-timeout-consistent",
        SECTION,
        f"{EVENT} differs between the paas hosts",
        f"两台 paas 的 {EVENT} 不一致",
        *paas_limit(f"s/^{EVENT} = .*/{EVENT} = 600/", 1),
    ),
    Fault(
        "deploy-limit-low",
        "deploy-timeout-order",
        SECTION,
        f"{EVENT} was lowered on the second paas host, below what the agents let a deployment run",
        f"第二台 paas 的 {EVENT} 被调小，低于 agent 允许部署运行的时间",
        *paas_limit(f"s/^{EVENT} = .*/{EVENT} = 120/", 1),
    ),
    Fault(
        "deploy-limit-stale",
        "deploy-timeout-stale",
        SECTION,
        f"{EVENT} was raised on both paas hosts, paas was not restarted",
        f"两台 paas 的 {EVENT} 已调大，但没有重启 paas",
        *paas_limit(f"s/^{EVENT} = .*/{EVENT} = 600/", 0, 1, restarted=False),
    ),
    Fault(
        "deploy-history-shorter",
        "history-ge-event",
        SECTION,
        f"{EVENT} is larger than HISTORY_{EVENT}",
        f"{EVENT} 大于 HISTORY_{EVENT}",
        *paas_limit(f"s/^{EVENT} = .*/{EVENT} = 1000/", 0, 1),
    ),
    Fault(
        "deploy-agents-differ",
        "deploy-timeout-agents-equal",
        SECTION,
        "the agent on the appt host ends deployments earlier than the other",
        "appt 上 agent 的部署超时与其他 agent 不同",
        *agent_limit("240"),
    ),
    Fault(
        "deploy-limit-repeated",
        "deploy-timeout-agents-equal",
        SECTION,
        "EXECUTE_TIME_LIMIT stands twice in the agent's file on the appt host, with different values",
        "appt 上 agent 的配置文件中 EXECUTE_TIME_LIMIT 出现两次且值不同",
        *agent_limit("240", "  EXECUTE_TIME_LIMIT: 300\\n"),
    ),
    Fault(
        "deploy-limits-undecided",
        "deploy-timeout-agents-equal",
        SECTION,
        "the two app hosts have different limits, and neither the shipped one",
        "两台 app 主机的部署超时不同，且都不是默认值",
        agents_disagree,
        agents_agree,
    ),
    Fault(
        "deploy-limit-missing",
        "deploy-timeout-parse",
        SECTION,
        "EXECUTE_TIME_LIMIT is commented out, which the agent reads as 0",
        "EXECUTE_TIME_LIMIT 被注释，agent 按 0 处理",
        *agent_limit("", "#"),
    ),
    Fault(
        "deploy-limits-the-same",
        "deploy-timeout-order",
        SECTION,
        "PaaS waits for a deployment exactly as long as the agents let it run",
        "PaaS 的部署超时与 agent 相同",
        *paas_limit(f"s/^{EVENT} = .*/{EVENT} = 300/", 0, 1),
    ),
    Fault(
        "agent-file-stale",
        "deploy-timeout-stale",
        SECTION,
        "the agent's file on the appt host was edited, the agent not restarted",
        "appt 上 agent 的配置已修改，但没有重启",
        edit_agent_later,
        lambda lab: restore(lab, host(lab, "appt"), agent_file(lab)),
    ),
)
