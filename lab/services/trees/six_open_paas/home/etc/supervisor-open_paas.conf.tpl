[unix_http_server]
file=__BK_HOME__/logs/open_paas/supervisor.sock   ; (the path to the socket file)

[supervisord]
logfile=__BK_HOME__/logs/open_paas/supervisord.log ; (main log file;default $CWD/supervisord.log)
logfile_maxbytes=50MB        ; (max main logfile bytes b4 rotation;default 50MB)
logfile_backups=10           ; (num of main logfile rotation backups;default 10)
loglevel=info                ; (log level;default info; others: debug,warn,trace)
pidfile=__BK_HOME__/logs/open_paas/supervisord.pid ; (supervisord pidfile;default supervisord.pid)
nodaemon=false               ; (start in foreground if true;default false)

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix://__BK_HOME__/logs/open_paas/supervisor.sock ; use a unix:// URL  for a unix socket

[program:paas]
command=__BK_HOME__/.envs/paas/bin/uwsgi --ini __BK_HOME__/etc/uwsgi-open_paas-paas.ini ; the program (relative uses PATH, can take args)
stdout_logfile=__BK_HOME__/logs/open_paas/paas_supervisord.log ; stdout log path, NONE for none; default AUTO
redirect_stderr=true         ; redirect proc stderr to stdout (default false)
stopsignal=INT               ; signal used to kill process (default TERM)
autorestart=true             ; restart at unexpected quit (default: true)

[program:login]
command=__BK_HOME__/.envs/login/bin/uwsgi --ini __BK_HOME__/etc/uwsgi-open_paas-login.ini ; the program
stdout_logfile=__BK_HOME__/logs/open_paas/login_supervisord.log
redirect_stderr=true
stopsignal=INT
autorestart=true

[program:esb]
command=__BK_HOME__/.envs/esb/bin/uwsgi --ini __BK_HOME__/etc/uwsgi-open_paas-esb.ini ; the program
stdout_logfile=__BK_HOME__/logs/open_paas/esb_supervisord.log
redirect_stderr=true
stopsignal=INT
autorestart=true

[program:appengine]
command=__BK_HOME__/.envs/appengine/bin/uwsgi --ini __BK_HOME__/etc/uwsgi-open_paas-appengine.ini ; the program
stdout_logfile=__BK_HOME__/logs/open_paas/appengine_supervisord.log
redirect_stderr=true
stopsignal=INT
autorestart=true
