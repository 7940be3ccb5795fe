auth:
  sid: '__AGENT_SID__'
  token: '__AGENT_TOKEN__'
settings:
  CONTROLLER_SERVER_URL: '__PAAS_URL__'   # PaaS域名
  BASE_PATH: '__BK_HOME__/paas_agent/paas_agent'
  BASE_APP_PATH: '__BK_HOME__/paas_agent'
  USE_PYPI: 'true'
  AGENT_LOG_PATH: '__BK_HOME__/logs/paas_agent/agent.log'
  TEMPLATE_PATH: 'etc/templates'
  BUILD_PATH: 'etc/build'
  EXECUTE_TIME_LIMIT: 300   # 部署超时时间(秒)
port: __PAAS_AGENT_PORT__
ip: ''
