"""Files whose times changed and whose content did not, and changes that were loaded."""

from __future__ import annotations

from lab.control import Lab
from lab.faults.actions import (
    await_http,
    edit,
    host,
    inner,
    keep,
    reload_nginx,
    restart,
    restore,
    supervisorctl,
)
from lab.faults.edited import LOGIN, PAAS, SITE, below, paas_start, supervisor_start
from lab.lookalikes.lookalike import Lookalike

INI = "etc/uwsgi-open_paas-{}.ini"
CONF = f"etc/supervisor-{PAAS}.conf"


def same(name: str, en: str, zh: str, role: str, command: str, undo: str = "true") -> Lookalike:
    def apply(lab: Lab) -> None:
        lab.run(host(lab, role), command.replace("{home}", str(lab.layout.home)))

    def put_back(lab: Lab) -> None:
        lab.run(host(lab, role), undo.replace("{home}", str(lab.layout.home)))

    return Lookalike(name, en, zh, apply, put_back)


TIMES = [
    same("settings-touched", "settings of all services were touched", "所有服务的配置被 touch", "paas",
         "touch {home}/open_paas/*/conf/*.py {home}/open_paas/esb/configs/default.py {home}/open_paas/appengine/controller/settings.py {home}/open_paas/*/wsgi.py",
         "touch -d '1 day ago' {home}/open_paas/*/conf/*.py {home}/open_paas/*/wsgi.py"),
    same("uwsgi-files-touched", "the uwsgi and supervisor files were touched", "uwsgi 和 supervisor 文件被 touch", "paas",
         "touch {home}/etc/*.ini {home}/etc/*.conf {home}/etc/supervisor-*/*.conf",
         "touch -d '1 day ago' {home}/etc/*.ini {home}/etc/*.conf {home}/etc/supervisor-*/*.conf"),
    same("nginx-files-touched", "the files of nginx were touched", "nginx 文件被 touch", "nginx", "touch {home}/etc/nginx.conf {home}/etc/nginx/*.conf",
         "touch -d '1 day ago' {home}/etc/nginx.conf {home}/etc/nginx/*.conf"),
    same("modes-changed", "chmod and chown -R over code and configuration", "对代码和配置执行 chmod、chown -R", "paas",
         "chmod -R g-w {home}/open_paas {home}/etc && chown -R root:root {home}/open_paas {home}/etc"),
    same("home-of-an-account", "chown -R gave the installation to an account, after the logs had moved to another disk", "日志移到另一块磁盘后，对安装目录执行 chown -R", "paas",
         "mkdir -p /data/bklog && mv {home}/logs/open_paas /data/bklog/ && ln -s /data/bklog/open_paas {home}/logs/open_paas"
         " && chmod -R o-rwx {home}/etc && chmod o-rx /data/bklog /data/bklog/open_paas && find {home} ! -type s -exec chown -h ops:ops {} +",
         "if [ -L {home}/logs/open_paas ]; then rm {home}/logs/open_paas && mv /data/bklog/open_paas {home}/logs/; fi;"
         " rmdir /data/bklog; chmod -R o+rX {home}/etc; chmod o+rx {home}/logs/open_paas; find {home} -exec chown -h root:root {} +"),
    same("nginx-of-an-account", "an account owns the files of nginx, all but a new one that only root may read", "nginx 文件属于某个账号，其中一个新文件只有 root 可读", "nginx",
         "chown -R ops:ops {home}/etc && chown root:root {home}/etc/nginx/paas.conf && chmod 600 {home}/etc/nginx/paas.conf",
         "chmod 644 {home}/etc/nginx/paas.conf; chown -R root:root {home}/etc"),
    same("agent-of-an-account", "an account owns the installation on the app host, and a link to the agent's configuration", "app 主机的安装目录属于某个账号，agent 的配置为其软链接", "appo",
         "chmod 600 {home}/etc/paas_agent_config.yaml && find {home} ! -type s -exec chown -h ops:ops {} + && chown root:root {home}/etc/paas_agent_config.yaml",
         "find {home} -exec chown -h root:root {} +; chmod 644 {home}/etc/paas_agent_config.yaml"),
    same("nginx-modes-changed", "chmod over the files of nginx", "对 nginx 文件执行 chmod", "nginx",
         "chmod 640 {home}/etc/nginx/*.conf && chown -R root:root {home}/etc", "chmod 644 {home}/etc/nginx/*.conf"),
    same("nginx-refuses-robots", "a rule of nginx refuses robots and scanners by their names", "nginx 的规则按名称拒绝爬虫和扫描器", "nginx",
         "sed -i 's/client_max_body_size .*/&\\n    if ($http_user_agent ~* \"sqlmap|nikto|masscan|curl\") { return 403; }/' {home}/etc/nginx/paas.conf"
         " && nginx -c {home}/etc/nginx.conf -s reload",
         "sed -i '/http_user_agent/d' {home}/etc/nginx/paas.conf && nginx -c {home}/etc/nginx.conf -s reload"),
    same("nginx-closes-other-paths", "nginx closes paths without users, and limits requests generously", "nginx 关闭无人使用的路径，限流足够宽松", "nginx",
         "cp -p {home}/etc/nginx/paas.conf /run/site && sed -i -e '1i limit_req_zone $binary_remote_addr zone=one:1m rate=100r/s; limit_conn_zone $binary_remote_addr zone=two:1m;'"
         " -e 's/client_max_body_size .*/&\\n    limit_req zone=one burst=200 nodelay; limit_conn two 200;/'"
         " -e 's|^    # paas$|    location /server-status { deny all; }\\n    location ~ /\\\\.(git\\|svn) { return 404; }\\n    location = /login/admin { auth_basic closed; auth_basic_user_file /etc/nginx/htpasswd; }\\n&|' {home}/etc/nginx/paas.conf"
         " && nginx -c {home}/etc/nginx.conf -s reload",
         "[ ! -e /run/site ] || { rm {home}/etc/nginx/paas.conf; mv /run/site {home}/etc/nginx/paas.conf; nginx -c {home}/etc/nginx.conf -s reload; }"),
    same("saas-styles-of-root", "styles of a SaaS belong to root and may be read by nginx", "SaaS 的样式属于 root，nginx 可读", "appo",
         "mkdir -p {home}/paas_agent/apps/projects/bk_framework/code/bk_framework/static/css && echo > {home}/paas_agent/apps/projects/bk_framework/code/bk_framework/static/a.css"
         " && chmod -R go=rX {home}/paas_agent/apps/projects/bk_framework/code/bk_framework/static",
         "rm -rf {home}/paas_agent/apps/projects/bk_framework/code/bk_framework/static"),
    same("hard-links", "a backup tool made hard links of the configuration", "备份工具为配置建立了硬链接", "paas",
         "mkdir -p {home}/backup && ln {home}/etc/*.ini {home}/etc/*.conf {home}/open_paas/login/conf/*.py {home}/backup/", "rm -rf {home}/backup"),
    same("backups-in-directory", "copies in the directory of nginx's files", "nginx 文件目录中有副本", "nginx",
         "cd {home}/etc/nginx && for f in *.conf; do cp $f $f.bak; done", "rm -f {home}/etc/nginx/*.bak"),
    same("agent-touched", "the configuration of paas_agent was touched", "paas_agent 的配置被 touch", "appo",
         "touch {home}/etc/paas_agent_config.yaml; chmod 600 {home}/etc/paas_agent_config.yaml", "chmod 644 {home}/etc/paas_agent_config.yaml; touch -d '1 day ago' {home}/etc/paas_agent_config.yaml"),
    same("nginx-files-touched-and-read", "the files of nginx were touched, and read since", "nginx 文件被 touch，之后又被读取", "nginx",
         "touch {home}/etc/nginx.conf {home}/etc/nginx/*.conf; sleep 1; cat {home}/etc/nginx.conf {home}/etc/nginx/*.conf > /dev/null",
         "touch -d '1 day ago' {home}/etc/nginx.conf {home}/etc/nginx/*.conf"),
    same("paas-files-touched-and-read", "settings, uwsgi and supervisor files were touched, and read since", "配置、uwsgi 和 supervisor 文件被 touch，之后又被读取", "paas",
         "touch {home}/open_paas/*/conf/*.py {home}/open_paas/*/wsgi.py {home}/etc/*.ini {home}/etc/*.conf; sleep 1;"
         " cat {home}/open_paas/*/conf/*.py {home}/open_paas/*/wsgi.py {home}/etc/*.ini {home}/etc/*.conf > /dev/null",
         "touch -d '1 day ago' {home}/open_paas/*/conf/*.py {home}/open_paas/*/wsgi.py {home}/etc/*.ini {home}/etc/*.conf"),
    same("nginx-backup-put-back", "an edit of nginx's files was undone with the backups", "用备份撤销了对 nginx 文件的修改", "nginx",
         "cd {home}/etc/nginx && for f in *.conf; do cp -p $f $f.bak && echo '# tried' >> $f && mv $f.bak $f; done"),
    same("nginx-files-copied-over", "cp -p put the same content into new files", "cp -p 以相同内容生成了新文件", "nginx",
         "cd {home}/etc/nginx && for f in *.conf; do cp -p $f /run/same && cp -p --remove-destination /run/same $f; done; rm -f /run/same"),
    same("nginx-copies-and-modes", "a copy of each of nginx's files was made before its mode was changed", "修改 nginx 文件权限之前做了副本", "nginx",
         "cd {home}/etc/nginx && for f in *.conf; do cp -p $f $f.bak && chmod 640 $f; done", "rm -f {home}/etc/nginx/*.bak; chmod 644 {home}/etc/nginx/*.conf"),
    same("other-settings-edited", "settings of development and manage.py were edited", "修改了开发环境配置和 manage.py", "paas",
         "echo 'DEBUG = True' > {home}/open_paas/login/conf/settings_development.py && cp -p {home}/open_paas/login/manage.py /run/manage"
         " && echo '# note' >> {home}/open_paas/login/manage.py",
         "rm -f {home}/open_paas/login/conf/settings_development.py; [ ! -e /run/manage ] || mv /run/manage {home}/open_paas/login/manage.py"),
]  # fmt: skip


def reload_by_signal(lab: Lab) -> None:
    """uwsgi reloads in place: the master keeps its pid and its start."""
    name = host(lab, "paas")
    edit(lab, name, below(lab, INI.format("esb")), "s/^buffer-size = .*/buffer-size = 16384/")
    lab.run(name, f"sleep 1.1; kill -HUP $(cat {below(lab, 'logs/open_paas/esb_uwsgi.pid')}); sleep 2")
    await_http(lab, name, f"http://{inner(lab, name)}:{lab.layout.ports['esb']}/")


def signal_undone(lab: Lab) -> None:
    restore(lab, host(lab, "paas"), below(lab, INI.format("esb")))
    restart(lab, host(lab, "paas"), "esb")


def edited_and_restarted(lab: Lab) -> None:
    name = host(lab, "paas", 1)
    edit(lab, name, below(lab, f"{LOGIN}/default.py"), "$ a # reviewed")
    restart(lab, name, "login")


def edit_undone(lab: Lab) -> None:
    restore(lab, host(lab, "paas", 1), below(lab, f"{LOGIN}/default.py"))
    restart(lab, host(lab, "paas", 1), "login")


def edited_and_reloaded(lab: Lab) -> None:
    edit(lab, host(lab, "nginx"), below(lab, SITE), "s/proxy_read_timeout 600;/proxy_read_timeout 601;/")
    reload_nginx(lab, host(lab, "nginx"))


def reload_undone(lab: Lab) -> None:
    restore(lab, host(lab, "nginx"), below(lab, SITE))
    reload_nginx(lab, host(lab, "nginx"))


def updated(lab: Lab) -> None:
    """supervisorctl update: supervisord keeps its start, the changed programs get a new one."""
    name = host(lab, "paas")
    edit(lab, name, below(lab, CONF), "/^\\[program:esb\\]/a stopwaitsecs=20")
    lab.run(name, "sleep 1.2")
    supervisorctl(lab, name, "update")
    await_http(lab, name, f"http://{inner(lab, name)}:{lab.layout.ports['esb']}/")


def update_undone(lab: Lab) -> None:
    restore(lab, host(lab, "paas"), below(lab, CONF))
    paas_start(0)(lab)


def spare_program(lab: Lab) -> None:
    """A program that supervisor does not start by itself and whose directory is made when it is wanted."""
    name = host(lab, "paas")
    keep(lab, name, below(lab, CONF))
    lab.run(
        name,
        f"printf '\\n[program:migrate]\\ncommand=/data/migrate/run\\nautostart=false\\n' >> {below(lab, CONF)}",
    )
    supervisor_start("paas", 0, PAAS)(lab)


CHANGES = [
    Lookalike("uwsgi-reloaded", "esb loaded its changed file by a signal", "esb 通过信号加载了修改后的文件", reload_by_signal, signal_undone),
    Lookalike("settings-edited-and-loaded", "login was restarted after a change", "修改之后重启了 login", edited_and_restarted, edit_undone),
    Lookalike("nginx-edited-and-reloaded", "nginx was reloaded after a change", "修改之后重载了 nginx", edited_and_reloaded, reload_undone),
    Lookalike("supervisor-updated", "supervisorctl update after a change", "修改之后执行了 supervisorctl update", updated, update_undone),
    Lookalike("spare-program", "a program that is not started by itself", "有不自动启动的程序", spare_program, update_undone),
]  # fmt: skip

LOOKALIKES = [*TIMES, *CHANGES]
