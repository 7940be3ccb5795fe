# -*- coding: utf-8 -*-
DEBUG = False

DATABASES = {
    'default': {
        'ENGINE': 'django.db.backends.mysql',
        'NAME': 'open_paas',
        'USER': '__MYSQL_USER__',
        'PASSWORD': '__MYSQL_PASS__',
        'HOST': '__MYSQL_IP__',
        'PORT': '__MYSQL_PORT__',
    }
}

# 域名
PAAS_DOMAIN = '__PAAS_SITE__'
PAAS_INNER_DOMAIN = '__PAAS_SITE__'
HTTP_SCHEMA = '__SCHEME__'

# cookie
BK_COOKIE_NAME = 'bk_token'
BK_COOKIE_AGE = 60 * 60 * 24
BK_COOKIE_DOMAIN = '.__BK_DOMAIN__'

# 控制台地址
ENGINE_HOST = "http://__WEB_IP__:__APPENGINE_PORT__"
# 登陆服务地址
LOGIN_HOST = "http://__WEB_IP__:__LOGIN_PORT__"

HOST_CC = '__CMDB_URL__'
HOST_JOB = '__JOB_URL__'

SECRET_KEY = '__PAAS_SECRET_KEY__'
ESB_TOKEN = '__ESB_TOKEN__'
__SEARCH_SETTINGS__