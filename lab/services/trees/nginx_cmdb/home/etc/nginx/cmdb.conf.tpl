upstream CMDB {
__CMDB_SERVERS__
}

server {
    listen __SITE_LISTEN__;
    server_name __CMDB_FQDN__;

    access_log __BK_HOME__/logs/nginx/cmdb_access.log main;
    error_log __BK_HOME__/logs/nginx/cmdb_error.log;

    proxy_set_header Host $http_host;
    proxy_set_header X-Real-IP $remote_addr;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;

    location / {
        proxy_pass http://CMDB;
    }
}
