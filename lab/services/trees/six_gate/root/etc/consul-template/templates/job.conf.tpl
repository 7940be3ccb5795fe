{{upstream JOB job-gateway __JOB_NGXPROXY_PORT__}}
server {
    listen {{key bkcfg/ports/paas_http}};
    server_name __JOB_FQDN__;

    access_log __BK_HOME__/logs/nginx/job_web_access.log main;
    error_log __BK_HOME__/logs/nginx/job_web_error.log;

    proxy_set_header Host $http_host;
    proxy_set_header X-Real-IP $remote_addr;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;

    location / {
        proxy_pass http://JOB;
    }
}
