#!/bin/bash
# Builds one host of the lab around itself and becomes it. Run by `unshare --fork -m -n -p -u -i` inside the lab.
# env: NAME ADDRESS MORE_ADDRESSES PREFIX ROLES STATE BASE SERVICES CONTROLLER DISK_MB TIMEZONE NAMES CGROUP
set -euo pipefail
ulimit -c 0
here=$(dirname "$0")
read -r pid _ < /proc/self/stat # as the lab counts
echo "$pid" > "$STATE/pids/$NAME"
if [ -n "$CGROUP" ]; then # this host's PID 1 is systemd: a control group of its own below the machine's
    mkdir -p "$CGROUP/$NAME"
    echo 0 > "$CGROUP/$NAME/cgroup.procs"
fi

# Network: one card, the other end on the lab's bridge. A fixed MAC, or peers keep the old one after a reboot.
hostname "$NAME"
ip link set lo up
ip link add eth0 type veth peer name "v-$NAME" netns /proc/1/ns/net
nsenter --net=/proc/1/ns/net ip link set "v-$NAME" master br0 up
# shellcheck disable=SC2046,SC2086
ip link set eth0 address $(printf '02:00:%02x:%02x:%02x:%02x' ${ADDRESS//./ })
for address in $ADDRESS $MORE_ADDRESSES; do ip addr add "$address/$PREFIX" dev eth0; done
ip link set eth0 up

# Disk: the common base below, this host's own layer in memory above.
disk=$STATE/mnt/host
mount -t tmpfs -o "mode=755,size=${DISK_MB}m" "$NAME" "$disk"
mkdir "$disk/upper" "$disk/work" "$disk/root"
layers=lowerdir=$BASE,upperdir=$disk/upper,workdir=$disk/work
# userxattr lets directories of the base be removed and renamed; kernels before 6.6 cannot do it on tmpfs.
mount -t overlay "$NAME" -o "$layers,userxattr" "$disk/root" || mount -t overlay "$NAME" -o "$layers" "$disk/root"
cd "$disk/root"
mkdir -p proc sys dev run tmp data
mount -t tmpfs -o mode=755,size=64k dev dev
for device in null zero full random urandom tty; do
    : > "dev/$device"
    mount --bind "/dev/$device" "dev/$device"
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts
mount -t tmpfs -o mode=1777,size=64m shm dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin
ln -s fd/1 dev/stdout
ln -s fd/2 dev/stderr
mount -t tmpfs -o mode=755,size=64m run run
mount -t tmpfs -o mode=1777,size=64m tmp tmp

# The kernel's files: what belongs to the whole machine is read-only, what belongs to this host's network is not.
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mkdir tmp/net
mount --bind proc/sys/net tmp/net
for place in acpi bus fs irq mtrr scsi sys sysrq-trigger; do
    [ -e "proc/$place" ] || continue
    mount --bind "proc/$place" "proc/$place"
    mount -o remount,bind,ro "proc/$place"
done
mount --bind tmp/net proc/sys/net
umount tmp/net
rmdir tmp/net

# What makes this host this host.
mkdir -p run/sshd run/lock
head -c 8 /dev/zero > run/labclock
echo /usr/lib/labclock.so > etc/ld.so.preload
echo "$NAME" > etc/hostname
printf '%s\n' '127.0.0.1 localhost' '::1 localhost' "$ADDRESS $NAME" "$NAMES" > etc/hosts
rm -f etc/resolv.conf
echo "nameserver $CONTROLLER" > etc/resolv.conf
ln -sf "/usr/share/zoneinfo/$TIMEZONE" etc/localtime
echo "$TIMEZONE" > etc/timezone
printf '%s\n' "server $CONTROLLER iburst" > etc/chrony/chrony.conf
install -m 644 "$STATE/id_ed25519.pub" etc/ssh/authorized_keys
mkdir -p opt/lab
cp -R "$SERVICES/." opt/lab/
install -m 755 "$here/boot.sh" "$here/boot-systemd.sh" "$here/labclock" opt/lab/
install -m 644 "$STATE/layout.json" opt/lab/
if [ -d "$STATE/tls" ]; then # the site's own authority: all hosts trust it, nginx in front has a certificate of it
    cat "$STATE/tls/ca.crt" >> etc/ssl/certs/ca-certificates.crt
    [[ " $ROLES " != *" nginx "* ]] || install -m 600 -D -t opt/lab/cert "$STATE"/tls/bk_domain.*
fi

mkdir .old
pivot_root . .old
cd /
umount -l /.old
rmdir /.old
first=(/usr/bin/tini -s -- /opt/lab/boot.sh)
[ -z "$CGROUP" ] || first=(/usr/bin/unshare --cgroup /opt/lab/boot-systemd.sh)
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
    NAME="$NAME" ADDRESS="$ADDRESS" ROLES="$ROLES" LAYOUT_JSON=/opt/lab/layout.json "${first[@]}"
