server {
    listen 80 default_server;
    server_name _;
    return 444;
}
