"""Settings of equal value in another spelling, other systems on the same nginx, single events."""

from __future__ import annotations

from lab.control import Lab
from lab.faults.actions import edit, host, restart, restore
from lab.faults.fault import Act
from lab.faults.gateway import in_front
from lab.faults.limping import kill_workers, nothing
from lab.faults.values import FILES, changed
from lab.lookalikes.lookalike import Lookalike


def spelled(file: str, number: int, *edits: str) -> tuple[Act, Act]:
    """Edit a settings file without a change of its values, and restart its service."""
    service = file.partition(" ")[0]

    def path(lab: Lab) -> str:
        return f"{lab.layout.home}/open_paas/{FILES[file]}"

    def apply(lab: Lab) -> None:
        name = host(lab, "paas", number)
        for sed in edits:
            edit(lab, name, path(lab), sed.replace("LOGIN_PORT", str(lab.layout.ports["login"])))
        restart(lab, name, service)

    def undo(lab: Lab) -> None:
        name = host(lab, "paas", number)
        restore(lab, name, path(lab))
        restart(lab, name, service)

    return apply, undo


def other_lines(lab: Lab) -> None:
    """Write errors of another site and of a scanner into nginx's log."""
    log = f"{lab.layout.home}/logs/nginx/error.log"
    for level, text in (
        (
            "error",
            "*1 connect() failed (111: Connection refused) while connecting to upstream, client: 10.66.0.1, "
            'server: other.example, request: \\"GET / HTTP/1.1\\", upstream: \\"http://127.0.0.1:9/\\"',
        ),
        ("crit", "*2 SSL_do_handshake() failed (SSL: error:1) while SSL handshaking, client: 10.66.0.1"),
        ("crit", '*3 open() \\"/srv/other\\" failed (13: Permission denied), server: other.example'),
    ):
        line = f"$(date '+%Y/%m/%d %H:%M:%S') [{level}] 31#31: {text}"
        lab.run(host(lab, "nginx"), f'echo "{line}" >> {log}')


PASSED_ON = (
    r"s|proxy_set_header Host .*|proxy_set_header Host $host:$server_port;\n    proxy_set_header Cookie $http_cookie;|;"
    r"s|proxy_pass http://OPEN_PAAS_LOGIN/.*|proxy_cookie_path / \"/; HttpOnly\"; proxy_hide_header X-Powered-By; "
    r"proxy_pass http://OPEN_PAAS_LOGIN/$1?$args;|;"
    r"s|proxy_pass http://OPEN_PAAS_ESB/.*|rewrite ^/api/(.*) /$1 break; proxy_pass http://OPEN_PAAS_ESB;|"
)
"""Other directives with which the same request arrives."""

LOOKALIKES = (
    Lookalike(
        "allowed-hosts-by-domain",
        "ALLOWED_HOSTS of paas has the domain with a leading dot, and its cookies are not Secure",
        "paas 的 ALLOWED_HOSTS 为带前导点的域名，cookie 不带 Secure",
        *changed("paas", "$ a ALLOWED_HOSTS = ['localhost', '.bklab.test']\\nCSRF_COOKIE_SECURE = DEBUG", 0, 1),
    ),
    Lookalike("passed-on-otherwise", "nginx passes requests on with other directives to the same effect", "nginx 用其他写法转发请求，效果相同", *in_front(PASSED_ON)),
    Lookalike("cookie-name-in-two-parts", "BK_COOKIE_NAME of paas is written in two parts", "paas 的 BK_COOKIE_NAME 分两段书写", *spelled("paas", 0, "s/^BK_COOKIE_NAME = .*/BK_COOKIE_NAME = 'bk_' 'token'/")),
    Lookalike("domain-put-together", "PAAS_DOMAIN of login is put together of a name of the file's own on one host", "一台主机上 login 的 PAAS_DOMAIN 由文件内部的名称拼成", *spelled("login", 1, "s/^PAAS_DOMAIN = 'paas\\.\\(.*\\)'/_DOMAIN = '\\1'\\nPAAS_DOMAIN = 'paas.%s' % _DOMAIN/")),
    Lookalike("cookie-age-as-number", "BK_COOKIE_AGE of paas is written as one number", "paas 的 BK_COOKIE_AGE 写成一个数字", *spelled("paas", 1, "s/^BK_COOKIE_AGE = .*/BK_COOKIE_AGE = 86400/")),
    Lookalike("database-port-as-number", "PORT of login's database is a number on one host", "一台主机上 login 数据库的 PORT 写成数字", *spelled("login", 1, "s/'PORT': '\\([0-9]*\\)'/'PORT': \\1/")),
    Lookalike("cookie-name-from-environment", "BK_COOKIE_NAME of login comes from the environment, with the usual value as default", "login 的 BK_COOKIE_NAME 取自环境变量，默认值与原来相同", *spelled("login default", 0, "s/^BK_COOKIE_NAME = .*/BK_COOKIE_NAME = os.environ.get('BK_COOKIE_NAME', 'bk_token')/")),
    Lookalike("engine-host-with-slash", "ENGINE_HOST of paas ends with a slash on one host", "一台主机上 paas 的 ENGINE_HOST 以斜杠结尾", *spelled("paas", 0, "s|^\\(ENGINE_HOST = .*[0-9]\\)\"|\\1/\"|")),
    Lookalike("local-settings-that-are-absent", "esb imports local settings if there are any", "esb 在存在本地配置时才导入", *spelled("esb", 0, "$ a try:\\n    from configs.local_settings import *\\nexcept ImportError:\\n    pass")),
    Lookalike("one-worker-died", "one worker of paas died once", "paas 的一个 worker 退出过一次", kill_workers("paas", 0, 1), nothing),
    Lookalike("errors-of-another-site", "nginx logs errors of another site and of a scanner", "nginx 日志中有其他站点和扫描器引起的错误", other_lines, nothing),
)  # fmt: skip
