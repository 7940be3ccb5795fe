[uwsgi]
plugins = http,python3
http = __LAN_IP__:__SERVICE_PORT__
http-timeout = __HTTP_TIMEOUT__
pidfile2 = __BK_HOME__/logs/open_paas/__SERVICE___uwsgi.pid
logto2 = __BK_HOME__/logs/open_paas/__SERVICE___uwsgi.log
logdate = true
log-format = [%(addr)] [%(ctime)] [%(method)] [%(uri)] [%(proto)] [%(status)] [%(msecs)] [%(referer)] [%(uagent)]
log-maxsize = 100000000
memory-report = true
master = true
need-app = true
vacuum = true
workers = __WORKERS__
buffer-size = 8192
chdir = __BK_HOME__/open_paas/__SERVICE__
pythonpath = /opt
module = wsgi:application
env=BK_ENV=production
env=PAAS_LOGGING_DIR=__BK_HOME__/logs/open_paas
