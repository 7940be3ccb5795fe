"""FAQ: starting PaaS ends in "FATAL Exited too quickly"."""

from __future__ import annotations

from bkpaas.faq.model import (
    SERVICES,
    Command,
    Condition,
    Each,
    Point,
    Symptom,
    Text,
    by_hand,
    repair,
    same_host,
)

SYMPTOM = Symptom(
    key="fatal-exited-too-quickly",
    title=Text(en='Starting PaaS: "FATAL Exited too quickly"', zh="PaaS启动提示FATAL Exited too quickly"),
    introduction=Text(
        en="After a start, supervisor shows FATAL Exited too quickly for all four services. Often they "
        "serve all the while: by processes that supervisor has lost sight of.",
        zh="启动后 supervisor 显示四个服务 FATAL Exited too quickly。往往服务仍可用：由 supervisor 已失去控"
        "制的进程提供。",
    ),
    conditions=(
        "supervisor-proc",
        "supervisor-sock",
        "uwsgi-single-master",
        "uwsgi-orphans",
        "port-owner",
        "supervisor-status",
        "rabbit-orphan",
    ),
    points=(
        Point(
            says=Text(
                en="Usually all ran well, and supervisord.sock was cleaned away.",
                zh="多为正常运行时 supervisord.sock 被清理。",
            ),
            conditions=("supervisor-sock", "supervisor-proc"),
            answer=Text(
                en="The file is logs/open_paas/supervisor.sock. An old supervisord that ends slowly also "
                "removes the socket of the new one.",
                zh="文件是 logs/open_paas/supervisor.sock。旧的 supervisord 退出较慢时，也会删掉新进程的套"
                "接字。",
            ),
        ),
        Point(
            says=Text(
                en="stop paas says that it can be stopped, status paas shows EXIT as well, yet the real processes are still "
                "abnormal: they run on.",
                zh="stop paas 提示可以停掉，status paas 也显示 EXIT，“实际的进程还是异常的”：仍在运行。",
            ),
            conditions=("uwsgi-orphans", "uwsgi-single-master", "supervisor-proc"),
            answer=Text(
                en="Meanwhile all four healthz are well: the left-over processes answer them.",
                zh="此时四个 healthz 都正常：由遗留进程应答。",
            ),
        ),
        Point(
            says=Text(
                en="./bkcec stop paas, status paas and start paas, on BlueKing's control machine.",
                zh="在中控机执行 ./bkcec stop paas、status paas、start paas。",
            ),
            conditions=("supervisor-status", "supervisor-proc"),
            answer=Text(
                en="The suite never runs bkcec: it would need that machine, and stop and start change the platform. In "
                "place of its status it reads `supervisorctl status` and the processes on every paas host: bkcec only "
                "passes on what supervisorctl says, and so says EXIT where processes are left. For the start you may "
                "take `./bkcec start paas` in place of the remedy's supervisord, once nothing is left.",
                zh="套件从不执行 bkcec：它要在中控机上运行，而且 stop、start 会改变平台。代替其 status 的是每台 paas 主机上的 "
                "`supervisorctl status` 和进程：bkcec 只转述 supervisorctl 的结果，所以有遗留进程时仍显示 EXIT。确认没有遗留进程后，"
                "可以用 `./bkcec start paas` 代替处理方法中的 supervisord。",
            ),
        ),
        Point(
            says=Text(
                en="ps shows uwsgi from .envs/paas, while supervisorctl is called from .envs/open_paas.",
                zh="示例中 ps 显示的 uwsgi 在 .envs/paas 下，而 supervisorctl 在 .envs/open_paas 下。",
            ),
            answer=Text(
                en="Both are right: every service has a virtual environment of its own (`.envs/login`, `.envs/paas`, ...), and "
                "`.envs/open_paas` is that of supervisor. The suite knows a uwsgi by its `uwsgi-open_paas-SERVICE.ini`, not by "
                "the environment it runs from.",
                zh="两者都对：每个服务有自己的虚拟环境（`.envs/login`、`.envs/paas` 等），`.envs/open_paas` 是 supervisor 的。"
                "套件按 `uwsgi-open_paas-服务.ini` 识别 uwsgi，而不是按其所在的虚拟环境。",
            ),
        ),
        Point(
            says=Text(
                en="All four programs are FATAL, Exited too quickly.",
                zh="四个程序都是 FATAL Exited too quickly。",
            ),
            conditions=("supervisor-status", "port-owner"),
            answer=Text(
                en="BACKOFF bears the same words for the first seconds. Other causes than left-over "
                "processes are a port that another program has, settings that do not load, a full disk.",
                zh="最初几秒的 BACKOFF 带有相同文字。除遗留进程外，原因还可能是端口被其他程序占用、配置加载"
                "失败、磁盘写满。",
            ),
        ),
        Point(
            says=Text(en="Kill the processes that are no longer in order.", zh="杀掉已经不正常的进程。"),
            conditions=("uwsgi-orphans", "uwsgi-single-master"),
            answer=Text(
                en="The remedy names their pids. The FAQ's own `ps | grep open_paas` also hits editors and "
                "tail -f; while a supervisord lives, it starts a killed uwsgi again.",
                zh="处理方法中会列出 pid。FAQ 的 `ps | grep open_paas` 还会命中编辑器和 tail -f；只要 "
                "supervisord 还活着，被杀的 uwsgi 会被拉起。",
            ),
        ),
        Point(
            says=Text(
                en="When RabbitMQ is ill, epmd and beam may be killed as well.",
                zh="rabbitmq 异常时，也可以杀掉 epmd 及 beam。",
            ),
            conditions=("rabbit-orphan",),
            answer=Text(
                en="A beam that serves nothing is a fault; epmd alone is not, it may stay.",
                zh="不提供服务的 beam 是故障；仅剩 epmd 不是，可以保留。",
            ),
        ),
        Point(
            says=Text(
                en="Perhaps: supervisorctl shutdown with open_paas's configuration.",
                zh="可选：使用 open_paas 配置执行 supervisorctl shutdown。",
            ),
            conditions=("supervisor-sock",),
            answer=Text(
                en='Without a socket it reaches nobody and says "already shut down?": then end supervisord '
                "with kill -INT, as the remedy says.",
                zh="没有套接字时它无法生效，并提示“already shut down?”：此时按处理方法用 kill -INT 结束 "
                "supervisord。",
            ),
        ),
        Point(
            says=Text(
                en="Perhaps: remove supervisor.sock, make it again with srwx------, chown o+s.",
                zh="可尝试删掉 supervisor.sock 再重建，权限为 srwx------，chown o+s。",
            ),
            conditions=("supervisor-sock",),
            answer=Text(
                en="Never remove it while a supervisord lives: that cuts it off, nobody can stop its programs through "
                "supervisorctl any more, and the next start ends in FATAL. A socket cannot be made by hand either: "
                "supervisord makes it when it starts, and replaces a stale one by itself. chown o+s cannot "
                "work, it takes o+s for a user's name; the mode is set with chmod 0700.",
                zh="supervisord 存活时不要删除它：删除后 supervisorctl 再也无法管理其程序，下次启动就会 FATAL。套接字也不能手工创建，"
                "只能由 supervisord 启动时创建；失效的套接字它会自行替换。chown o+s 不可能成功，它会把 o+s 当作用户名；"
                "权限用 chmod 0700 设置。",
            ),
        ),
        Point(
            says=Text(
                en="Perhaps: start supervisord by hand; then kill -9 all that ps shows for open_paas.",
                zh="可选：手工启动 supervisord；再对 ps 中的 open_paas 全部 kill -9。",
            ),
            conditions=("supervisor-proc", "uwsgi-orphans"),
            answer=Text(
                en="The other way round: first end what is left, then start one supervisord. Started "
                'beside left-over processes it ends in FATAL. The FAQ\'s "kill: (8230) - no such process" is harmless: '
                "its list holds the grep itself, and children that ended with their parent.",
                zh="顺序应相反：先结束遗留进程，再启动一个 supervisord。与遗留进程并存时启动只会 FATAL。FAQ 中的“kill: (8230) - "
                "没有那个进程”没有影响：列表中包含 grep 自身和已随父进程退出的子进程。",
            ),
        ),
        Point(
            says=Text(
                en="Start again; status shows all four RUNNING.",
                zh="重新启动，status 显示四个都是 RUNNING。",
            ),
            conditions=("supervisor-status", "services-answer"),
            answer=Text(
                en="RUNNING is not enough: a service may crash and come back (its pid changes), or answer "
                "nothing but 500.",
                zh="RUNNING 还不够：服务可能反复崩溃重启（pid 变化），或只返回 500。",
            ),
        ),
    ),
)

_OURS = "'[u]wsgi .*uwsgi-open_paas|[s]upervisord .*supervisor-open_paas'"
"""Their command lines, and not those of editors, tail -f, or the shell that looks for them."""
_ALL_GONE: Command = (
    f"while pgrep -f {_OURS} > /dev/null; do sleep 1; done",
    Text(
        en="waits until all are gone; kill -9 only what stays for half a minute",
        zh="等待全部退出；半分钟后仍存在的才用 kill -9",
    ),
)
_START: tuple[Command, ...] = (
    "{supervisord}",
    ("{supervisorctl} status", Text(en="all RUNNING", zh="全部 RUNNING")),
)
_CLEAN_START = repair(
    Text(
        en="The processes that serve are not the ones supervisor knows of. End them all, wait, then start "
        "afresh: users are cut off for some seconds. kill -INT ends a supervisord and a uwsgi with their "
        "children; kill -TERM makes a uwsgi without `die-on-term` reload instead of ending it. A kill that "
        'says "no such process" is harmless: it ended with its parent.',
        zh="正在服务的进程不在 supervisor 的管理之下。结束全部进程、等待退出，再重新启动：期间用户会中断几秒。"
        "kill -INT 会让 supervisord 和 uwsgi 连同子进程一起退出；而 kill -TERM 会让未配置 `die-on-term` 的 uwsgi "
        "重载而不是退出。kill 提示“没有那个进程”没有影响：它已随父进程退出。",
    ),
    (
        f"pgrep -af {_OURS}",
        Text(en="what runs now, with its pids", zh="当前的进程及 pid"),
    ),
    ("{supervisorctl} shutdown", Text(en="may say: already shut down?", zh="可能提示 already shut down?")),
    "kill -INT {pids}",
    _ALL_GONE,
    Text(
        en="Once nothing runs (or when nothing ran at all):",
        zh="没有进程之后（或本来就没有任何进程）：",
    ),
    *_START,
)

CONDITIONS = (
    Condition(
        id="supervisor-proc",
        about=SERVICES,
        scopes=(Each(("paas",)),),
        generations=("5.x",),
        title=Text(
            en="Exactly one supervisord runs open_paas, and its pid file names it",
            zh="open_paas 有且仅有一个 supervisord，且 pid 文件与之相符",
        ),
        reads=Text(
            en="`/proc`: supervisord processes started with `supervisor-open_paas.conf`; the pid file that "
            "this configuration names.",
            zh="`/proc` 中使用 `supervisor-open_paas.conf` 启动的 supervisord 进程；该配置指定的 pid 文件。",
        ),
        fails=Text(
            en="There is none or more than one, the pid file is gone, or it names another pid.",
            zh="没有或多于一个，pid 文件不存在，或其中的 pid 不符。",
        ),
        means=Text(
            en="Without it nothing is started again that ends, and services that still answer are orphans. "
            "With two, the second one's programs end in FATAL while the first one's go on serving.",
            zh="没有它时，进程退出后不会被拉起，仍在应答的是孤儿进程。有两个时，后一个的程序会变成 FATAL，"
            "而前一个的仍在服务。",
        ),
        remedy=_CLEAN_START,
        causes=same_host("disk-space"),
    ),
    Condition(
        id="supervisor-sock",
        about=SERVICES,
        scopes=(Each(("paas",)),),
        generations=("5.x",),
        title=Text(
            en="supervisor.sock is a socket that only its owner may use, and the living supervisord listens on it",
            zh="supervisor.sock 是仅属主可用的套接字，且由存活的 supervisord 监听",
        ),
        reads=Text(
            en="Type, mode and owner of the socket file that `supervisor-open_paas.conf` names, and "
            "`/proc/net/unix`: who listens on it.",
            zh="`supervisor-open_paas.conf` 指定的套接字文件的类型、权限和属主，以及 `/proc/net/unix` 中由"
            "谁监听。",
        ),
        fails=Text(
            en="It is missing, no socket, not `srwx------`, owned by another user than supervisord's, or "
            "the living supervisord does not listen on it.",
            zh="不存在、不是套接字、权限不是 `srwx------`、属主与 supervisord 的运行用户不同，或存活的 "
            "supervisord 没有监听它。",
        ),
        means=Text(
            en="supervisorctl cannot speak to supervisord: stop and status say that nothing runs, while "
            "everything does. The next start then ends in FATAL.",
            zh="supervisorctl 无法与 supervisord 通信：stop 和 status 显示没有运行，实际进程都在。此时再启"
            "动就会变成 FATAL。",
        ),
        remedy=repair(
            Text(
                en="When only its mode is wrong, nothing has to be restarted:",
                zh="如果只是权限不对，无需重启：",
            ),
            "chmod 0700 {sock}",
            Text(
                en="When it is gone or stale, the supervisord that made it can no longer be spoken to, and a second "
                "start beside it ends in FATAL. End it (it ends its programs, users are cut off for some seconds), "
                "wait, then start afresh. When it has died already and uwsgi is left, see uwsgi-orphans.",
                zh="如果套接字丢失或失效，原 supervisord 已无法通信，直接再启动一个会导致 FATAL。先结束它（会结束其管理"
                "的程序，用户会中断几秒），等待退出，再重新启动。如果它已经退出而 uwsgi 还在，见 uwsgi-orphans。",
            ),
            "kill -INT $(pgrep -f '[s]upervisord -c {conf}')",
            _ALL_GONE,
            *_START,
            ("ls -l {sock}", Text(en="srwx------", zh="应为 srwx------")),
        ),
        causes=same_host("supervisor-proc", "disk-space"),
    ),
    Condition(
        id="uwsgi-single-master",
        about=SERVICES,
        scopes=(Each(("paas",)),),
        generations=("5.x",),
        title=Text(
            en="Each open_paas service has one uwsgi master, not two",
            zh="每个 open_paas 服务只有一个 uwsgi 主进程",
        ),
        reads=Text(
            en="`/proc`: uwsgi processes with `uwsgi-open_paas-SERVICE.ini` whose parent is not one of the "
            "same service.",
            zh="`/proc` 中使用 `uwsgi-open_paas-服务.ini`、且父进程不属于同一服务的 uwsgi。",
        ),
        fails=Text(en="A service has more than one.", zh="某个服务有多于一个。"),
        means=Text(
            en="Old code with old settings serves beside the new, or the new one cannot bind its port and "
            "ends in FATAL.",
            zh="旧代码、旧配置的进程与新的并存，或新进程无法绑定端口而变成 FATAL。",
        ),
        remedy=_CLEAN_START,
        causes=same_host("supervisor-proc"),
    ),
    Condition(
        id="uwsgi-orphans",
        about=SERVICES,
        scopes=(Each(("paas",)),),
        generations=("5.x",),
        title=Text(
            en="Every open_paas uwsgi belongs to supervisord; none was left behind by one that died",
            zh="open_paas 的 uwsgi 都属于 supervisord，没有遗留的孤儿进程",
        ),
        reads=Text(
            en="`/proc`: the parents of each open_paas uwsgi.",
            zh="`/proc` 中各 open_paas uwsgi 的父进程。",
        ),
        fails=Text(
            en="A uwsgi master does not descend from the supervisord of open_paas.",
            zh="某个 uwsgi 主进程不属于 open_paas 的 supervisord。",
        ),
        means=Text(
            en="It was left behind by a supervisord that died. It keeps the port, so that a new start ends "
            'in "Exited too quickly"; stop does not reach it.',
            zh="它是已死的 supervisord 遗留的进程，占着端口，使新的启动变成“Exited too quickly”；stop 也停"
            "不掉它。",
        ),
        remedy=_CLEAN_START,
        causes=same_host("supervisor-proc", "uwsgi-single-master"),
    ),
    Condition(
        id="port-owner",
        about=SERVICES,
        scopes=(Each(("paas",)),),
        title=Text(
            en="The ports of the open_paas services are held by these services and by nobody else",
            zh="open_paas 各服务的端口由对应服务持有，没有被占用",
        ),
        reads=Text(
            en="Listening sockets of `/proc/net/tcp` and the processes that hold them (root only), for the "
            "address and port of each uwsgi file.",
            zh="`/proc/net/tcp` 中的监听套接字及其持有进程（仅 root 可见），对照各 uwsgi 配置的地址和端口。",
        ),
        fails=Text(
            en="All holders of a service's port are programs other than this service. no_data without root.",
            zh="持有某服务端口的进程都不是该服务。没有 root 权限时为 no_data。",
        ),
        means=Text(
            en="The service cannot bind and ends in FATAL; meanwhile nginx passes on whatever the stranger "
            "answers, often with status 200.",
            zh="服务无法绑定端口而变成 FATAL；此时 nginx 会转发占用者的应答，状态码常常是 200。",
        ),
        remedy=repair(
            Text(
                en="Another program holds the port, so the service cannot start. Stop that program (or "
                "move it) by its own means, then start the service.",
                zh="端口被其他程序占用，服务无法启动。用该程序自己的方式停止（或迁移）它，再启动服务。",
            ),
            ("ss -lntp | grep -E ':({ports}) '", Text(en="who holds it", zh="由谁持有")),
            by_hand(en="stop or move that program now", zh="此时停止或迁移该程序"),
            "{supervisorctl} start {service}",
            "{supervisorctl} status",
        ),
    ),
    Condition(
        id="supervisor-status",
        about=SERVICES,
        scopes=(Each(("paas",)),),
        generations=("5.x",),
        title=Text(
            en="All programs of open_paas are RUNNING, and stay so",
            zh="open_paas 的所有程序都是 RUNNING，且保持稳定",
        ),
        reads=Text(
            en="`supervisorctl -c supervisor-open_paas.conf status`, in both visits; its text, never its "
            "exit code. The end of each service's uwsgi log for the reason.",
            zh="两次访问中 `supervisorctl -c supervisor-open_paas.conf status` 的输出；看文字，不看退出码。"
            "原因取自各服务 uwsgi 日志末尾。",
        ),
        fails=Text(
            en="A service, or a program with autostart, is unknown or not RUNNING; or it is RUNNING with "
            "another pid in the second visit.",
            zh="某个服务或 autostart 的程序不存在、不是 RUNNING，或两次访问之间 pid 变了。",
        ),
        means=Text(
            en="It crashes at its start: settings that do not load, a port that is taken, a full disk. A "
            "changing pid is a crash loop that status shows as RUNNING.",
            zh="启动即崩溃：配置加载失败、端口被占、磁盘写满。pid 变化说明在反复崩溃重启，而 status 仍显示 "
            "RUNNING。",
        ),
        remedy=repair(
            Text(en="Read why it ended, mend that, then start it.", zh="先看它为何退出，修复后再启动。"),
            "tail -n 50 {service_logs}",
            "{supervisorctl} start {service}",
            (
                "{supervisorctl} status",
                Text(
                    en="twice, some seconds apart: RUNNING with the same pid",
                    zh="间隔几秒执行两次：RUNNING 且 pid 不变",
                ),
            ),
        ),
        causes=same_host(
            "disk-space",
            "supervisor-proc",
            "supervisor-sock",
            "uwsgi-single-master",
            "uwsgi-orphans",
            "port-owner",
            "bk-env-production",
            "settings-valid",
        ),
    ),
    Condition(
        id="rabbit-orphan",
        scopes=(Each(("rabbitmq",)),),
        title=Text(
            en="RabbitMQ runs once and serves; no beam process was left behind",
            zh="RabbitMQ 正常提供服务，没有遗留的 beam 进程",
        ),
        reads=Text(
            en="`/proc`: Erlang machines (beam) that were started as RabbitMQ; who listens on the AMQP port.",
            zh="`/proc` 中作为 RabbitMQ 启动的 Erlang 进程（beam）；由谁监听 AMQP 端口。",
        ),
        fails=Text(
            en="There is no such process, nothing listens on the port (5672, or that of the inventory), or "
            "a beam process is stopped (state T) or lives beside the broker and serves nothing. epmd alone is "
            "never a fault.",
            zh="没有该进程、端口（5672 或清单中的端口）没有监听、beam 进程被暂停（状态 T），或除 RabbitMQ 外还有不提供服务的 beam 进程。"
            "仅剩 epmd 不算故障。",
        ),
        means=Text(
            en="A left-over beam keeps the broker from starting again; what works through queues stands "
            "still.",
            zh="遗留的 beam 会阻止 RabbitMQ 再次启动；依赖队列的功能停滞。",
        ),
        remedy=repair(
            Text(
                en="A beam process that does not serve keeps the new broker from starting. See first that "
                "rabbitmqctl gets no answer: a broker that is ended loses the messages that are not persistent.",
                zh="不提供服务的 beam 进程会阻止新的 RabbitMQ 启动。先确认 rabbitmqctl 无应答：结束 RabbitMQ 会丢失"
                "未持久化的消息。",
            ),
            "rabbitmqctl status",
            Text(
                en="Then end that beam process, wait, and start RabbitMQ (epmd alone may stay):",
                zh="再结束该 beam 进程，等待退出后启动 RabbitMQ（仅剩 epmd 属正常）：",
            ),
            "kill {pids}",
            (
                "while ps -p {pids} > /dev/null; do sleep 1; done",
                Text(
                    en="kill -9 only what stays for half a minute",
                    zh="半分钟后仍存在的才用 kill -9",
                ),
            ),
            "systemctl start rabbitmq-server",
            "rabbitmqctl status",
        ),
        causes=same_host("disk-space"),
    ),
)
