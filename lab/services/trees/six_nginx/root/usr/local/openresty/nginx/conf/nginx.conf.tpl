user blueking;
worker_processes 2;
pid logs/nginx.pid;
error_log __BK_HOME__/logs/nginx/error.log;

events {
    worker_connections 1024;
}

http {
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    server_tokens off;
    sendfile on;
    keepalive_timeout 65;
    server_names_hash_bucket_size 128;

    log_format main '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
                    '"$http_referer" "$http_user_agent" "$http_x_forwarded_for"';
    access_log __BK_HOME__/logs/nginx/access.log main;

    server {
        listen 80 default_server;
        server_name _;
        return 444;
    }

    include conf.d/*.conf;
}
