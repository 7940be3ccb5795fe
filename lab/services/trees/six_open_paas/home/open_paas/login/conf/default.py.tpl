# -*- coding: utf-8 -*-
import os

try:
    import pymysql
    pymysql.install_as_MySQLdb()
except ImportError as e:
    raise ImportError("the database driver is missing: %s" % e)

BASE_DIR = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

DEBUG = False
ALLOWED_HOSTS = ['*']
SITE_URL = '/login/'
LOGIN_URL = SITE_URL

# ==============================================================================
# 国际化
# ==============================================================================
TIME_ZONE = 'Asia/Shanghai'
USE_TZ = True
LANGUAGE_CODE = 'zh-hans'
LANGUAGE_COOKIE_NAME = 'blueking_language'

# ==============================================================================
# cookie
# ==============================================================================
CSRF_COOKIE_NAME = 'bklogin_csrftoken'
CSRF_COOKIE_AGE = 60 * 60 * 24 * 7 * 52
SESSION_COOKIE_AGE = 60 * 60 * 24 * 7 * 2

# cookie名称
BK_COOKIE_NAME = 'bk_token'
# cookie 有效期，默认为1天
BK_COOKIE_AGE = 60 * 60 * 24
# bk_token 校验有效期校验时间允许误差，防止多台机器时间不同步，默认1分钟
BK_TOKEN_OFFSET_ERROR_TIME = 60
# 无操作 登录态失效时间，默认2小时
BK_INACTIVE_COOKIE_AGE = 60 * 60 * 2
# 无操作 登录态更新间隔
BK_INACTIVE_UPDATE_INTERVEL = 60

# ==============================================================================
# 任务状态
# ==============================================================================
# 事件超时时间
EVENT_STATE_EXPIRE_SECONDS = 180
HISTORY_EVENT_STATE_EXPIRE_SECONDS = 1800

# ==============================================================================
# logging
# ==============================================================================
LOGGING_DIR = os.environ.get('PAAS_LOGGING_DIR', os.path.join(BASE_DIR, 'logs'))
