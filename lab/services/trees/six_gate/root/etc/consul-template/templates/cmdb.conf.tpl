{{upstream CMDB cmdb-web __CMDB_WEB_PORT__}}
server {
    listen {{key bkcfg/ports/paas_http}};
    server_name __CMDB_FQDN__;

    access_log __BK_HOME__/logs/nginx/cmdb_web_access.log main;
    error_log __BK_HOME__/logs/nginx/cmdb_web_error.log;

    proxy_set_header Host $http_host;
    proxy_set_header X-Real-IP $remote_addr;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;

    location / {
        proxy_pass http://CMDB;
    }
}
