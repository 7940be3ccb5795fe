auth:
  sid: '__AGENT_SID__'
  token: '__AGENT_TOKEN__'
settings:
  CONTROLLER_SERVER_URL: 'http://paas.service.consul:80'
  BASE_APP_PATH: '__BK_HOME__/paas_agent'
  USE_PYPI: 'true'
  AGENT_LOG_PATH: '__BK_HOME__/logs/paasagent/agent.log'
  TEMPLATE_PATH: 'paas_agent/etc/templates'
  BUILD_PATH: 'paas_agent/etc/build'
  EXECUTE_TIME_LIMIT: 300
port: __PAAS_AGENT_PORT__
ip: '__LAN_IP__'
