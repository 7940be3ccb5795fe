filebeat.prospectors:
- input_type: log
  paths:
    - __BK_HOME__/paas_agent/apps/logs/*/*.log
  exclude_files: ['uwsgi\.log$']
  document_type: django

filebeat.registry_file: __BK_HOME__/paas_plugins/log_agent/registry

output.redis:
  hosts: ["redis.service.consul:__REDIS_PORT__"]
  password: "__REDIS_PASS__"
  db: 0
  key: "paas_app_log"
  datatype: list
  timeout: 5
