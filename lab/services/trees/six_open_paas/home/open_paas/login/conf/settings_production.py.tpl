# -*- coding: utf-8 -*-
DEBUG = False

STATIC_ROOT = 'static'

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


PAAS_DOMAIN = '__PAAS_FQDN__:__HTTP_PORT__'
PAAS_INNER_DOMAIN = 'paas.service.consul:80'
HTTP_SCHEMA = '__SCHEME__'

# cookie访问域
BK_COOKIE_DOMAIN = '.__BK_DOMAIN__'

SECRET_KEY = '__ESB_SECRET_KEY__'
ESB_TOKEN = '__ESB_TOKEN__'

# 用户管理
BK_USERMGR_HOST = 'usermgr.service.consul:__USERMGR_PORT__'
