"""FAQ: starting PaaS ends in "FATAL Exited too quickly"."""

from __future__ import annotations

from bkpaas.faq.model import Condition, Each, Symptom, Text, same_host

SYMPTOM = Symptom(
    key="fatal-exited-too-quickly",
    title=Text(en='Starting PaaS: "FATAL Exited too quickly"', zh="PaaS启动提示FATAL Exited too quickly"),
    conditions=(
        "supervisor-proc",
        "supervisor-sock",
        "uwsgi-single-master",
        "uwsgi-orphans",
        "port-owner",
        "supervisor-status",
        "rabbit-orphan",
    ),
)

_CLEAN_START = Text(
    en="The processes that serve are not the ones supervisor knows of. End them all, then start afresh (users are cut off "
    "for some seconds).\n"
    "$ {supervisorctl} shutdown\n"
    "$ ps -eo pid,ppid,lstart,args | grep '[u]wsgi-open_paas\\|[s]upervisor-open_paas'    # look first\n"
    "$ kill -9 {pids}\n"
    "$ {supervisord}",
    zh="正在服务的进程不在 supervisor 的管理之下。结束全部进程后重新启动（期间用户会中断几秒）。\n"
    "$ {supervisorctl} shutdown\n"
    "$ ps -eo pid,ppid,lstart,args | grep '[u]wsgi-open_paas\\|[s]upervisor-open_paas'    # 先确认\n"
    "$ kill -9 {pids}\n"
    "$ {supervisord}",
)

CONDITIONS = (
    Condition(
        id="supervisor-proc",
        scopes=(Each(("paas",)),),
        generations=("5.x",),
        title=Text(
            en="Exactly one supervisord runs open_paas, and its pid file names it",
            zh="open_paas 有且仅有一个 supervisord，且 pid 文件与之相符",
        ),
        remedy=_CLEAN_START,
        causes=same_host("disk-space"),
    ),
    Condition(
        id="supervisor-sock",
        scopes=(Each(("paas",)),),
        generations=("5.x",),
        title=Text(
            en="supervisor.sock is a socket that only its owner may use, and the living supervisord listens on it",
            zh="supervisor.sock 是仅属主可用的套接字，且由存活的 supervisord 监听",
        ),
        remedy=Text(
            en="Only its mode is wrong: set it. It is gone or stale: the supervisord that made it can no longer be spoken "
            "to, so end it (it ends its programs), then start afresh; a second start beside it ends in FATAL.\n"
            "$ chmod 0700 {sock}    # only when the mode is what is wrong\n"
            "$ kill -TERM $(pgrep -f '[s]upervisord -c {conf}')    # then wait until no uwsgi-open_paas is left\n"
            "$ {supervisord}",
            zh="如果只是权限不对：改回即可。如果套接字丢失或失效：原 supervisord 已无法通信，先结束它（会结束其管理的程序），"
            "再重新启动；直接再启动一个会导致 FATAL。\n"
            "$ chmod 0700 {sock}    # 仅当权限不对时\n"
            "$ kill -TERM $(pgrep -f '[s]upervisord -c {conf}')    # 然后等到没有 uwsgi-open_paas 进程\n"
            "$ {supervisord}",
        ),
        causes=same_host("supervisor-proc", "disk-space"),
    ),
    Condition(
        id="uwsgi-single-master",
        scopes=(Each(("paas",)),),
        generations=("5.x",),
        title=Text(
            en="Each open_paas service has one uwsgi master, not two",
            zh="每个 open_paas 服务只有一个 uwsgi 主进程",
        ),
        remedy=_CLEAN_START,
        causes=same_host("supervisor-proc"),
    ),
    Condition(
        id="uwsgi-orphans",
        scopes=(Each(("paas",)),),
        generations=("5.x",),
        title=Text(
            en="Every open_paas uwsgi belongs to supervisord; none was left behind by one that died",
            zh="open_paas 的 uwsgi 都属于 supervisord，没有遗留的孤儿进程",
        ),
        remedy=_CLEAN_START,
        causes=same_host("supervisor-proc", "uwsgi-single-master"),
    ),
    Condition(
        id="port-owner",
        scopes=(Each(("paas",)),),
        title=Text(
            en="The ports of the open_paas services are held by these services and by nobody else",
            zh="open_paas 各服务的端口由对应服务持有，没有被占用",
        ),
        remedy=Text(
            en="Another program holds the port, so the service cannot start. Stop that program (or move it), then start "
            "the service.\n$ ss -lntp | grep ':{ports} '\n$ {supervisorctl} start {service}",
            zh="端口被其他程序占用，服务无法启动。停止（或迁移）该程序，再启动服务。\n"
            "$ ss -lntp | grep ':{ports} '\n$ {supervisorctl} start {service}",
        ),
    ),
    Condition(
        id="supervisor-status",
        scopes=(Each(("paas",)),),
        generations=("5.x",),
        title=Text(
            en="All programs of open_paas are RUNNING, and stay so",
            zh="open_paas 的所有程序都是 RUNNING，且保持稳定",
        ),
        remedy=Text(
            en="Read why it ended, mend that, then start it.\n"
            "$ tail -n 50 {home}/logs/open_paas/{service}_uwsgi.log\n"
            "$ {supervisorctl} start {service}\n$ {supervisorctl} status",
            zh="先看它为何退出，修复后再启动。\n"
            "$ tail -n 50 {home}/logs/open_paas/{service}_uwsgi.log\n"
            "$ {supervisorctl} start {service}\n$ {supervisorctl} status",
        ),
        causes=same_host(
            "disk-space",
            "supervisor-proc",
            "supervisor-sock",
            "uwsgi-single-master",
            "uwsgi-orphans",
            "port-owner",
            "bk-env-production",
        ),
    ),
    Condition(
        id="rabbit-orphan",
        scopes=(Each(("rabbitmq",)),),
        title=Text(
            en="RabbitMQ runs once and serves; no beam process was left behind",
            zh="RabbitMQ 正常提供服务，没有遗留的 beam 进程",
        ),
        remedy=Text(
            en="A beam process that does not serve keeps the new broker from starting. End it, then start RabbitMQ "
            "(epmd alone may stay).\n"
            "$ rabbitmqctl status\n$ kill -9 $(pgrep -f '[b]eam.*rabbit')\n$ systemctl restart rabbitmq-server",
            zh="不提供服务的 beam 进程会阻止新的 RabbitMQ 启动。结束它再启动 RabbitMQ（仅剩 epmd 属正常）。\n"
            "$ rabbitmqctl status\n$ kill -9 $(pgrep -f '[b]eam.*rabbit')\n$ systemctl restart rabbitmq-server",
        ),
        causes=same_host("disk-space"),
    ),
)
