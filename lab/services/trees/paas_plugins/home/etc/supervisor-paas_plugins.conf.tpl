[unix_http_server]
file=__BK_HOME__/logs/paas_plugins/supervisor.sock   ; (the path to the socket file)

[supervisord]
logfile=__BK_HOME__/logs/paas_plugins/supervisord.log ; (main log file)
pidfile=__BK_HOME__/logs/paas_plugins/supervisord.pid ; (supervisord pidfile)

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix://__BK_HOME__/logs/paas_plugins/supervisor.sock ; use a unix:// URL  for a unix socket

[include]
files=__BK_HOME__/etc/supervisor-paas_plugins/*.conf
