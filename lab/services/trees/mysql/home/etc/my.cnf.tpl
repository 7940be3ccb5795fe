[mysqld]
user = mysql
bind-address = __BIND_IP__
port = __MYSQL_PORT__
datadir = /var/lib/mysql
socket = /run/mysqld/mysqld.sock
pid-file = /run/mysqld/mysqld.pid
log-error = __BK_HOME__/logs/mysql/mysqld.log
init-file = __BK_HOME__/etc/open_paas.sql
character-set-server = utf8
skip-name-resolve
skip-log-bin
innodb_buffer_pool_size = 16M
innodb_log_file_size = 4M
key_buffer_size = 1M
performance_schema = off
