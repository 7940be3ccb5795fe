"""FAQ: resetting the access password: what it needs, and the opt-in full login that shows whether login works."""

from __future__ import annotations

from bkpaas.faq.model import Condition, Each, FromController, Symptom, Text, anywhere

SYMPTOM = Symptom(
    key="password-reset",
    title=Text(en="Resetting the access password", zh="PaaS重置访问密码"),
    conditions=(
        "bk-env-production",
        "password-reset-ready",
        "login-works",
    ),
)

CONDITIONS = (
    Condition(
        id="bk-env-production",
        scopes=(Each(("paas",)),),
        title=Text(
            en="Every service runs with the production settings",
            zh="各服务使用生产环境配置运行",
        ),
        remedy=Text(
            en="Without BK_ENV=production the development settings are used, with another database. Put "
            "`env = BK_ENV=production` into the uwsgi file and restart the service.\n"
            "$ grep -n BK_ENV {home}/etc/uwsgi-open_paas-*.ini\n$ {supervisorctl} restart {service}",
            zh="没有 BK_ENV=production 时会使用开发环境配置和另一个数据库。在 uwsgi 配置中加入 `env = BK_ENV=production` "
            "并重启服务。\n"
            "$ grep -n BK_ENV {home}/etc/uwsgi-open_paas-*.ini\n$ {supervisorctl} restart {service}",
        ),
    ),
    Condition(
        id="password-reset-ready",
        scopes=(Each(("paas",)),),
        severity="warn",
        title=Text(
            en="manage.py and the virtual environment of login are in place for a password reset",
            zh="重置密码所需的 manage.py 和 login 虚拟环境就绪",
        ),
        remedy=Text(
            en="The reset itself, on a paas host (old sessions stay valid):\n"
            "$ cd {home}/open_paas/login && BK_ENV=production {home}/.envs/login/bin/python manage.py shell\n"
            "then: from bkaccount.models import BkUser; u = BkUser.objects.get(username='admin'); "
            "u.set_password('NEW'); u.save()",
            zh="重置方法，在 paas 主机上执行（已登录的会话仍然有效）：\n"
            "$ cd {home}/open_paas/login && BK_ENV=production {home}/.envs/login/bin/python manage.py shell\n"
            "然后：from bkaccount.models import BkUser; u = BkUser.objects.get(username='admin'); "
            "u.set_password('新密码'); u.save()",
        ),
    ),
    Condition(
        id="login-works",
        scopes=(FromController(),),
        about=("login", "paas"),
        title=Text(
            en="A user who logs in is logged in: on every paas host, and for the next request",
            zh="用户登录后确实处于登录状态：在每台 paas 主机上，以及后续请求中",
        ),
        remedy=Text(
            en="See which host refused the token and with what message; a server error right after a correct password is "
            "in login's log.\n$ tail -n 60 {home}/logs/open_paas/login_uwsgi.log    # on every paas host",
            zh="查看哪台主机拒绝了登录态及其提示；密码正确后立即出现的服务器错误在 login 日志中。\n"
            "$ tail -n 60 {home}/logs/open_paas/login_uwsgi.log    # 每台 paas 主机",
        ),
        causes=(
            *anywhere(
                "host-reachable",
                "paas-clock-skew",
                "login-secret-equal",
                "login-settings-equal",
                "cookie-domain",
                "scheme-matches",
                "database-reachable",
                "services-answer",
                "supervisor-status",
                "supervisor-proc",
                "port-owner",
                "paas-ports-local",
                "paas-ports-from-nginx",
                "virtual-address-held",
                "domain-certificate",
                "nginx-conf-port80",
                "nginx-listen-vs-domain",
                "nginx-conf-upstreams",
                "upstream-answers",
                "domain-502",
                "bk-env-production",
            ),
        ),
    ),
)
