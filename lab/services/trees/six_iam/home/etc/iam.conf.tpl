[server]
address = __LAN_IP__
port = __IAM_PORT__
[application]
code = bk_paas
secret = __ESB_TOKEN__
[database]
id = iam
host = mysql-default.service.consul
port = __MYSQL_PORT__
