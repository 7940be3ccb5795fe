"""FAQ: resetting the access password: what it needs, and the opt-in full login that shows whether login works."""

from __future__ import annotations

from bkpaas.faq.model import (
    Condition,
    Each,
    FromController,
    Point,
    Symptom,
    Text,
    anywhere,
    by_hand,
    needed,
    repair,
    seen_by_all,
)

SYMPTOM = Symptom(
    key="password-reset",
    title=Text(en="Resetting the access password", zh="PaaS重置访问密码"),
    introduction=Text(
        en="The password of admin is lost, or was changed wrongly, and admin cannot log in. Nothing is wrong "
        "with the platform; checked is what the procedure needs.",
        zh="admin 密码丢失或修改错误，admin 无法登录。平台本身没有故障，这里检查的是重置步骤所需的条件。",
    ),
    conditions=(
        "bk-env-production",
        "settings-valid",
        "password-reset-ready",
        "login-works",
    ),
    points=(
        Point(
            says=Text(
                en="After a wrong change of its password, admin cannot log in.",
                zh="admin 密码修改错误后无法登录。",
            ),
            conditions=("login-works",),
            answer=Text(
                en="That is one account: when others cannot log in either, look under the other sections. A login is tried "
                "only with `--login-user`, and then once: a refused password is never tried again.",
                zh="这只是一个账号：如果其他用户也无法登录，请看其他章节。仅在使用 `--login-user` 时尝试登录，且只一次："
                "被拒绝的密码不会重试。",
            ),
        ),
        Point(
            says=Text(
                en="On the control machine source utils.fc, then go to a paas host with ssh.",
                zh="在中控机执行 source utils.fc，然后 ssh 到 paas 主机。",
            ),
            conditions=("host-reachable",),
            answer=Text(
                en="utils.fc only tells the addresses; the suite has them from the inventory and does not "
                "run that file.",
                zh="utils.fc 只是提供地址；套件从清单中取得，不执行该文件。",
            ),
        ),
        Point(
            says=Text(
                en="`workon login`: enter the virtual environment of login, and start manage.py shell.",
                zh="执行 `workon login` 进入 login 虚拟环境，再执行 manage.py shell。",
            ),
            conditions=("password-reset-ready",),
            answer=Text(
                en="`workon` comes from virtualenvwrapper and only changes the environment and directory; the remedy calls "
                "that environment's Python in login's directory, which is the same. Checked is that both are there. Whether "
                "manage.py can be imported, opens the database and finds admin is not tried: that would run the platform's "
                "code on the host. Of the database, database-reachable and database-login tell.",
                zh="`workon` 由 virtualenvwrapper 提供，只是切换环境和目录；处理方法直接在 login 目录下调用该环境的 Python，效果相同。"
                "这里只检查两者是否存在。manage.py 能否导入、能否打开数据库、admin 是否存在都不尝试：那会在主机上运行平台代码。"
                "数据库是否可用见 database-reachable 和 database-login。",
            ),
        ),
        Point(
            says=Text(
                en="Export BK_ENV=production before, unset it afterwards.",
                zh="之前 export BK_ENV='production'，之后 unset。",
            ),
            conditions=("bk-env-production", "settings-valid"),
            answer=Text(
                en="Without it the shell opens the settings of development, with another database. The "
                "remedy sets it for the one command, so that nothing is left to unset.",
                zh="缺少它时会打开开发环境配置和另一个数据库。处理方法中只对该命令设置，无需事后清除。",
            ),
        ),
        Point(
            says=Text(
                en="Set a new password for the user admin and save it.",
                zh="为用户 admin 设置新密码并保存。",
            ),
            answer=Text(
                en="Never done by the suite: it would change the platform. The procedure works as written; "
                "sessions that were open stay so. The FAQ's loop does nothing, without a word, when "
                "there is no such user.",
                zh="套件从不执行：这会修改平台。步骤本身有效，已登录的会话不受影响。若用户不存在，FAQ 的循"
                "环会静默地什么也不做。",
            ),
        ),
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
        reads=Text(
            en="`env = BK_ENV=...` in each `uwsgi-open_paas-*.ini` (for gunicorn, supervisor's "
            "environment); where it is not set, the environment of the running master.",
            zh="各 `uwsgi-open_paas-*.ini` 中的 `env = BK_ENV=...`（gunicorn 则看 supervisor 的 environment）；"
            "未设置时看运行中主进程的环境变量。",
        ),
        fails=Text(
            en="It is set to anything but `production`, or set nowhere.",
            zh="值不是 `production`，或都没有设置。",
        ),
        means=Text(
            en="The service loads the settings of development, with another database: it ends at once, or "
            "serves with no users. A password that is reset without it goes into the wrong database.",
            zh="服务会加载开发环境配置和另一个数据库：立即退出，或以空用户库提供服务。缺少它时重置的密码会"
            "写进错误的数据库。",
        ),
        remedy=repair(
            Text(
                en="Without BK_ENV=production the development settings are used, with another database. "
                "Put `env = BK_ENV=production` into the uwsgi file and restart the service.",
                zh="没有 BK_ENV=production 时会使用开发环境配置和另一个数据库。在 uwsgi 配置中加入 `env = "
                "BK_ENV=production` 并重启服务。",
            ),
            "grep -n BK_ENV {home}/etc/uwsgi-open_paas-*.ini",
            by_hand(en="add the line to the file of {service} now", zh="此时在 {service} 的配置中加入该行"),
            "{supervisorctl} restart {service}",
            "{supervisorctl} status",
        ),
    ),
    Condition(
        id="settings-valid",
        scopes=(Each(("paas",)),),
        title=Text(
            en="The settings of every service are Python to the end, and rendered whole",
            zh="各服务的配置文件语法正确，且模板变量都已替换",
        ),
        reads=Text(
            en="The settings files of login, paas, esb, appengine and console, parsed as Python 2 or 3 and never run.",
            zh="login、paas、esb、appengine、console 的配置文件，按 Python 2 或 3 语法解析，不执行。",
        ),
        fails=Text(
            en="A place in one of them is neither Python 2 nor Python 3, or a template variable such as `__MYSQL_IP__` "
            "stands in it. A file that cannot be read is no_data.",
            zh="任一文件中有既不是 Python 2 也不是 Python 3 的语法，或留有 `__MYSQL_IP__` 这样未替换的模板变量。无法读取的文件为 no_data。",
        ),
        means=Text(
            en="The service answers every request with an error, or will when it is next started: until then the old "
            "processes serve with what they have read, and nothing else shows it.",
            zh="该服务对所有请求报错；或者旧进程仍用先前读入的配置正常服务，下一次重启时才会失败，此前没有其他迹象。",
        ),
        remedy=repair(
            Text(
                en="Correct the line that is named, then restart the service while you watch.",
                zh="改正所指出的行，然后重启该服务并观察。",
            ),
            "ls -l {home}/open_paas/*/conf/settings_production.py {home}/open_paas/esb/configs/default.py {home}/open_paas/appengine/controller/settings.py",
            by_hand(en="correct the line now", zh="此时改正该行"),
            "{supervisorctl} restart {service}",
            "{supervisorctl} status",
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
        reads=Text(
            en="Whether `open_paas/login/manage.py` and the Python of `.envs/*login` are there.",
            zh="`open_paas/login/manage.py` 和 `.envs/*login` 中的 Python 是否存在。",
        ),
        fails=Text(en="One of the two is missing.", zh="两者缺一。"),
        means=Text(
            en="The procedure for a forgotten password cannot be followed on this host. The suite itself "
            "never resets one.",
            zh="无法在该主机上按步骤重置密码。套件自身从不重置密码。",
        ),
        remedy=repair(
            Text(
                en="What is missing comes with the package of login: take it from another paas host, or "
                "install login again. The reset itself, on a paas host (old sessions stay valid; it "
                "changes the password at once):",
                zh="缺少的内容属于 login 安装包：从另一台 paas 主机复制，或重新安装 login。重置方法，在 "
                "paas 主机上执行（已登录的会话仍然有效；密码立即改变）：",
            ),
            "ls -l {home}/open_paas/login/manage.py {home}/.envs/*login/bin/python",
            "cd {home}/open_paas/login && BK_ENV=production {home}/.envs/login/bin/python manage.py shell",
            Text(
                en="At Python's own prompt, with your new password:",
                zh="在 Python 提示符下输入，替换为新密码：",
            ),
            "from bkaccount.models import BkUser",
            "admin = BkUser.objects.get(username='admin')",
            "admin.set_password('NEW_PASSWORD')",
            "admin.save()",
            "exit()",
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
        reads=Text(
            en="Only with `--login-user`: the login form, the password once, is_login with the token on "
            "every paas host and through the domain, then the platform's page; twice as many logins as "
            "paas hosts (8 at most), so that each is met.",
            zh="仅在给出 `--login-user` 时：登录表单、提交一次密码、立即在每台 paas 主机和域名上用所得登录态调"
            "用 is_login，再访问平台页面；登录次数为 paas 主机数的两倍（最多 8 次），以便每台都能遇到。",
        ),
        fails=Text(
            en="The password is answered with an error or without a usable cookie, a host or the domain "
            "refuses the fresh token, or the platform shows the form again. A refused password is "
            "no_data and not tried again.",
            zh="提交密码后出错或没有可用的 cookie、某台主机或域名拒绝刚签发的登录态，或平台再次显示登录表单。"
            "密码被拒绝为 no_data，不再重试。",
        ),
        means=Text(
            en="What users see. It alone finds a login that answers 500 after a correct password while all "
            "else is green.",
            zh="即用户所见。只有它能发现：密码正确后 login 返回 500，而其他检查全绿。",
        ),
        remedy=repair(
            Text(
                en="See which host refused the token and with what message; a server error right after a "
                "correct password is in login's log.",
                zh="查看哪台主机拒绝了登录态及其提示；密码正确后立即出现的服务器错误在 login 日志中。",
            ),
            (
                "tail -n 60 {home}/logs/open_paas/login_uwsgi.log",
                Text(en="on every paas host", zh="在每台 paas 主机上执行"),
            ),
        ),
        causes=(
            *needed("host-reachable"),
            *anywhere(
                "paas-clock-skew",
                "token-offset-config",
                "login-secret-equal",
                "login-settings-equal",
                "cookie-domain",
                "scheme-matches",
                "database-reachable",
                "database-login",
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
                "healthz-paas",
                "healthz-login",
                "login-redirect-shape",
            ),
            *seen_by_all("login-is-login-domain", "login-request-arrives"),
        ),
    ),
)
