[server]
address = __LAN_IP__
api_port = __USERMGR_PORT__
[users]
__PAAS_ADMIN_USER__ = __PAAS_ADMIN_PASS__
