[server]
address = __LAN_IP__
api_port = __GSE_PORT__
