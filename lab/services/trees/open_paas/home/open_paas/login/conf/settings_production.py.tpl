# -*- coding: utf-8 -*-
DEBUG = False

STATIC_ROOT = 'static'

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

# 初始化用户名、密码
USERNAME = '__PAAS_ADMIN_USER__'
PASSWORD = '__PAAS_ADMIN_PASS__'

PAAS_DOMAIN = '__PAAS_SITE__'
PAAS_INNER_DOMAIN = '__PAAS_SITE__'
HTTP_SCHEMA = '__SCHEME__'

# cookie访问域
BK_COOKIE_DOMAIN = '.__BK_DOMAIN__'

SECRET_KEY = '__LOGIN_SECRET_KEY__'
ESB_TOKEN = '__ESB_TOKEN__'
