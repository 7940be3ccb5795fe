"""What every answer rests on: hosts that answer, disks with room, a database, services that reply."""

from __future__ import annotations

from bkpaas.faq.model import (
    SERVICES,
    Condition,
    Each,
    FromController,
    Symptom,
    Text,
    anywhere,
    needed,
    repair,
    same_host,
)

SYMPTOM = Symptom(
    key="foundations",
    title=Text(en="What everything else rests on", zh="其他一切的基础"),
    introduction=Text(
        en="Not a section of the FAQ: what all its answers take for granted. When one of these fails, "
        "begin here; most of the rest follows from it.",
        zh="不是 FAQ 的章节，而是其所有回答的前提。这里有失败时先处理它，其余多半由此引起。",
    ),
    conditions=(
        "way-to-hosts",
        "host-reachable",
        "disk-space",
        "disk-headroom",
        "database-reachable",
        "database-login",
        "services-answer",
    ),
)

CONDITIONS = (
    Condition(
        id="way-to-hosts",
        scopes=(FromController(),),
        title=Text(
            en="The way to the hosts is open: they are not all out of reach for one and the same reason",
            zh="通往各主机的路是通的：没有因同一原因而全部无法查看",
        ),
        reads=Text(
            en="What came of the visits to all hosts.",
            zh="访问所有主机的结果。",
        ),
        fails=Text(
            en="There are several hosts, and none could be looked at, all for the same kind of reason: the key is "
            "refused, the host key is unknown, there is no route, sudo is denied.",
            zh="有多台主机，且全部因同一类原因无法查看：密钥被拒绝、主机密钥未知、无路由、sudo 被拒绝等。",
        ),
        means=Text(
            en="The hosts may be well; what is broken is the way to them: the key or known_hosts of the inventory, or the network of "
            "the machine that this suite runs on.",
            zh="出问题的不是各台主机，而是通往它们的路：清单中的密钥或 known_hosts，或运行本套件的机器的网络。",
        ),
        remedy=repair(
            Text(
                en="What is said of one host holds for all: mend user, key or known_hosts under connect: in "
                "deployment.yaml, or the network from here to there. Then try one host by hand.",
                zh="对一台主机的说明适用于全部：修正 deployment.yaml 中 connect: 的 user、key、known_hosts，或从本机"
                "到这些主机的网络，再手工登录其中一台试试。",
            ),
            "{login} true",
        ),
    ),
    Condition(
        id="host-reachable",
        scopes=(Each(),),
        title=Text(
            en="The host can be reached over ssh and lets itself be looked at",
            zh="主机可以通过 ssh 访问并允许查看",
        ),
        reads=Text(
            en="The login over ssh (or the host's own spec), and whether the collector ran to its end in "
            "both visits.",
            zh="ssh（或该主机所用连接方式）登录，以及采集程序两次访问是否都运行到底。",
        ),
        fails=Text(
            en="No route, refused, or no login within `connect_seconds` (10); or the visit hung beyond "
            "`host_seconds` (60) or was cut off. Keys, sudo or Python that are missing are no_data: "
            "then it is the suite that could not look.",
            zh="无路由、拒绝连接、`connect_seconds`（10）内未能登录，或访问超过 `host_seconds`（60）卡死、"
            "被中断。缺少密钥、sudo 或 Python 时为 no_data：那是套件无法查看。",
        ),
        means=Text(
            en="The host is down, cut off, or too ill to be spoken to. All its own checks are no_data, and "
            "what others ask of it fails.",
            zh="主机宕机、断网，或已无法响应。该主机的其他检查都是 no_data，依赖它的请求都会失败。",
        ),
        remedy=repair(
            Text(
                en="From the machine this suite runs on, try the login by hand; then look at the host's "
                "console, its network and sshd.",
                zh="在运行本套件的机器上手工登录试试，再查看该主机的控制台、网络和 sshd。",
            ),
            "{login} true",
            "ping -c 3 {address}",
        ),
        causes=anywhere("way-to-hosts"),
    ),
    Condition(
        id="disk-space",
        scopes=(Each(),),
        title=Text(en="No file system that BlueKing writes to is full", zh="蓝鲸写入的文件系统没有写满"),
        reads=Text(
            en="statvfs of `/`, the install directory, its `logs`, and the usual places of the data of the host's roles "
            "(MySQL, redis, RabbitMQ, Elasticsearch, nginx's logs, the SaaS), as far as they are there.",
            zh="对 `/`、安装目录及其 `logs`，以及该主机角色的常用数据目录（MySQL、redis、RabbitMQ、Elasticsearch、"
            "nginx 日志、SaaS，存在的才看）执行 statvfs。",
        ),
        fails=Text(
            en="Less than `disk_free_percent` (1) of the space or of the inodes is free, or the file "
            "system is mounted read-only.",
            zh="可用空间或 inode 低于 `disk_free_percent`（1）%，或文件系统为只读。",
        ),
        means=Text(
            en="Logs stop, services and sockets cannot be created, the database refuses writes: many "
            "things fail that look unrelated.",
            zh="日志停止写入，服务和套接字无法创建，数据库拒绝写入：许多看似无关的故障由此而来。",
        ),
        remedy=repair(
            Text(
                en="Find what fills it and make room; logs that do not scroll and services that cannot "
                "start follow from it. A log that a process has open frees nothing when it is removed: "
                "empty it instead, with `: > FILE`. When the file system is read-only, see what the "
                "kernel says before anything else.",
                zh="找出占满空间的内容并清理；日志不滚动、服务启动失败都由此引起。进程正打开的日志，删除后"
                "不会释放空间：应用 `: > 文件` 清空。如果文件系统只读，先查看内核日志。",
            ),
            "df -h; df -i",
            "du -xh --max-depth=2 {disk} | sort -h | tail",
            "dmesg | tail -n 20",
        ),
    ),
    Condition(
        id="disk-headroom",
        scopes=(Each(),),
        severity="warn",
        title=Text(en="File systems have some room left", zh="文件系统还有余量"),
        reads=Text(en="The same figures as for disk-space.", zh="与 disk-space 相同的数据。"),
        fails=Text(
            en="Less than `disk_headroom_percent` (5) of the space or of the inodes is free.",
            zh="可用空间或 inode 低于 `disk_headroom_percent`（5）%。",
        ),
        means=Text(
            en="Nothing fails yet; a busy log fills the rest within hours.",
            zh="目前没有故障；日志繁忙时，剩余空间几小时内就会耗尽。",
        ),
        remedy=repair(
            Text(
                en="Make room before it is full. A log that a process has open frees nothing when it is "
                "removed: empty it instead, with `: > FILE`.",
                zh="在写满之前清理空间。进程正打开的日志，删除后不会释放空间：应用 `: > 文件` 清空。",
            ),
            "df -h; df -i",
            "du -xh --max-depth=2 {disk} | sort -h | tail",
        ),
        causes=same_host("disk-space"),
    ),
    Condition(
        id="database-reachable",
        about=SERVICES,
        scopes=(Each(("paas",)),),
        title=Text(
            en="The database that the settings name answers this host",
            zh="配置中的数据库可以从本机访问并有应答",
        ),
        reads=Text(
            en="DATABASES in the settings of login, paas, esb and appengine; one TCP connection from the paas host to "
            "each database server for each account, and the first bytes that the server sends. The connection "
            "is the one of database-login: without an account that can be tried none is made.",
            zh="login、paas、esb、appengine 配置中的 DATABASES；从 paas 主机对每个数据库服务器按账号各建立一个 TCP 连接，"
            "读取对方最先发来的字节。该连接与 database-login 共用：没有可用于尝试的账号时不连接。",
        ),
        fails=Text(
            en="No connection or no greeting within `request_seconds` (8), or what greets is not MySQL. A MySQL that "
            "greets with an error is reached: database-login shows that error.",
            zh="`request_seconds`（8）内无法连接或没有握手信息，或握手方不是 MySQL。以错误代替握手信息的 MySQL 视为可达："
            "该错误由 database-login 报告。",
        ),
        means=Text(
            en="login answers 500, healthz is false or hangs, nobody can log in. A frozen MySQL takes "
            "connections and never greets.",
            zh="login 返回 500，healthz 为 false 或卡住，所有人无法登录。卡死的 MySQL 会接受连接但不发握手"
            "信息。",
        ),
        remedy=repair(
            Text(
                en="The first command shows MySQL's greeting, a version number, when all is well. Refused: "
                "it is down. Nothing at all: it hangs, or a firewall drops. See then to MySQL on its "
                "own host.",
                zh="正常时第一条命令会显示 MySQL 的握手信息（版本号）。拒绝连接：MySQL 未运行；什么都没有："
                "MySQL 卡死，或被防火墙丢弃。再到数据库主机上处理。",
            ),
            (
                "timeout 5 head -c 60 < /dev/tcp/{database}/{database_port} | cat -v",
                Text(en="on {host}, in bash", zh="在 {host} 上用 bash 执行"),
            ),
            (
                "ps -eo pid,stat,lstart,args | grep '[m]ysqld'; ss -lntp | grep ':{database_port} '",
                Text(en="on {database}", zh="在 {database} 上执行"),
            ),
        ),
        causes=needed("disk-space", "host-reachable"),
    ),
    Condition(
        id="database-login",
        about=SERVICES,
        scopes=(Each(("paas",)),),
        title=Text(
            en="The database accepts the account in the settings",
            zh="数据库接受配置中的账号登录",
        ),
        reads=Text(
            en="USER, PASSWORD and NAME of DATABASES in the settings of login, paas, esb and appengine: one login from the "
            "paas host for each account and database server (projects with the same account share it, with the NAME of the "
            "first), no statement, then COM_QUIT; and the refusals that healthz of the services passes on.",
            zh="login、paas、esb、appengine 配置中 DATABASES 的 USER、PASSWORD、NAME：从 paas 主机对每个账号和数据库服务器"
            "登录一次（账号相同的项目共用，使用第一个项目的 NAME），不执行任何语句，随后 COM_QUIT；以及各服务 healthz "
            "中转述的拒绝信息。",
        ),
        fails=Text(
            en="The database refuses, here or in a healthz: wrong password (1045, 1698), no right to the database or no such "
            "database (1044, 1049), no connection left (1040, 1203, 1226), host blocked or not allowed (1129, 1130), password "
            "expired or account locked (1862, 3118); or no answer to the login within `request_seconds` (8). Another error, or "
            "an authentication that is not tried here, is no_data.",
            zh="数据库在此处或在 healthz 中拒绝：密码错误（1045、1698）、无权限或数据库不存在（1044、1049）、连接数用尽"
            "（1040、1203、1226）、主机被封锁或不被允许（1129、1130）、密码过期或账号被锁定（1862、3118）；或 "
            "`request_seconds`（8）内登录没有应答。其他错误，或此处不支持的认证方式，为 no_data。",
        ),
        means=Text(
            en="The database runs, but the services cannot use it: login answers 500, healthz is false, nobody can log in. "
            "Connections that are open already may go on for a while.",
            zh="数据库在运行，但服务无法使用：login 返回 500，healthz 为 false，所有人无法登录。已建立的连接可能还会"
            "继续工作一段时间。",
        ),
        remedy=repair(
            Text(
                en="The number says which case it is. 1045: the password in the settings is not that of the account; correct "
                "the one that is wrong, then restart the services. 1044 or 1049: compare NAME with the databases and the "
                "account's rights. 1040 or 1203: see who holds the connections before raising max_connections. 1129: the "
                "host was blocked after connections that broke off; repair the network first, then FLUSH HOSTS. 1130: no account "
                "is allowed from this host's address.",
                zh="按错误号处理。1045：配置中的密码与账号不一致，修正错误的一方后重启服务。1044 或 1049：核对 NAME 与实际数据库"
                "和账号权限。1040 或 1203：先查明谁占用了连接，再考虑调大 max_connections。1129：多次连接中断导致该主机被封锁，"
                "先修复网络，再执行 FLUSH HOSTS。1130：没有账号允许从该主机的地址登录。",
            ),
            (
                "mysql -e 'SHOW FULL PROCESSLIST; SHOW VARIABLES LIKE \"max_conn%\"; SELECT user, host FROM mysql.user'",
                Text(
                    en="as root of the database, on {database}", zh="在 {database} 上以数据库 root 账号执行"
                ),
            ),
            (
                "mysql -h {database} -P {database_port} -u USER -p",
                Text(
                    en="on {host}, with USER and the password of the settings",
                    zh="在 {host} 上执行，使用配置中的 USER 和密码",
                ),
            ),
        ),
        causes=(*same_host("database-reachable"), *needed("disk-space", "host-reachable")),
    ),
    Condition(
        id="services-answer",
        about=SERVICES,
        scopes=(Each(("paas",)),),
        title=Text(
            en="Every open_paas service that listens also answers, and not with a server error",
            zh="每个处于监听状态的 open_paas 服务都有应答，且不是服务器错误",
        ),
        reads=Text(
            en="One GET to each service from its own host, at the address of its uwsgi file: `/` of "
            "appengine, paas and esb, is_login without a token of login; the states of its processes in "
            "`/proc`.",
            zh="在本机按 uwsgi 配置的地址对每个服务发一次 GET：appengine、paas、esb 为 `/`，login 为不带 "
            "bk_token 的 is_login；以及 `/proc` 中进程的状态。",
        ),
        fails=Text(
            en="The port is listened on, but there is no answer within `request_seconds` (8), the answer "
            "is a 5xx, a process is stopped (state T), or on login's port somebody else answers.",
            zh="端口有监听，但 `request_seconds`（8）内无应答、应答为 5xx、进程被暂停（状态 T），或 login "
            "端口上应答的不是 login。",
        ),
        means=Text(
            en="supervisor says RUNNING and the port is open, yet every user gets an error page: usually "
            "settings that do not load, or workers that hang.",
            zh="supervisor 显示 RUNNING 且端口已监听，但用户只看到错误页：通常是配置加载失败或 worker 卡死。",
        ),
        remedy=repair(
            Text(
                en="RUNNING does not mean working. Read the service's own log for the Traceback, mend the "
                "settings it names, then restart that one service. A process in state T was stopped by "
                "somebody, a restart replaces it; one in state D waits for a disk, and no signal "
                "reaches it.",
                zh="RUNNING 不等于可用。查看该服务日志中的 Traceback，修正其中指出的配置，再单独重启该服务。"
                "状态 T 的进程是被人暂停的，重启即可替换；状态 D 的进程在等待磁盘，任何信号都无效。",
            ),
            "tail -n 50 {service_logs}",
            "{supervisorctl} restart {service}",
            ("curl -m 8 -i {url}", Text(en="must not be a 5xx", zh="不应是 5xx")),
        ),
        causes=same_host(
            "disk-space",
            "database-reachable",
            "database-login",
            "bk-env-production",
            "settings-valid",
            "port-owner",
            "supervisor-status",
            "paas-ports-local",
        ),
    ),
)
