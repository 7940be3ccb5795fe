# vim:ft=sh

{{upstream OPEN_PAAS_APPENGINE paas-appengine 8000}}{{upstream OPEN_PAAS paas-paas 8001}}{{upstream OPEN_PAAS_ESB paas-esb 8002}}{{upstream OPEN_PAAS_LOGIN paas-login 8003}}{{upstream OPEN_PAAS_CONSOLE paas-console 8004}}
{{upstream OPEN_PAAS_APIGW paas-apigw 8005}}
{{upstream BK_APIGATEWAY apigw-apigateway 6006}}
server {
    listen {{key bkcfg/ports/paas_http}};
    server_name  __PAAS_FQDN__;

    client_max_body_size    2048m;
    access_log  __BK_HOME__/logs/nginx/paas_web_access.log main;
    error_log   __BK_HOME__/logs/nginx/paas_web_error.log error;

    proxy_connect_timeout 3;
    proxy_read_timeout 600;
    proxy_next_upstream http_502 http_504 error timeout invalid_header;
    proxy_redirect off;
    proxy_pass_header Server;
    proxy_set_header Host $http_host;
    proxy_set_header X-Real-IP $remote_addr;
    proxy_set_header X-Scheme $scheme;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;

    location ~ ^/(metrics|login/metrics|media/saas_files) {
        return 403;
    }

    # ============================ paas ============================
    location / {
        proxy_pass http://OPEN_PAAS;
    }

    # ============================ appengine ============================
    location ~ ^/v1 {
        proxy_pass http://OPEN_PAAS_APPENGINE;
    }

    # ============================ login ============================
    location ~ ^/login/(.*) {
        proxy_pass http://OPEN_PAAS_LOGIN/$1$is_args$args;
    }

    # ============================ console ============================
    location ~ ^/console/(.*) {
        proxy_pass http://OPEN_PAAS_CONSOLE/console/$1$is_args$args;
    }

    # ============================ esb ============================
    location ~ ^/api/c/(.*) {
        proxy_pass http://OPEN_PAAS_ESB/c/$1$is_args$args;
    }

    # ============================ apigw ============================
    location ~ ^/apigw/ {
        proxy_pass http://OPEN_PAAS_APIGW;
    }

    location ~ ^/api/(.*) {
        proxy_pass http://BK_APIGATEWAY/api/$1$is_args$args;
    }

    # upstream PAAS_AGENT_TEST {
    # upstream PAAS_AGENT_PROD {
    # ============================ app ============================
    location ~ ^/t/([^/]+) {
        proxy_pass http://t.$1;
    }

    location ~ ^/o/([^/]+) {
        proxy_pass http://$1;
    }
}

server {
    listen 80;
    server_name  paas.service.consul;

    client_max_body_size    512m;
    access_log  __BK_HOME__/logs/nginx/paas_api_access.log main;
    error_log   __BK_HOME__/logs/nginx/paas_api_error.log error;

    proxy_connect_timeout 3;
    proxy_read_timeout 600;
    proxy_next_upstream http_502 http_504 error timeout invalid_header;
    proxy_redirect off;
    proxy_pass_header Server;
    proxy_set_header Host $http_host;
    proxy_set_header X-Real-IP $remote_addr;
    proxy_set_header X-Scheme $scheme;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;

    # ============================ paas ============================
    location / {
        proxy_pass http://OPEN_PAAS;
    }

    # ============================ appengine ============================
    location ~ ^/v1 {
        proxy_pass http://OPEN_PAAS_APPENGINE;
    }

    # ============================ login ============================
    location ~ ^/login/(.*) {
        proxy_pass http://OPEN_PAAS_LOGIN/$1$is_args$args;
    }

    # ============================ console ============================
    location ~ ^/console/(.*) {
        proxy_pass http://OPEN_PAAS_CONSOLE/console/$1$is_args$args;
    }

    # ============================ esb ============================
    location ~ ^/api/c/(.*) {
        proxy_pass http://OPEN_PAAS_ESB/c/$1$is_args$args;
    }

    # ============================ apigw ============================
    location ~ ^/apigw/ {
        proxy_pass http://OPEN_PAAS_APIGW;
    }

    location ~ ^/api/(.*) {
        proxy_pass http://BK_APIGATEWAY/api/$1$is_args$args;
    }

    # upstream PAAS_AGENT_TEST {
    # upstream PAAS_AGENT_PROD {
    # ============================ app ============================
    location ~ ^/t/([^/]+) {
        proxy_pass http://t.$1;
    }

    location ~ ^/o/([^/]+) {
        proxy_pass http://$1;
    }
}
