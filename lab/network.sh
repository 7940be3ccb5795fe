#!/bin/bash
# The lab's own side, run once inside its namespaces: a bridge, the names, a resolver and a time server.
# There is no route from here to anywhere: what is not in the lab is unreachable immediately.
# env: NAME STATE BASE CONTROLLER PREFIX DOMAIN
set -euo pipefail

mount --make-rprivate /
mount -t proc proc /proc
hostname "lab-$NAME"
ip link set lo up
ip link add br0 type bridge
ip addr add "$CONTROLLER/$PREFIX" dev br0
ip link set br0 up

# Names: the lab's, and no way around them through a resolver daemon of the machine.
mount --bind "$STATE/hosts" /etc/hosts
resolv=$(readlink -f /etc/resolv.conf)
[ ! -e "$resolv" ] || mount --bind "$STATE/resolv.conf" "$resolv"
for socket in /run/systemd/resolve/io.systemd.Resolve /run/nscd/socket; do
    [ ! -e "$socket" ] || mount --bind /dev/null "$socket"
done

# Resolver and time server come from the hosts' base, so that the machine needs neither.
root=$STATE/mnt/controller
mount -t tmpfs -o mode=755,size=16m controller "$root"
mkdir "$root/upper" "$root/work" "$root/root"
mount -t overlay controller -o "lowerdir=$BASE,upperdir=$root/upper,workdir=$root/work" "$root/root"
root=$root/root
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=755,size=1m run "$root/run"
cp "$STATE/names" "$root/etc/lab-names"
chroot "$root" /usr/sbin/dnsmasq --user=root --group=root --conf-file=/dev/null --pid-file=/run/dnsmasq.pid \
    --no-resolv --no-hosts --addn-hosts=/etc/lab-names --local-ttl=0 --local="/$DOMAIN/" --local=/consul/ \
    --listen-address="$CONTROLLER" --bind-interfaces
mkdir -m 750 "$root/run/chrony"
printf '%s\n' 'local stratum 8' "bindaddress $CONTROLLER" "allow $CONTROLLER/$PREFIX" 'cmdport 0' > "$root/etc/chrony/chrony.conf"
chroot "$root" /usr/sbin/chronyd -x -u root
