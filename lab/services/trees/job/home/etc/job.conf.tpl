[site]
bk_login_url = __PAAS_URL__/login/?app_id=%s&c_url=%s
check_url = __PAAS_URL__/login/accounts/is_login/?bk_token=
app_code = job
[server]
address = __LAN_IP__
web_port = __JOB_NGXPROXY_PORT__
