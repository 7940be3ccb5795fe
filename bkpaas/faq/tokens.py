"""FAQ: the request reaches PaaS but is refused: "Login validity is illegal"."""

from __future__ import annotations

from bkpaas.faq.model import Condition, Each, Pairs, Symptom, Text, anywhere, same_host, same_link

ONE_PAAS = Text(
    en="fewer than two paas hosts: nothing to compare",
    zh="paas 主机少于两台，无可比较",
)

SYMPTOM = Symptom(
    key="login-validity-illegal",
    title=Text(en='"Login validity is illegal"', zh="应用日志提示“Login validity is illegal”"),
    conditions=(
        "paas-clock-skew",
        "paas-clock-drift",
        "time-daemon",
        "token-offset-config",
        "token-offset-raised",
        "login-secret-equal",
        "login-illegal-in-logs",
    ),
)

CONDITIONS = (
    Condition(
        id="paas-clock-skew",
        scopes=(Pairs("paas"),),
        nobody=ONE_PAAS,
        title=Text(
            en="Tokens issued on one paas host are valid on the other: their clocks are close enough",
            zh="一台 paas 签发的登录态在另一台上有效：两台时间足够接近",
        ),
        remedy=Text(
            en="Set the clock right and keep it synchronised; then log in again. A larger BK_TOKEN_OFFSET_ERROR_TIME in "
            "{home}/open_paas/login/conf/default.py (on the host that is behind, then restart login) only hides it.\n"
            "$ chronyc makestep    # or: ntpdate -u YOUR_NTP_SERVER, on {ahead}\n"
            "$ systemctl enable --now chronyd    # on {first} and {second}",
            zh="校正时间并保持同步，然后重新登录。增大 {home}/open_paas/login/conf/default.py 中的 "
            "BK_TOKEN_OFFSET_ERROR_TIME（在时间慢的主机上，并重启 login）只能掩盖问题。\n"
            "$ chronyc makestep    # 或者：ntpdate -u 你的NTP服务器，在 {ahead} 上执行\n"
            "$ systemctl enable --now chronyd    # 在 {first} 和 {second} 上执行",
        ),
        causes=same_host("token-offset-config"),
    ),
    Condition(
        id="paas-clock-drift",
        scopes=(Pairs("paas"),),
        nobody=ONE_PAAS,
        severity="warn",
        title=Text(
            en="The clocks of the paas hosts agree to a few seconds", zh="paas 主机之间的时间相差不超过几秒"
        ),
        remedy=Text(
            en="Nothing is refused yet, but the clocks run apart. See why they are not synchronised.\n"
            "$ chronyc tracking; chronyc sources    # on {first} and {second}",
            zh="目前尚未出现拒绝，但时间正在偏离。检查为何没有同步。\n"
            "$ chronyc tracking; chronyc sources    # 在 {first} 和 {second} 上执行",
        ),
        causes=(*same_link("paas-clock-skew"), *same_host("clock-all", "time-daemon")),
    ),
    Condition(
        id="time-daemon",
        scopes=(Each(),),
        severity="warn",
        title=Text(en="A time daemon runs and is synchronised", zh="时间同步服务在运行并已同步"),
        remedy=Text(
            en="Run either chronyd or ntpd, with a server that answers. A virtual machine whose clock the hypervisor keeps "
            "may do without: then waive this.\n$ systemctl enable --now chronyd\n$ chronyc sources",
            zh="运行 chronyd 或 ntpd 之一，并配置可用的时间服务器。由虚拟化平台校时的虚拟机可以没有：此时请豁免本项。\n"
            "$ systemctl enable --now chronyd\n$ chronyc sources",
        ),
    ),
    Condition(
        id="token-offset-config",
        scopes=(Each(("paas",)),),
        title=Text(
            en="BK_TOKEN_OFFSET_ERROR_TIME is a number of seconds, the same on all paas hosts",
            zh="BK_TOKEN_OFFSET_ERROR_TIME 是秒数，且在所有 paas 主机上一致",
        ),
        remedy=Text(
            en="Make the value equal on all paas hosts (60 as shipped) and restart login on the host that was changed. "
            "settings_production.py overrides default.py.\n"
            "$ grep -n BK_TOKEN_OFFSET_ERROR_TIME {home}/open_paas/login/conf/*.py\n$ {supervisorctl} restart login",
            zh="在所有 paas 主机上使用相同的值（出厂为 60），并在修改过的主机上重启 login。settings_production.py 会覆盖 "
            "default.py。\n"
            "$ grep -n BK_TOKEN_OFFSET_ERROR_TIME {home}/open_paas/login/conf/*.py\n$ {supervisorctl} restart login",
        ),
    ),
    Condition(
        id="token-offset-raised",
        scopes=(Each(("paas",)),),
        severity="warn",
        title=Text(
            en="BK_TOKEN_OFFSET_ERROR_TIME has not been raised to hide a clock skew",
            zh="没有通过增大 BK_TOKEN_OFFSET_ERROR_TIME 来掩盖时间偏差",
        ),
        remedy=Text(
            en="Synchronise the clocks, then set it back to 60 and restart login.\n$ {supervisorctl} restart login",
            zh="同步时间后改回 60 并重启 login。\n$ {supervisorctl} restart login",
        ),
        causes=same_host("token-offset-config"),
    ),
    Condition(
        id="login-secret-equal",
        scopes=(Pairs("paas"),),
        nobody=ONE_PAAS,
        title=Text(
            en="Both paas hosts sign tokens with the same SECRET_KEY, project by project",
            zh="两台 paas 主机各项目的 SECRET_KEY 相同",
        ),
        remedy=Text(
            en="A token of one host cannot be read by the other. Copy the settings of the host that is right, then "
            "restart the service.\n"
            "$ scp {first}:{home}/open_paas/login/conf/settings_production.py /tmp/    # compare, then copy\n"
            "$ {supervisorctl} restart login",
            zh="一台签发的登录态另一台无法解密。以正确的主机为准复制配置，然后重启服务。\n"
            "$ scp {first}:{home}/open_paas/login/conf/settings_production.py /tmp/    # 比较后复制\n"
            "$ {supervisorctl} restart login",
        ),
    ),
    Condition(
        id="login-illegal-in-logs",
        scopes=(Each(("paas", "appo", "appt", "cmdb", "job")),),
        severity="warn",
        title=Text(
            en="No log has recently told of a token refused for its time",
            zh="近期日志中没有因有效期不合法而被拒绝的登录态",
        ),
        remedy=Text(
            en="Users were refused a short while ago. If the clocks are right now (paas-clock-skew), this ends by itself; "
            "a refused token heals once it is older than the skew.\n$ date +%s.%N    # on all paas hosts at once",
            zh="不久前有用户被拒绝。如果现在时间已正确（paas-clock-skew），会自行消失。\n"
            "$ date +%s.%N    # 在所有 paas 主机上同时执行",
        ),
        causes=(*anywhere("paas-clock-skew", "paas-clock-drift"), *same_host("login-log-dir")),
    ),
)
