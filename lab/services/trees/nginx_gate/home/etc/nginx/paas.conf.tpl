# vim:ft=nginx
upstream OPEN_PAAS {
__OPEN_PAAS_SERVERS__
}

upstream OPEN_PAAS_APPENGINE {
__OPEN_PAAS_APPENGINE_SERVERS__
}

upstream OPEN_PAAS_ESB {
__OPEN_PAAS_ESB_SERVERS__
}

upstream OPEN_PAAS_LOGIN {
__OPEN_PAAS_LOGIN_SERVERS__
}

upstream PAAS_AGENT_PROD {
__PAAS_AGENT_PROD_SERVERS__
}

upstream PAAS_AGENT_TEST {
__PAAS_AGENT_TEST_SERVERS__
}

server {
    listen __SITE_LISTEN__;
    server_name __PAAS_FQDN__;

    access_log __BK_HOME__/logs/nginx/paas_web_access.log main;
    error_log __BK_HOME__/logs/nginx/paas_web_error.log;

    client_max_body_size 512m;
    proxy_read_timeout 600;
    proxy_next_upstream http_502 http_504 error timeout invalid_header;
    proxy_redirect off;
    proxy_pass_header Server;
    proxy_set_header Host $http_host;
    proxy_set_header X-Real-IP $remote_addr;
    proxy_set_header X-Scheme $scheme;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;

    # paas
    location / {
        proxy_pass http://OPEN_PAAS;
    }

    location ~ ^/doc/(.*) {
        proxy_pass http://OPEN_PAAS/static/doc/$1$is_args$args;
    }

    # appengine
    location ~ ^/v1 {
        proxy_pass http://OPEN_PAAS_APPENGINE;
    }

    # esb
    location ~ ^/api/(.*) {
        proxy_pass http://OPEN_PAAS_ESB/$1$is_args$args;
    }

    # login
    location ~ ^/login/(.*) {
        proxy_pass http://OPEN_PAAS_LOGIN/$1$is_args$args;
    }

    # SaaS, test
    location ~ ^/t/ {
        proxy_pass http://PAAS_AGENT_TEST;
    }

    # SaaS, production
    location ~ ^/o/ {
        proxy_pass http://PAAS_AGENT_PROD;
    }
}
