/etc/consul-template/templates/app_upstream.conf -> /usr/local/openresty/nginx/conf/conf.d/app_upstream.conf
