# -*- coding: utf-8 -*-
DEBUG = False
TIME_ZONE = 'Asia/Shanghai'
USE_TZ = False

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

SECRET_KEY = '__ESB_SECRET_KEY__'

# 请求 paasagent 的超时时间
HTTP_TIMEOUT = 5
