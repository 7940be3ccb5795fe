"""nginx serves every page, and changes or drops a part of the requests of users."""

from __future__ import annotations

from lab.control import Lab
from lab.faults.actions import gate_url, host
from lab.faults.fault import Fault
from lab.faults.gateway import in_front, site_right

CONDITION = "nginx-passes-requests"
LOOP = "login-redirect-loop"
SECTION = "login-502"
LOGIN = "s|proxy_pass http://OPEN_PAAS_LOGIN/.*|{0}|"
ADD = "s|proxy_pass http://OPEN_PAAS_LOGIN/.*|{0}; &|"
STORE = "proxy_cache_path /run/nginx-answers keys_zone=answers:1m;"


def reach_a_limit(lab: Lab) -> None:
    """Two hosts request 60 pages at the same moment."""
    in_front(
        "1i limit_req_zone $server_name zone=all:1m rate=15r/s;\ns|client_max_body_size .*|&\\n    limit_req zone=all burst=5 nodelay;|"
    )[0](lab)
    for role in ("cmdb", "job"):
        lab.run(
            host(lab, role),
            f"for i in $(seq 30); do curl -s -o /dev/null -m 5 {gate_url(lab, '/login/')} & done; wait; sleep 2",
        )


FAULTS = (
    Fault(
        "nginx-drops-the-query",
        CONDITION,
        LOOP,
        "nginx drops the query of requests to login: no bk_token arrives there",
        "nginx 丢弃发往 login 的查询串：bk_token 到不了 login",
        *in_front(LOGIN.format("proxy_pass http://OPEN_PAAS_LOGIN/$1;")),
    ),
    Fault(
        "nginx-rewrites-accounts",
        CONDITION,
        LOOP,
        "a rewrite in nginx sends the accounts of login to the applications",
        "nginx 的 rewrite 把 login 的 accounts 路径转到应用",
        *in_front("s|proxy_set_header Host .*|&\\n    rewrite ^/login/accounts/(.*) /o/accounts/$1;|"),
    ),
    Fault(
        "nginx-hides-cookies",
        CONDITION,
        LOOP,
        "nginx removes Set-Cookie from the answers of login",
        "nginx 去掉 login 应答中的 Set-Cookie",
        *in_front(ADD.format("proxy_hide_header Set-Cookie")),
    ),
    Fault(
        "nginx-sends-no-cookies",
        CONDITION,
        LOOP,
        "nginx sends no cookies of users to open_paas",
        "nginx 不把用户的 cookie 发给 open_paas",
        *in_front('s|proxy_set_header Host .*|&\\n    proxy_set_header Cookie "";|'),
    ),
    Fault(
        "nginx-changes-cookie-domain",
        CONDITION,
        LOOP,
        "nginx gives the cookies of login the domain of a former site",
        "nginx 把 login 的 cookie 域改成旧环境的域",
        *in_front(ADD.format("proxy_cookie_domain ~.* old.example")),
    ),
    Fault(
        "nginx-sends-upstream-as-host",
        CONDITION,
        LOOP,
        "the line proxy_set_header Host was lost: login gets the name of the upstream",
        "proxy_set_header Host 一行丢失：login 收到的是 upstream 的名称",
        *in_front("/proxy_set_header Host/d"),
    ),
    Fault(
        "nginx-waits-three-seconds",
        CONDITION,
        SECTION,
        "proxy_read_timeout of the site is 3 s: slow calls of ESB end in 504",
        "站点的 proxy_read_timeout 只有 3 秒：较慢的 ESB 调用返回 504",
        *in_front("s/proxy_read_timeout .*/proxy_read_timeout 3;/"),
    ),
    Fault(
        "nginx-refuses-cookies",
        CONDITION,
        SECTION,
        "nginx refuses requests with a header of more than 1 KB",
        "nginx 拒绝单个请求头超过 1 KB 的请求",
        *in_front("s/proxy_read_timeout .*/&\\n    large_client_header_buffers 4 1k;/"),
    ),
    Fault(
        "nginx-refuses-answer-cookies",
        CONDITION,
        SECTION,
        "nginx answers 502 where the headers of an answer have more than 1 KB",
        "应答头超过 1 KB 时 nginx 返回 502",
        *in_front("s/proxy_read_timeout .*/&\\n    proxy_buffer_size 1k;/"),
    ),
    Fault(
        "nginx-stores-answers",
        CONDITION,
        LOOP,
        "nginx stores the answers of login",
        "nginx 缓存了 login 的应答",
        *in_front(f"1i {STORE}\n{ADD.format('proxy_cache answers; proxy_cache_valid 200 302 1m')}"),
    ),
    Fault(
        "nginx-refuses-programs",
        CONDITION,
        LOOP,
        "a rule of nginx against robots also refuses a SaaS, cmdb and job",
        "nginx 的防爬规则同时拒绝了 SaaS、cmdb 和 job",
        *in_front(
            's/client_max_body_size .*/&\\n    if ($http_user_agent ~* "python|curl|go-http|java") { return 403; }/'
        ),
    ),
    Fault(
        "nginx-refuses-post",
        CONDITION,
        LOOP,
        "nginx lets only GET pass to login",
        "nginx 只允许 GET 请求到达 login",
        *in_front(
            "s|proxy_pass http://OPEN_PAAS_LOGIN/.*|limit_except GET { deny all; }\\n        &|",
        ),
    ),
    Fault(
        "nginx-denies-production",
        CONDITION,
        "appt-502",
        "the location of /o/ denies every address but that of an app host",
        "/o/ 的 location 只允许一台 app 主机访问，拒绝其他所有地址",
        *in_front("s|proxy_pass http://PAAS_AGENT_PROD.*|allow 10.66.0.41; deny all;\\n        &|"),
    ),
    Fault(
        "nginx-returns-403-for-login",
        CONDITION,
        SECTION,
        "the location of /login/ was closed with return 403",
        "/login/ 的 location 被 return 403 关闭",
        *in_front(ADD.format("return 403")),
    ),
    Fault(
        "nginx-pages-under-maintenance",
        CONDITION,
        SECTION,
        "a location for the pages of applications answers 503, left over from a maintenance",
        "维护后遗留的 location 使应用页面返回 503",
        *in_front("s|^    # paas$|    location ^~ /app/ { return 503; }\\n&|"),
    ),
    Fault(
        "nginx-asks-for-a-password",
        CONDITION,
        SECTION,
        "auth_basic of a test site closes the whole domain",
        "测试环境的 auth_basic 使整个域名都要求密码",
        *in_front(
            's|client_max_body_size .*|&\\n    auth_basic "closed"; auth_basic_user_file /etc/nginx/htpasswd;|'
        ),
    ),
    Fault(
        "nginx-rate-too-low",
        CONDITION,
        SECTION,
        "limit_req allows one request in a minute to login",
        "limit_req 只允许每分钟一个发往 login 的请求",
        *in_front(
            f"1i limit_req_zone $server_name zone=small:1m rate=1r/m;\n{ADD.format('limit_req zone=small')}"
        ),
    ),
    Fault(
        "nginx-one-connection",
        CONDITION,
        SECTION,
        "limit_conn allows each client one connection",
        "limit_conn 只允许每个客户端一个连接",
        *in_front(
            "1i limit_conn_zone $binary_remote_addr zone=few:1m;\ns|client_max_body_size .*|&\\n    limit_conn few 1;|"
        ),
    ),
    Fault(
        "nginx-rate-reached",
        CONDITION,
        SECTION,
        "a limit for all users together has refused requests of several hosts",
        "所有用户共用的限流拒绝了多台主机的请求",
        reach_a_limit,
        site_right,
    ),
    Fault(
        "nginx-refuses-a-host-by-if",
        "nginx-listen-vs-domain",
        SECTION,
        "an if on the address of the client refuses the app host",
        "对客户端地址的 if 拒绝了 app 主机",
        *in_front("s|client_max_body_size .*|&\\n    if ($remote_addr = 10.66.0.41) { return 403; }|"),
    ),
)
