[program:log_parser]
command=__BK_HOME__/jvm/bin/java -cp /usr/share/logstash/logstash-core/lib/jars org.logstash.Logstash -f __BK_HOME__/paas_plugins/log_parser/conf/paas_app_log.conf ; the program
stdout_logfile=__BK_HOME__/logs/paas_plugins/log_parser.log
redirect_stderr=true
