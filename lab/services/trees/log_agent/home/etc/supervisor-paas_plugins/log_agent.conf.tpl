[program:log_agent]
command=/usr/share/filebeat/bin/filebeat -c __BK_HOME__/paas_plugins/log_agent/conf/django.yml ; the program
stdout_logfile=__BK_HOME__/logs/paas_plugins/log_agent.log
redirect_stderr=true
