#!/bin/sh
# Finishes the hosts' base: customize.sh ROOT, with labclock.so next to this script.
set -eu
root=$1
here=$(dirname "$0")
install -m 644 "$here/labclock.so" "$root/usr/lib/labclock.so"
mkdir -p "$root/data"

# One key pair a base would be shared by all hosts; each makes its own at boot.
rm -f "$root"/etc/ssh/ssh_host_*
cat > "$root/etc/ssh/sshd_config.d/lab.conf" <<'CONFIG'
HostKey /etc/ssh/ssh_host_ed25519_key
AuthorizedKeysFile /etc/ssh/authorized_keys
PermitRootLogin prohibit-password
PasswordAuthentication no
UsePAM yes
UseDNS no
MaxStartups 100:30:200
CONFIG

# ops may become root, guest may not.
for user in ops guest; do chroot "$root" useradd --create-home --shell /bin/bash "$user"; done
echo 'ops ALL=(ALL) NOPASSWD: ALL' > "$root/etc/sudoers.d/ops"
chmod 440 "$root/etc/sudoers.d/ops"
