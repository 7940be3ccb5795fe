# -*- coding: utf-8 -*-
DEBUG = False

DATABASES = {
    'default': {
        'ENGINE': 'django.db.backends.mysql',
        'NAME': 'open_paas',
        'USER': '__MYSQL_USER__',
        'PASSWORD': '__MYSQL_PASS__',
        'HOST': 'mysql-default.service.consul',
        'PORT': '__MYSQL_PORT__',
    }
}

# 域名
PAAS_DOMAIN = '__PAAS_FQDN__:__HTTP_PORT__'
PAAS_INNER_DOMAIN = 'paas.service.consul:80'
HTTP_SCHEMA = '__SCHEME__'

# cookie
BK_COOKIE_NAME = 'bk_token'
BK_COOKIE_AGE = 60 * 60 * 24
BK_COOKIE_DOMAIN = '.__BK_DOMAIN__'

# 控制台地址
ENGINE_HOST = "http://__LAN_IP__:__APPENGINE_PORT__"
# 登陆服务地址
LOGIN_HOST = "http://__LAN_IP__:__LOGIN_PORT__"

HOST_CC = '__CMDB_URL__'
HOST_JOB = '__JOB_URL__'
# host iam
HOST_IAM = ':'
HOST_IAM_NEW = 'bkiam.service.consul:__IAM_PORT__'

SECRET_KEY = '__ESB_SECRET_KEY__'
ESB_TOKEN = '__ESB_TOKEN__'

# redis
REDIS_HOST = 'redis.service.consul'
REDIS_PORT = __REDIS_PORT__
REDIS_PASSWORD = '__REDIS_PASS__'

# 多个地址用;分隔
ELASTICSEARCH_URLS = 'elastic:__ES_PASS__@es7.service.consul:__ES_REST_PORT__'
ELASTICSEARCH_HOSTS = ELASTICSEARCH_URLS.split(';')
