/etc/consul-template/templates/cmdb.conf -> /usr/local/openresty/nginx/conf/conf.d/cmdb.conf
