/etc/consul-template/templates/paas.conf -> /usr/local/openresty/nginx/conf/conf.d/paas.conf
