[uwsgi]
plugins = python3
socket = __BK_HOME__/paas_agent/apps/projects/bk_framework/run/uwsgi.sock
chmod-socket = 666
pidfile = __BK_HOME__/paas_agent/apps/projects/bk_framework/run/uwsgi.pid
daemonize = __BK_HOME__/paas_agent/apps/logs/bk_framework/uwsgi.log
chdir = __BK_HOME__/paas_agent/apps/projects/bk_framework/code/bk_framework
module = wsgi:application
master = true
vacuum = true
workers = 1
enable-threads = true
env = LOG_FILE=__BK_HOME__/paas_agent/apps/logs/bk_framework/bk_framework.log
pythonpath = /opt
