"""The prose of --plan: per host what would be read and requested, for a person; nothing is sent."""

from __future__ import annotations

from bkpaas.collect.plan import round_1
from bkpaas.facts.query import Plan
from bkpaas.inventory import platform
from bkpaas.inventory.deployment import Deployment
from bkpaas.lang import many, say


def describe(deployment: Deployment) -> str:
    """Return the text of --plan."""
    lines = [
        say(
            en=f"{deployment.source}: generation {deployment.generation}, "
            f"{many(len(deployment.selected()), 'host')}, "
            f"domain {deployment.domain}; nothing has been sent",
            zh=f"{deployment.source}：{deployment.generation} 版本，{len(deployment.selected())} 台主机，域名 "
            f"{deployment.domain}；尚未发送任何请求",
        )
    ]
    lines += [say(en=f"  note: {note}", zh=f"  提示：{note}") for note in map(str, deployment.notes)]
    for host in deployment.selected():
        lines += ["", f"{host.name}  {host.address}  {','.join(host.roles)}  {host.connection.spec}"]
        lines += [f"    {line}" for line in _described(round_1(host, deployment))]
    return "\n".join(lines + _later_requests(deployment))


def _later_requests(deployment: Deployment) -> list[str]:
    """Return the lines about the controller and round 2."""
    lines = ["", say(en="then, from what was found:", zh="然后，根据所见：")]
    lines += [
        f"    {say(en='controller: GET', zh='运行套件的机器：GET')} {deployment.scheme}://{deployment.domain}{path}"
        for path in dict.fromkeys(
            (
                *platform.DOMAIN_HEALTHZ_PATHS.values(),
                *platform.domain_paths(deployment),
                platform.IS_LOGIN_PATH,
            )
        )
    ]
    lines.append(
        f"    {say(en='controller: GET', zh='运行套件的机器：GET')} {deployment.url(platform.PLATFORM_PATH)}"
        + say(
            en=" and the redirects from there within the domain, without cookies",
            zh=" 及其在该域名内的跳转，不带 cookie",
        )
    )
    lines += [
        "    "
        + say(en="controller: TCP connection to ", zh="运行套件的机器：TCP 连接 ")
        + f"{address}:{deployment.port}"
        for address in deployment.virtual_addresses
    ]
    if deployment.scheme == "https":
        lines.append(
            say(
                en="    controller: TLS handshake with the domain and with every nginx host, to see their certificates; "
                "hosts that ask login: one more GET of is_login, verified with their own store of authorities",
                zh="    运行套件的机器：与域名及每台 nginx 主机进行 TLS 握手以查看证书；需要校验登录态的主机：再 GET 一次 is_login，"
                "用自身的信任库校验",
            )
        )
    lines.append(
        say(
            en="    paas hosts: GET healthz and one harmless page of each service, one login to the database with the "
            "account in the settings, no statement, then COM_QUIT (sent over ssh:// only, without an account no connection), "
            "paas_agent and 8010 of each app host; nginx hosts: GET / of each upstream server in their files; app hosts: "
            "their own 8010 and paas_agent; every host that asks login: GET is_login without a token through the "
            "domain",
            zh="    paas 主机：各服务的 healthz 和一个无副作用的页面，用配置中的账号登录数据库一次，不执行任何语句，随后 "
            "COM_QUIT（账号只通过 ssh:// 发送，没有账号则不连接），各 app 主机的 paas_agent 和 "
            "8010；nginx 主机：配置中每个 upstream server 的 GET /；app 主机：自身的 8010 和 paas_agent；所有需要校验登录态"
            "的主机：通过域名 GET 不带 token 的 is_login",
        )
    )
    lines.append(
        say(
            en="    paas hosts: GET /, health, blocks, indices, disks and the newest document of Elasticsearch at the addresses "
            "in the settings of paas; hosts of log_agent and log_parser: PING, TYPE and LLEN of the redis in their "
            "configuration; both with the login that stands there, which is sent over ssh:// only",
            zh="    paas 主机：在 paas 配置的地址上 GET Elasticsearch 的 /、健康状态、只读设置、索引、磁盘和最新文档；log_agent 与 "
            "log_parser 所在主机：对其配置的 redis 执行 PING、TYPE、LLEN；均使用配置中的账号，且只通过 ssh:// 发送",
        )
    )
    return lines


def _described(plan: Plan) -> list[str]:
    read, stat = say(en="read", zh="读取"), say(en="stat", zh="查看属性")
    lines = [
        say(
            en="/proc (processes, sockets, addresses), clock, time zone, free space of "
            + ", ".join(plan["disks"]),
            zh="/proc（进程、套接字、地址）、时钟、时区、磁盘空间：" + "、".join(plan["disks"]),
        )
    ]
    lines += [f"{read if file['read'] else stat} {file['path']}" for file in plan["files"]]
    lines += [
        say(en=f"read the last {tail['bytes']} bytes of ", zh=f"读取末尾 {tail['bytes']} 字节：")
        + tail["path"]
        for tail in plan["tails"]
    ]
    if "nginx" in plan:
        lines.append(f"{read} {' '.join(plan['nginx']['confs'])} + include")
    lines += [
        say(en="run ", zh="执行 ") + f"supervisorctl -c {entry['conf']} status"
        for entry in plan["supervisor"]
    ]
    lines.append(say(en="run ", zh="执行 ") + "chronyc -n tracking | ntpq -pn")
    lines += [say(en="resolve ", zh="解析 ") + entry["name"] for entry in plan["resolve"]]
    return lines
