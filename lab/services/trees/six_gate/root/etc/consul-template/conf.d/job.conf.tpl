/etc/consul-template/templates/job.conf -> /usr/local/openresty/nginx/conf/conf.d/job.conf
