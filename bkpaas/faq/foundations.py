"""What every answer rests on: hosts that answer, disks with room, a database, services that reply."""

from __future__ import annotations

from bkpaas.faq.model import (
    Condition,
    Each,
    Symptom,
    Text,
    anywhere,
    same_host,
)

SYMPTOM = Symptom(
    key="foundations",
    title=Text(en="What everything else rests on", zh="其他一切的基础"),
    conditions=("host-reachable", "disk-space", "disk-headroom", "database-reachable", "services-answer"),
)

CONDITIONS = (
    Condition(
        id="host-reachable",
        scopes=(Each(),),
        title=Text(
            en="The host can be reached over ssh and lets itself be looked at",
            zh="主机可以通过 ssh 访问并允许查看",
        ),
        remedy=Text(
            en="From the machine this suite runs on, try the login by hand; then look at the host's console, its network "
            "and sshd.\n$ ssh -v {user}@{address} true\n$ ping -c 3 {address}",
            zh="在运行本套件的机器上手工登录试试，再查看该主机的控制台、网络和 sshd。\n"
            "$ ssh -v {user}@{address} true\n$ ping -c 3 {address}",
        ),
    ),
    Condition(
        id="disk-space",
        scopes=(Each(),),
        title=Text(en="No file system that BlueKing writes to is full", zh="蓝鲸写入的文件系统没有写满"),
        remedy=Text(
            en="Find what fills it and make room; logs that do not scroll and services that cannot start follow from it.\n"
            "$ df -h; df -i\n$ du -xh --max-depth=2 {home} | sort -h | tail",
            zh="找出占满空间的内容并清理；日志不滚动、服务启动失败都由此引起。\n"
            "$ df -h; df -i\n$ du -xh --max-depth=2 {home} | sort -h | tail",
        ),
    ),
    Condition(
        id="disk-headroom",
        scopes=(Each(),),
        severity="warn",
        title=Text(en="File systems have some room left", zh="文件系统还有余量"),
        remedy=Text(
            en="Make room before it is full.\n$ df -h; df -i\n$ du -xh --max-depth=2 {home} | sort -h | tail",
            zh="在写满之前清理空间。\n$ df -h; df -i\n$ du -xh --max-depth=2 {home} | sort -h | tail",
        ),
        causes=same_host("disk-space"),
    ),
    Condition(
        id="database-reachable",
        scopes=(Each(("paas",)),),
        title=Text(
            en="The database that the settings name answers this host",
            zh="配置中的数据库可以从本机访问并有应答",
        ),
        remedy=Text(
            en="On the database host see that MySQL runs and is not hung, has connections left and takes the password of the "
            "settings, and that no firewall stands between.\n"
            "$ ssh {database} 'ps -ef | grep [m]ysqld; ss -lntp | grep 3306'\n"
            "$ nc -vz {database} {database_port}    # on {host}",
            zh="在数据库主机上确认 MySQL 在运行且没有卡死、连接数未用尽、接受配置中的密码，并且中间没有防火墙阻挡。\n"
            "$ ssh {database} 'ps -ef | grep [m]ysqld; ss -lntp | grep 3306'\n"
            "$ nc -vz {database} {database_port}    # 在 {host} 上执行",
        ),
        causes=anywhere("disk-space"),
    ),
    Condition(
        id="services-answer",
        scopes=(Each(("paas",)),),
        title=Text(
            en="Every open_paas service that listens also answers, and not with a server error",
            zh="每个处于监听状态的 open_paas 服务都有应答，且不是服务器错误",
        ),
        remedy=Text(
            en="RUNNING does not mean working. Read the service's own log for the Traceback, mend the settings it names, "
            "then restart that one service; a process in state T or D needs kill -9 first.\n"
            "$ tail -n 50 {home}/logs/open_paas/{service}_uwsgi.log\n"
            "$ {supervisorctl} restart {service}",
            zh="RUNNING 不等于可用。查看该服务日志中的 Traceback，修正其中指出的配置，再单独重启该服务；"
            "处于 T 或 D 状态的进程需要先 kill -9。\n"
            "$ tail -n 50 {home}/logs/open_paas/{service}_uwsgi.log\n"
            "$ {supervisorctl} restart {service}",
        ),
        causes=same_host(
            "disk-space",
            "database-reachable",
            "bk-env-production",
            "port-owner",
            "supervisor-status",
            "paas-ports-local",
        ),
    ),
)
