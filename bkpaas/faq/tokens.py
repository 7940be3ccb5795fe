"""FAQ: the request reaches PaaS but is refused: "Login validity is illegal"."""

from __future__ import annotations

from bkpaas.faq.model import (
    Command,
    Condition,
    Each,
    Pairs,
    Point,
    Symptom,
    Text,
    anywhere,
    by_hand,
    repair,
    same_host,
    same_link,
)

ONE_PAAS = Text(
    en="fewer than two paas hosts: nothing to compare",
    zh="paas 主机少于两台，无可比较",
)

SET_CLOCK: tuple[Command | Text, ...] = (
    Text(
        en="Where chronyd runs, or no daemon yet (a second one beside ntpd does harm), start it before it can set the "
        "clock. makestep jumps: MySQL, ZooKeeper or Kafka on that host will notice.",
        zh="运行 chronyd 或还没有时间同步服务时（不要与 ntpd 并存），先启动它，再校正时间。makestep 会使时间跳变：该机上的 "
        "MySQL、ZooKeeper、Kafka 会受影响。",
    ),
    ("systemctl enable --now chronyd", Text(en="Debian: chrony", zh="Debian 为 chrony")),
    ("chronyc sources", Text(en="wait for a line that begins with ^*", zh="等到有一行以 ^* 开头")),
    ("chronyc makestep", Text(en="on the host that is off", zh="在不准的主机上执行")),
    Text(en="Where ntpd runs, on the host that is off:", zh="运行 ntpd 时，在不准的主机上执行："),
    "systemctl stop ntpd; ntpdate NTP_SERVER; systemctl start ntpd",
)

_OFFSET_FILES = (
    "grep -nw BK_TOKEN_OFFSET_ERROR_TIME {home}/open_paas/login/conf/default.py "
    "{home}/open_paas/login/conf/settings_production.py",
    Text(en="the second file overrides the first", zh="后一个文件覆盖前一个"),
)

SYMPTOM = Symptom(
    key="login-validity-illegal",
    title=Text(en='"Login validity is illegal"', zh="应用日志提示“Login validity is illegal”"),
    introduction=Text(
        en="The request arrives and is refused: logins work now and then, and an application's log says "
        '"Login validity is illegal" (登录态有效期不合法).',
        zh="请求到达但校验失败：登录时好时坏，应用日志提示“Login validity is illegal”（登录态有效期不合法）。",
    ),
    conditions=(
        "paas-clock-skew",
        "paas-clock-drift",
        "time-daemon",
        "token-offset-config",
        "token-offset-raised",
        "login-secret-equal",
        "login-illegal-in-logs",
    ),
    points=(
        Point(
            says=Text(
                en='The application\'s log says "Login validity is illegal".',
                zh="应用日志里提示“Login validity is illegal”。",
            ),
            conditions=("login-illegal-in-logs",),
            answer=Text(
                en="It is the caller's log: login itself notes no refusal. Through nginx the sentence "
                "comes in Chinese, through ESB in English; both are looked for, in the logs of the platform and of the "
                "SaaS. CMDB and JOB keep logs of their own that the suite does not read: look there yourself.",
                zh="是调用方的日志：login 自己不记录拒绝。经 nginx 是中文，经 ESB 是英文，两种都查，范围是平台和 SaaS 的日志。"
                "CMDB 和 JOB 的日志套件不读取，请自行查看。",
            ),
        ),
        Point(
            says=Text(
                en="It comes of two paas hosts whose clocks differ.",
                zh="由两台 paas 之间时间不同步引起。",
            ),
            conditions=("paas-clock-skew", "paas-clock-drift", "time-daemon"),
            answer=Text(
                en='Another SECRET_KEY looks alike to the user but says "Parameters bk_token is illegal": '
                "login-secret-equal.",
                zh="SECRET_KEY 不同时用户看到的现象相似，但提示是“参数bk_token非法”：见 login-secret-equal。",
            ),
        ),
        Point(
            says=Text(en="One can log in now and then.", zh="有时可以登录，有时不能。"),
            conditions=("paas-clock-skew", "login-works"),
            answer=Text(
                en="It depends on which host issued the token and which one checks it. A refused token "
                "heals when it is old enough, so a second try hides the fault; with `--login-user` the "
                "token is checked at once.",
                zh="取决于由哪台签发、哪台校验。被拒绝的登录态过一段时间会变为有效，重试会掩盖故障；使用 "
                "`--login-user` 时会立即校验。",
            ),
        ),
        Point(
            says=Text(
                en="A cookie of host A, checked on B, is taken for expired when the clocks are more than "
                "one minute apart.",
                zh="A 机器生成的 cookie 到 B 机器校验，时间差大于默认 1 分钟会被判为过期。",
            ),
            conditions=("paas-clock-skew",),
            answer=Text(
                en="Not expired but illegal (有效期不合法; 已过期 is another message), and in one "
                "direction only: the issuer must be ahead of the verifier. A token from the past is "
                "accepted.",
                zh="不是“已过期”而是“有效期不合法”，而且只有一个方向：签发的一台比校验的一台快。来自过去的"
                "登录态会被接受。",
            ),
        ),
        Point(
            says=Text(en="Set both clocks and keep them synchronised.", zh="调整两台服务器时间，保持同步。"),
            conditions=("paas-clock-skew", "paas-clock-drift", "time-daemon"),
        ),
        Point(
            says=Text(
                en="When that cannot be done, raise BK_TOKEN_OFFSET_ERROR_TIME in login/conf/default.py.",
                zh="无法同步时，可修改 login/conf/default.py 中的 BK_TOKEN_OFFSET_ERROR_TIME。",
            ),
            conditions=("token-offset-config", "token-offset-raised"),
            answer=Text(
                en="It holds on the host that checks (the one behind), after a restart of login, and "
                "settings_production.py overrides it. It hides the skew, so a raised value is a warning.",
                zh="它在校验方（时间慢的一台）生效，需要重启 login，且会被 settings_production.py 覆盖。它"
                "只是掩盖偏差，因此调大后为警告。",
            ),
        ),
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
        reads=Text(
            en="Both clocks, measured to and fro over the connections (half the best round trip is the "
            "uncertainty); BK_TOKEN_OFFSET_ERROR_TIME of the host that is behind.",
            zh="通过连接往返测得的两台时钟（最短往返时间的一半为误差）；时间慢的一台的 "
            "BK_TOKEN_OFFSET_ERROR_TIME。",
        ),
        fails=Text(
            en="One clock is ahead by more than BK_TOKEN_OFFSET_ERROR_TIME of the one behind, even after "
            "the uncertainty is taken off. no_data when that cannot be told, or the uncertainty is "
            "above `clock_uncertainty_seconds` (2).",
            zh="扣除误差后，一台仍比另一台快出慢者的 BK_TOKEN_OFFSET_ERROR_TIME 以上。无法判定或误差超过 "
            "`clock_uncertainty_seconds`（2）秒时为 no_data。",
        ),
        means=Text(
            en='A token of the fast host is refused on the slow one as "Login validity is illegal", until '
            "it is old enough; the other way round it is accepted. Hence logins that work now and then.",
            zh="快的一台签发的登录态在慢的一台上被拒绝（“Login validity is illegal”），过一段时间才有效；反"
            "方向则正常。因此登录时好时坏。",
        ),
        remedy=repair(
            Text(
                en="Off is {off}. Set the wrong clock right and keep "
                "both synchronised; then log in again. A larger BK_TOKEN_OFFSET_ERROR_TIME in "
                "{home}/open_paas/login/conf/default.py (on the host that is behind, then restart "
                "login) only hides it.",
                zh="不准的是 {off}。校正不准的一台，两台都保持同步，然后重新登录。增大 {home}"
                "/open_paas/login/conf/default.py 中的 BK_TOKEN_OFFSET_ERROR_TIME（在时间慢的主机上，并"
                "重启 login）只能掩盖问题。",
            ),
            (
                "chronyc tracking || ntpq -pn",
                Text(
                    en="on {first} and {second}: which of the two is off?",
                    zh="在 {first} 和 {second} 上执行：哪一台不准？",
                ),
            ),
            *SET_CLOCK,
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
        reads=Text(en="The same two clocks.", zh="同样的两台时钟。"),
        fails=Text(
            en="They are more than `clock_drift_seconds` (3) apart, after the uncertainty is taken off.",
            zh="扣除误差后相差超过 `clock_drift_seconds`（3）秒。",
        ),
        means=Text(
            en="No token is refused yet. Clocks that run apart go on doing so until logins fail.",
            zh="目前还没有登录态被拒绝。时间若持续偏离，迟早会登录失败。",
        ),
        remedy=repair(
            Text(
                en="Nothing is refused yet, but the clocks run apart. See why they are not synchronised.",
                zh="目前尚未出现拒绝，但时间正在偏离。检查为何没有同步。",
            ),
            (
                "chronyc tracking && chronyc sources || ntpq -pn",
                Text(en="on {first} and {second}", zh="在 {first} 和 {second} 上执行"),
            ),
        ),
        causes=(*same_link("paas-clock-skew"), *same_host("clock-all", "time-daemon")),
    ),
    Condition(
        id="time-daemon",
        scopes=(Each(),),
        severity="warn",
        title=Text(en="A time daemon runs and is synchronised", zh="时间同步服务在运行并已同步"),
        reads=Text(
            en="Whether chronyd, ntpd or systemd-timesyncd runs, and what `chronyc -n tracking` or `ntpq -pn` says; for "
            "timesyncd whether `/run/systemd/timesync/synchronized` is there.",
            zh="chronyd、ntpd 或 systemd-timesyncd 是否在运行，以及 `chronyc -n tracking` 或 `ntpq -pn` 的输出；"
            "timesyncd 则看 `/run/systemd/timesync/synchronized` 是否存在。",
        ),
        fails=Text(
            en="None runs, or the one that runs follows no server. no_data when it runs but cannot be asked.",
            zh="都没有运行，或运行但没有同步到服务器。运行但无法查询时为 no_data。",
        ),
        means=Text(en="The clock is right by accident and will drift.", zh="时钟只是碰巧正确，会逐渐偏离。"),
        remedy=repair(
            Text(
                en="Run either chronyd or ntpd, with a server that answers. A virtual machine whose clock "
                "the hypervisor keeps may do without: then waive this.",
                zh="运行 chronyd 或 ntpd 之一，并配置可用的时间服务器。由虚拟化平台校时的虚拟机可以没有：此"
                "时请豁免本项。",
            ),
            (
                "systemctl status chronyd ntpd systemd-timesyncd",
                Text(en="which of them is installed, which runs", zh="安装了哪个、哪个在运行"),
            ),
            Text(
                en="With chronyd, when no ntpd runs:",
                zh="使用 chronyd，且没有 ntpd 在运行时：",
            ),
            ("systemctl enable --now chronyd", Text(en="Debian: chrony", zh="Debian 为 chrony")),
            ("chronyc sources", Text(en="one line begins with ^*", zh="应有一行以 ^* 开头")),
            Text(en="With ntpd:", zh="使用 ntpd 时："),
            "systemctl enable --now ntpd",
            ("ntpq -pn", Text(en="one line begins with *", zh="应有一行以 * 开头")),
        ),
    ),
    Condition(
        id="token-offset-config",
        scopes=(Each(("paas",)),),
        title=Text(
            en="BK_TOKEN_OFFSET_ERROR_TIME is a number of seconds, the same on all paas hosts",
            zh="BK_TOKEN_OFFSET_ERROR_TIME 是秒数，且在所有 paas 主机上一致",
        ),
        reads=Text(
            en="BK_TOKEN_OFFSET_ERROR_TIME as it takes effect: `login/conf/default.py`, then "
            "settings_production.py, on every paas host.",
            zh="各 paas 主机上最终生效的 BK_TOKEN_OFFSET_ERROR_TIME：先 `login/conf/default.py`，后 "
            "settings_production.py。",
        ),
        fails=Text(
            en="It is no number of at least 0, or not what most paas hosts have; with equal counts, the "
            "shipped value (`token_offset_seconds`, 60) is taken for right.",
            zh="不是大于等于 0 的数字，或与多数 paas 主机不同；数量相等时以出厂值（`token_offset_seconds`，"
            "60）为准。",
        ),
        means=Text(
            en="The same token is valid on one host and refused on another, by settings alone.",
            zh="仅因配置不同，同一登录态在一台有效、另一台被拒绝。",
        ),
        remedy=repair(
            Text(
                en="Make the value equal on all paas hosts (60 as shipped) and restart login on the host "
                "that was changed. settings_production.py overrides default.py.",
                zh="在所有 paas 主机上使用相同的值（出厂为 60），并在修改过的主机上重启 login。"
                "settings_production.py 会覆盖 default.py。",
            ),
            _OFFSET_FILES,
            by_hand(en="edit the value now", zh="此时修改该值"),
            "{supervisorctl} restart login",
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
        reads=Text(en="The same setting.", zh="同一配置项。"),
        fails=Text(
            en="It is more than `token_offset_seconds` (60).",
            zh="大于 `token_offset_seconds`（60）。",
        ),
        means=Text(
            en="Somebody has widened the tolerance instead of synchronising the clocks: logins work, the "
            "skew stays and everything else that needs the time is wrong.",
            zh="有人放宽了容忍时间而没有同步时钟：登录可用，但时间偏差仍在，其他依赖时间的功能会出错。",
        ),
        remedy=repair(
            Text(
                en="Synchronise the clocks, then set it back to 60 and restart login.",
                zh="同步时间后改回 60 并重启 login。",
            ),
            ("chronyc tracking || ntpq -pn", Text(en="on every paas host", zh="在每台 paas 主机上执行")),
            _OFFSET_FILES,
            by_hand(en="once the clocks agree, set it to 60", zh="时间一致之后改为 60"),
            "{supervisorctl} restart login",
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
        reads=Text(
            en="SECRET_KEY of login, paas, esb and appengine on both paas hosts, as digests; the keys "
            "themselves are kept nowhere.",
            zh="两台 paas 主机上 login、paas、esb、appengine 的 SECRET_KEY（只比较摘要，不保存密钥本身）。",
        ),
        fails=Text(
            en="A project's key differs between the two, or stands on one host only. no_data when it is "
            "not a plain string, such as one read from the environment.",
            zh="某个项目的密钥两台不同，或只有一台有。不是普通字符串（例如取自环境变量）时为 no_data。",
        ),
        means=Text(
            en='A token of one host cannot be decrypted on the other: "Parameters bk_token is illegal", '
            "and the login page comes back.",
            zh="一台签发的登录态另一台无法解密：“参数bk_token非法”，登录页面再次出现。",
        ),
        remedy=repair(
            Text(
                en="A token of one host cannot be read by the other. Find the host that is right: the one "
                "whose key the other installations of this site have. Put its SECRET_KEY into the same "
                "file of the other host, that line alone (a whole file of paas has addresses of its own "
                "host), then restart the service there. Whoever holds a token of the old key logs in "
                "again.",
                zh="一台签发的登录态另一台无法解密。先确认哪台正确，把它的 SECRET_KEY 这一行（不要复制整个"
                "文件，paas 的配置中有本机地址）写入另一台的同一文件，再重启该服务。持有旧密钥登录态的用"
                "户需要重新登录。",
            ),
            (
                "grep -h '^SECRET_KEY' {home}/open_paas/*/*/*.py 2>/dev/null | md5sum",
                Text(
                    en="on {first} and {second}; prints no key",
                    zh="在 {first} 和 {second} 上执行；不会显示密钥",
                ),
            ),
            by_hand(en="put the right key in now", zh="此时写入正确的密钥"),
            (
                "{supervisorctl} restart login",
                Text(
                    en="on the host that was changed; likewise each other project whose key was changed",
                    zh="在修改过的主机上执行；密钥改过的其他项目同理",
                ),
            ),
        ),
    ),
    Condition(
        id="login-illegal-in-logs",
        scopes=(Each(("paas", "appo", "appt")),),
        severity="warn",
        title=Text(
            en="No log has recently told of a token refused for its time",
            zh="近期日志中没有因有效期不合法而被拒绝的登录态",
        ),
        reads=Text(
            en="The ends of paas.log, esb*.log and login.log on paas hosts and of the applications' logs on "
            "app hosts, for the sentence in English, Chinese and JSON's escapes. It is the caller that notes a refusal; "
            "login.log is read too, though login as shipped writes none. The logs of CMDB and JOB are not read.",
            zh="paas 主机的 paas.log、esb*.log、login.log 和 app 主机的应用日志末尾，匹配英文、中文和 JSON "
            "转义形式。记录拒绝的是调用方；login.log 也会读取，但出厂的 login 不写这条记录。不读取 CMDB 和 JOB 的日志。",
        ),
        fails=Text(
            en="Such a line is younger than `log_window_minutes` (10).",
            zh="存在 `log_window_minutes`（10）分钟以内的此类日志。",
        ),
        means=Text(
            en="Users were sent back to the login page just now. Older lines are history and do not count.",
            zh="刚刚有用户被送回登录页面。更早的日志属于历史，不计入。",
        ),
        remedy=repair(
            Text(
                en="Users were refused a short while ago. If the clocks are right now (paas-clock-skew), "
                "this ends by itself; a refused token heals once it is older than the skew.",
                zh="不久前有用户被拒绝。如果现在时间已正确（paas-clock-skew），会自行消失；被拒绝的登录态过"
                "一段时间也会变为有效。",
            ),
            (
                "date +%s.%N; chronyc tracking || ntpq -pn",
                Text(en="on all paas hosts at once", zh="在所有 paas 主机上同时执行"),
            ),
        ),
        causes=(*anywhere("paas-clock-skew", "paas-clock-drift"), *same_host("login-log-dir")),
    ),
)
