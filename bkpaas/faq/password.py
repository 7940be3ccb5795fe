"""FAQ: resetting the access password: what it needs, and the opt-in full login that shows whether login works."""

from __future__ import annotations

from bkpaas.faq.model import Condition, Each, Symptom, Text

SYMPTOM = Symptom(
    key="password-reset",
    title=Text(en="Resetting the access password", zh="PaaS重置访问密码"),
    conditions=(
        "bk-env-production",
        "password-reset-ready",
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
)
