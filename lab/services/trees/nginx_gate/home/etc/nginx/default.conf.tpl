server {
    listen __HTTP_PORT__ default_server;
    server_name _;
    return 444;
}
