#!/bin/sh
# Prepares the disk of hosts whose PID 1 is systemd: systemd.sh ROOT
set -eu
root=$1
units=$root/etc/systemd/system

# What the Debian packages enable is started by the units of the lab, or not at all.
for unit in nginx redis-server mariadb rabbitmq-server supervisor chrony ssh epmd; do
    rm -f "$units"/*.wants/"$unit".service "$units"/*.wants/"$unit".socket "$units/$unit.service"
done
rm -f "$units/chronyd.service" "$units/sshd.service" "$units/redis.service" "$units/mysql.service" # Debian's aliases
# What a namespace cannot have.
for unit in dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount sys-kernel-tracing.mount \
    sys-kernel-config.mount sys-fs-fuse-connections.mount proc-sys-fs-binfmt_misc.automount \
    systemd-udevd.service systemd-udev-trigger.service systemd-udevd-control.socket systemd-udevd-kernel.socket \
    systemd-modules-load.service systemd-sysctl.service systemd-remount-fs.service systemd-timesyncd.service \
    systemd-firstboot.service systemd-machine-id-commit.service systemd-random-seed.service \
    systemd-resolved.service getty.target console-getty.service systemd-logind.service \
    apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer \
    systemd-journal-flush.service systemd-update-utmp.service systemd-update-utmp-runlevel.service; do
    ln -sf /dev/null "$units/$unit"
done
ln -sf /lib/systemd/system/multi-user.target "$units/default.target"
chroot "$root" useradd --uid 10000 --user-group --create-home --shell /bin/bash blueking
