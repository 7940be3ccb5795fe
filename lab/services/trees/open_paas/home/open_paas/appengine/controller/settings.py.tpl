# -*- coding: utf-8 -*-
import time

DEBUG = False
TIME_ZONE = 'Etc/GMT%+d' % (time.timezone / 3600)
USE_TZ = False

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

SECRET_KEY = '__APPENGINE_SECRET_KEY__'

# 请求 paasagent 的超时时间
HTTP_TIMEOUT = 5
