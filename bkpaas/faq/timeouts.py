"""FAQ: the time-outs of a SaaS deployment: the agent's must end before the platform's."""

from __future__ import annotations

from bkpaas.faq.appt_502 import NO_AGENT
from bkpaas.faq.model import (
    Command,
    Condition,
    Each,
    Links,
    Pairs,
    Point,
    Symptom,
    Text,
    by_hand,
    repair,
    same_host,
    target,
)
from bkpaas.faq.tokens import ONE_PAAS

SYMPTOM = Symptom(
    key="deploy-timeout",
    title=Text(en="The time-outs of a SaaS deployment", zh="SaaS部署的超时时间可以自行配置"),
    introduction=Text(
        en='A deployment in the developer center fails after some minutes, or stays at "deploying". Two '
        "time-outs decide: paas_agent's, then the platform's.",
        zh="开发者中心的部署几分钟后失败，或一直“正在部署”。由两个超时时间决定：先是 paas_agent，然后是平台。",
    ),
    conditions=(
        "deploy-timeout-parse",
        "deploy-timeout-order",
        "deploy-timeout-consistent",
        "deploy-timeout-agents-equal",
        "deploy-timeout-stale",
        "history-ge-event",
    ),
    points=(
        Point(
            says=Text(
                en="A deployment that takes longer than its time-out is set to failed.",
                zh="部署超过超时时间后，任务被设置为失败。",
            ),
            conditions=("deploy-timeout-order", "deploy-timeout-parse"),
            answer=Text(
                en="The two limits are judged, not the deployments: the states of tasks are rows of the database, which the "
                "suite does not log in to. Look for one that hangs in the developer center.",
                zh="这里判定的是两个时限，而不是部署任务：任务状态在数据库中，套件不登录数据库。卡住的任务请在开发者中心查看。",
            ),
        ),
        Point(
            says=Text(
                en="paas_agent ends a deployment after 300 s, as shipped.",
                zh="PaaSAgent 默认超时 300s。",
            ),
            conditions=("deploy-timeout-parse", "deploy-timeout-agents-equal"),
            answer=Text(
                en="Any number above 0 is well. The FAQ's 300s must be written 300: with the unit it is "
                "read as 0, and every deployment ends at once.",
                zh="大于 0 的数字都可以。FAQ 中的 300s 要写成 300：带单位会被读作 0，所有部署立即超时。",
            ),
        ),
        Point(
            says=Text(
                en="PaaS ends it after 360 s, as shipped; this must be more than paas_agent's.",
                zh="PaaS 默认超时 360s，一定要大于 PaaSAgent 的超时时间。",
            ),
            conditions=("deploy-timeout-order", "deploy-timeout-consistent"),
        ),
        Point(
            says=Text(
                en='So that a deployment does not hang at "deploying" when paas_agent is cut off.',
                zh="确保网络超时或 PaaSAgent 失联时，任务不会卡在“正在部署”。",
            ),
            conditions=("agent-from-paas", "agent-process"),
        ),
        Point(
            says=Text(
                en="Change paas_agent's: EXECUTE_TIME_LIMIT in paas_agent_config.yaml on APPO and APPT, "
                "then restart.",
                zh="变更 PaaSAgent：在 APPO/APPT 上修改 paas_agent_config.yaml 的 EXECUTE_TIME_LIMIT，然后"
                "重启。",
            ),
            conditions=("deploy-timeout-parse", "deploy-timeout-stale"),
            answer=Text(en="The key stands under `settings`.", zh="该字段位于 `settings` 之下。"),
        ),
        Point(
            says=Text(
                en="Change PaaS's: EVENT_STATE_EXPIRE_SECONDS in paas/conf/default.py, then restart.",
                zh="变更 PaaS：修改 paas/conf/default.py 的 EVENT_STATE_EXPIRE_SECONDS，然后重启。",
            ),
            conditions=("deploy-timeout-order", "deploy-timeout-stale", "history-ge-event"),
            answer=Text(
                en="A value in settings_production.py overrides it. login/conf/default.py has a setting of "
                "the same name (180) that nothing uses.",
                zh="settings_production.py 中的值会覆盖它。login/conf/default.py 中有同名配置（180），但没"
                "有作用。",
            ),
        ),
    ),
)

_CONF = "{home}/open_paas/paas/conf"
_OVERRIDES = Text(en="the second file overrides the first", zh="后一个文件覆盖前一个")
_EDIT = by_hand(en="edit the value now", zh="此时修改该值")
_EDIT_PAAS: tuple[Command, ...] = (
    (f"grep -nw EVENT_STATE_EXPIRE_SECONDS {_CONF}/default.py {_CONF}/settings_production.py", _OVERRIDES),
    _EDIT,
    "{supervisorctl} restart paas",
)
_EDIT_AGENT: tuple[Command, ...] = (
    "grep -n EXECUTE_TIME_LIMIT {home}/etc/paas_agent_config.yaml",
    _EDIT,
    "{agent_supervisorctl} restart paas_agent",
)

CONDITIONS = (
    Condition(
        id="deploy-timeout-parse",
        scopes=(Each(("appo", "appt")),),
        nobody=NO_AGENT,
        title=Text(
            en="EXECUTE_TIME_LIMIT of paas_agent is a number of seconds",
            zh="paas_agent 的 EXECUTE_TIME_LIMIT 是秒数",
        ),
        reads=Text(
            en="`settings.EXECUTE_TIME_LIMIT` of paas_agent_config.yaml, as paas_agent reads it.",
            zh="paas_agent_config.yaml 中的 `settings.EXECUTE_TIME_LIMIT`，按 paas_agent 的读法。",
        ),
        fails=Text(
            en="It comes out as 0: missing, under another key, no number, or with a unit such as 300s. A "
            "comment behind and quotes are fine.",
            zh="读出来是 0：缺失、不在 settings 下、不是数字，或带单位（如 300s）。行尾注释和引号没有影响。",
        ),
        means=Text(
            en="Every deployment on this host ends as timed out the moment it begins.",
            zh="该主机上的部署一开始就超时。",
        ),
        remedy=repair(
            Text(
                en="paas_agent reads what is missing, or written like 300s, as 0: every deployment then "
                "ends at once. Write a plain number under settings, then restart paas_agent while "
                "nothing is being deployed.",
                zh="缺失或写成 300s 时 paas_agent 按 0 处理：所有部署立即超时。在 settings 下写纯数字，并在"
                "没有部署任务时重启 paas_agent。",
            ),
            *_EDIT_AGENT,
        ),
    ),
    Condition(
        id="deploy-timeout-order",
        scopes=(Links(("paas",), ("appo", "appt"), both=True),),
        nobody=NO_AGENT,
        title=Text(
            en="PaaS waits longer for a deployment than paas_agent lets it run",
            zh="PaaS 的部署超时时间大于 paas_agent 的超时时间",
        ),
        reads=Text(
            en="EVENT_STATE_EXPIRE_SECONDS of paas as it takes effect (`paas/conf/default.py`, then "
            "settings_production.py); EXECUTE_TIME_LIMIT of the app host.",
            zh="paas 最终生效的 EVENT_STATE_EXPIRE_SECONDS（先 `paas/conf/default.py`，后 "
            "settings_production.py）；app 主机的 EXECUTE_TIME_LIMIT。",
        ),
        fails=Text(
            en="EXECUTE_TIME_LIMIT is not less than EVENT_STATE_EXPIRE_SECONDS. Equal is too much.",
            zh="EXECUTE_TIME_LIMIT 不小于 EVENT_STATE_EXPIRE_SECONDS；相等也算。",
        ),
        means=Text(
            en="The platform gives a deployment up while paas_agent still works at it: shown as failed, "
            "yet it may come to be deployed.",
            zh="平台已放弃而 paas_agent 仍在部署：界面显示失败，实际却可能部署完成。",
        ),
        remedy=repair(
            Text(
                en="Set EVENT_STATE_EXPIRE_SECONDS in paas/conf/default.py (login has a decoy of the same "
                "name) above EXECUTE_TIME_LIMIT of every paas_agent, by 60 s at least, and restart paas.",
                zh="将 paas/conf/default.py 中的 EVENT_STATE_EXPIRE_SECONDS（login 中同名的值无效）设为比所"
                "有 paas_agent 的 EXECUTE_TIME_LIMIT 至少大 60 秒，并重启 paas。",
            ),
            *_EDIT_PAAS,
        ),
        causes=target("deploy-timeout-parse"),
    ),
    Condition(
        id="deploy-timeout-consistent",
        scopes=(Pairs("paas"),),
        nobody=ONE_PAAS,
        title=Text(
            en="EVENT_STATE_EXPIRE_SECONDS is the same on all paas hosts",
            zh="各 paas 主机的 EVENT_STATE_EXPIRE_SECONDS 相同",
        ),
        reads=Text(
            en="EVENT_STATE_EXPIRE_SECONDS of paas on both paas hosts.",
            zh="两台 paas 主机上 paas 的 EVENT_STATE_EXPIRE_SECONDS。",
        ),
        fails=Text(en="The values differ.", zh="两者不同。"),
        means=Text(
            en="How long a deployment may take depends on which host happens to handle it.",
            zh="部署能用多长时间取决于碰巧由哪台主机处理。",
        ),
        remedy=repair(
            Text(
                en="Make it equal and restart paas on the host that was changed.",
                zh="改为一致，并在修改过的主机上重启 paas。",
            ),
            *_EDIT_PAAS,
        ),
        causes=same_host("deploy-timeout-order"),
    ),
    Condition(
        id="deploy-timeout-agents-equal",
        scopes=(Each(("appo", "appt")),),
        nobody=NO_AGENT,
        severity="warn",
        title=Text(
            en="EXECUTE_TIME_LIMIT is the same on all app hosts",
            zh="各 app 主机的 EXECUTE_TIME_LIMIT 相同",
        ),
        reads=Text(en="EXECUTE_TIME_LIMIT of all app hosts.", zh="所有 app 主机的 EXECUTE_TIME_LIMIT。"),
        fails=Text(
            en="It is not what most app hosts have; with equal counts 300, as shipped, is taken for right.",
            zh="与多数 app 主机不同；数量相等时以出厂的 300 为准。",
        ),
        means=Text(
            en="The same SaaS deploys in test and times out in production, or the other way round.",
            zh="同一 SaaS 在测试环境能部署，在正式环境却超时，或相反。",
        ),
        remedy=repair(
            Text(
                en="Make it equal and restart paas_agent on the host that was changed, while nothing is "
                "being deployed.",
                zh="改为一致，并在没有部署任务时重启修改过的主机上的 paas_agent。",
            ),
            *_EDIT_AGENT,
        ),
        causes=same_host("deploy-timeout-parse", "deploy-timeout-order"),
    ),
    Condition(
        id="deploy-timeout-stale",
        scopes=(Each(("paas", "appo", "appt")),),
        severity="warn",
        title=Text(
            en="The processes have read the time-outs that stand in their files",
            zh="进程已加载配置文件中当前的超时时间",
        ),
        reads=Text(
            en="The time of change of the settings of paas and of paas_agent_config.yaml; the start of the "
            "processes that read them.",
            zh="paas 配置和 paas_agent_config.yaml 的修改时间；读取它们的进程的启动时间。",
        ),
        fails=Text(
            en="A file is younger than the process, by more than the clock's own error and 1 s.",
            zh="文件比进程新，且超出时钟误差加 1 秒。",
        ),
        means=Text(
            en="What the file says is not what holds: the change was made without a restart.",
            zh="文件中的值尚未生效：修改后没有重启。",
        ),
        remedy=repair(
            Text(
                en="The file was changed after the process started, and is read at the start only. Restart "
                "it, while nothing is being deployed.",
                zh="文件在进程启动之后被修改，而配置只在启动时读取。请在没有部署任务时重启。",
            ),
            ("{supervisorctl} restart paas", Text(en="on a paas host", zh="paas 主机")),
            ("{agent_supervisorctl} restart paas_agent", Text(en="on an app host", zh="app 主机")),
        ),
        causes=same_host("supervisor-proc", "supervisor-status", "agent-process"),
    ),
    Condition(
        id="history-ge-event",
        scopes=(Each(("paas",)),),
        severity="warn",
        title=Text(
            en="HISTORY_EVENT_STATE_EXPIRE_SECONDS is not shorter than EVENT_STATE_EXPIRE_SECONDS",
            zh="HISTORY_EVENT_STATE_EXPIRE_SECONDS 不小于 EVENT_STATE_EXPIRE_SECONDS",
        ),
        reads=Text(
            en="HISTORY_EVENT_STATE_EXPIRE_SECONDS and EVENT_STATE_EXPIRE_SECONDS of paas, as they take "
            "effect.",
            zh="paas 最终生效的 HISTORY_EVENT_STATE_EXPIRE_SECONDS 和 EVENT_STATE_EXPIRE_SECONDS。",
        ),
        fails=Text(en="HISTORY is less than EVENT.", zh="HISTORY 小于 EVENT。"),
        means=Text(
            en="The sweep of old tasks ends a deployment before its own time-out does.",
            zh="旧任务清理会在部署自身超时之前就把它置为失败。",
        ),
        remedy=repair(
            Text(
                en="Raise HISTORY_EVENT_STATE_EXPIRE_SECONDS too, else the sweep of old tasks ends deployments first.",
                zh="同时调大 HISTORY_EVENT_STATE_EXPIRE_SECONDS，否则旧任务清理会先结束部署。",
            ),
            (
                f"grep -nwE '(HISTORY_)?EVENT_STATE_EXPIRE_SECONDS' {_CONF}/default.py {_CONF}/settings_production.py",
                _OVERRIDES,
            ),
            _EDIT,
            "{supervisorctl} restart paas",
        ),
    ),
)
