#!/bin/bash
# Becomes systemd, in a cgroup namespace of its own. env: NAME ADDRESS ROLES LAYOUT_JSON
set -u
mount -t cgroup2 cgroup2 /sys/fs/cgroup
ssh-keygen -q -t ed25519 -N '' -C "$NAME" -f /etc/ssh/ssh_host_ed25519_key
/opt/lab/start.sh || echo "start.sh ended with $?"
# Only root of the machine may raise a limit; a unit's LimitNOFILE above this one would not start.
exec env -i container=lab /lib/systemd/systemd
