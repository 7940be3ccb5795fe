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
        'HOST': 'mysql-default.service.consul',
        'PORT': '__MYSQL_PORT__',
    }
}

SECRET_KEY = '__ESB_SECRET_KEY__'
ESB_TOKEN = '__ESB_TOKEN__'

# 组件系统请求超时时间
HTTP_TIMEOUT = 30

# paas host
PAAS_HOST = 'http://paas.service.consul:80'

# bk_login host
HOST_BK_LOGIN = 'http://paas.service.consul:80'

# cmdb host
HOST_CC = 'http://cmdb-api.service.consul:__CMDB_API_PORT__'

# job host
HOST_JOB = 'http://job-gateway.service.consul:__JOB_NGXPROXY_PORT__'

# usermgr host
USERMGR_HOST = 'http://usermgr.service.consul:__USERMGR_PORT__'

# redis config
USE_SENTINEL = False
REDIS_HOST = 'redis.service.consul'
REDIS_PORT = __REDIS_PORT__
REDIS_PASSWORD = '__REDIS_PASS__'
