ssl_certificate __BK_HOME__/cert/bk_domain.crt;
ssl_certificate_key __BK_HOME__/cert/bk_domain.key;

server {
    listen __HTTP_PORT__;
    server_name __PAAS_FQDN__ __CMDB_FQDN__ __JOB_FQDN__;
    return 301 https://$host$request_uri;
}
