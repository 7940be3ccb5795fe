[server]
address = __LAN_IP__
api_port = __FTA_PORT__
