server {
    listen __APP_NGXPROXY_PORT__;
    server_name __LAN_IP__;

    access_log __BK_HOME__/logs/nginx/paasagent_access.log main;
    error_log __BK_HOME__/logs/nginx/paasagent_error.log;
    client_max_body_size 2048m;

    location / {
        root /usr/share/nginx/html;
        index index.html index.nginx-debian.html;
    }

    location ~ ^/(?<env>t|o)/(?<app>[\w-]+)/static/(?<file>.*)$ {
        alias __BK_HOME__/paas_agent/apps/projects/$app/code/$app/static/$file;
    }

    location ~ ^/(?<env>t|o)/(?<app>[\w-]+) {
        if (!-f __BK_HOME__/paas_agent/apps/projects/$app/run/uwsgi.pid) {
            return 404;
        }
        include /etc/nginx/uwsgi_params;
        uwsgi_param SCRIPT_NAME /$env/$app;
        uwsgi_modifier1 30;
        uwsgi_read_timeout 300;
        uwsgi_pass unix:__BK_HOME__/paas_agent/apps/projects/$app/run/uwsgi.sock;
    }
}
