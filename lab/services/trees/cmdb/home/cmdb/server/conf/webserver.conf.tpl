[site]
bk_login_url = __PAAS_URL__/login/?app_id=%s&c_url=%s
check_url = __PAAS_URL__/login/accounts/get_user/?bk_token=
bk_account_url = __PAAS_URL__/login/accounts/get_all_user/?bk_token=%s
app_code = cc
[server]
address = __LAN_IP__
api_port = __CMDB_API_PORT__
web_port = __CMDB_WEB_PORT__
