# -*- coding: utf-8 -*-
import os

DEBUG = False
TIME_ZONE = 'Asia/Shanghai'
LOG_LEVEL = 'ERROR'
LOGGING_DIR = os.environ.get('PAAS_LOGGING_DIR', 'logs')

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

SECRET_KEY = '__ESB_SECRET_KEY__'
ESB_TOKEN = '__ESB_TOKEN__'

# 组件系统请求超时时间
HTTP_TIMEOUT = 30

# paas host
PAAS_HOST = '__PAAS_URL__'

# bk_login host
HOST_BK_LOGIN = 'http://__WEB_IP__:__LOGIN_PORT__'

# cmdb host
HOST_CC = 'http://__CMDB_IP__:__CMDB_API_PORT__'

# job host
HOST_JOB = '__JOB_URL__'

# fta host
HOST_FTA = 'http://__FTA_IP__:__FTA_PORT__'

# redis config
REDIS_HOST = '__REDIS_IP__'
REDIS_PORT = __REDIS_PORT__
REDIS_PASSWORD = '__REDIS_PASS__'
