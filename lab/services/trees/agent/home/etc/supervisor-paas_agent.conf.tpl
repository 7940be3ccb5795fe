[unix_http_server]
file=__BK_HOME__/logs/paas_agent/supervisor.sock   ; (the path to the socket file)

[supervisord]
logfile=__BK_HOME__/logs/paas_agent/supervisord.log ; (main log file)
pidfile=__BK_HOME__/logs/paas_agent/supervisord.pid ; (supervisord pidfile)

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix://__BK_HOME__/logs/paas_agent/supervisor.sock ; use a unix:// URL  for a unix socket

[program:paas_agent]
command=__BK_HOME__/paas_agent/paas_agent/bin/paas_agent ; the program
directory=__BK_HOME__/paas_agent/paas_agent
stdout_logfile=__BK_HOME__/logs/paas_agent/paas_agent-supervisord.log
redirect_stderr=true
autorestart=true
