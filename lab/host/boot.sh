#!/bin/bash
# What every host starts, whatever its roles. env: NAME ADDRESS ROLES LAYOUT_JSON
set -u
ssh-keygen -q -t ed25519 -N '' -C "$NAME" -f /etc/ssh/ssh_host_ed25519_key
/usr/sbin/sshd
/usr/sbin/chronyd -x -u root
/opt/lab/start.sh &
wait $!
status=$?
[ $status = 0 ] || echo "start.sh ended with $status"
exec sleep infinity
