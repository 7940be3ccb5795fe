"""Every host is a machine of its own, and none of them is this machine."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable

import pytest

from lab.control import Lab
from lab.errors import LabError

pytestmark = pytest.mark.lab

Ssh = Callable[..., str]


def clock_offset(lab: Lab, host: str) -> float:
    """Return the offset of the host's clock from this machine's, in seconds."""
    before = time.time()
    shown = float(lab.run(host, "date +%s.%N"))
    return shown - (before + time.time()) / 2


def test_ssh_answers_with_the_host_key_that_was_read_on_the_host(ssh: Ssh) -> None:
    for target, name in (("one", "one"), ("two", "two"), ("10.66.0.12", "two"), ("10.66.0.112", "two")):
        assert ssh(target, "hostname").strip() == name


def test_an_unknown_host_key_is_refused(lab: Lab) -> None:
    key = "/etc/ssh/ssh_host_ed25519_key"
    lab.run("one", f"rm {key} && ssh-keygen -q -t ed25519 -N '' -f {key}")
    lab.run("one", "pkill -x sshd; while pgrep -x sshd; do sleep 0.02; done; /usr/sbin/sshd")
    with pytest.raises(LabError, match="Host key verification failed"):
        lab.exec(["ssh", "-F", str(lab.state_dir / "ssh_config"), "one", "true"])
    lab.reboot("one")


def test_ops_may_become_root_and_guest_may_not(ssh: Ssh) -> None:
    assert ssh("ops@one", "sudo -n id -u").strip() == "0"
    assert ssh("guest@one", "sudo -n true 2>/dev/null || echo refused") == "refused\n"
    assert ssh("root@one", "id -u").strip() == "0"


def test_etc_environment_reaches_a_login(lab: Lab, ssh: Ssh) -> None:
    lab.run("two", "echo http_proxy=http://10.66.0.99:3128 >> /etc/environment")
    assert ssh("two", "echo $http_proxy").strip() == "http://10.66.0.99:3128"
    lab.run("two", "sed -i /http_proxy/d /etc/environment")


def test_processes_are_the_hosts_own(lab: Lab) -> None:
    processes = lab.run("one", "ps -eo pid=,args=")
    assert processes.split("\n")[0].split()[:2] == ["1", "/usr/bin/tini"]
    assert processes.count("/usr/sbin/sshd") == 1
    lab.run("two", "setsid sleep 1234 </dev/null >/dev/null 2>&1 &")
    assert "sleep 1234" in lab.run("two", "ps -eo args=")
    assert "sleep 1234" not in lab.run("one", "ps -eo args=")


def test_the_firewall_is_the_hosts_own(lab: Lab) -> None:
    lab.run("one", "iptables -A INPUT -s 10.66.0.12 -p tcp --dport 7007 -j REJECT --reject-with tcp-reset")
    with pytest.raises(LabError):
        lab.run("two", "nc -z -w 2 one 7007")
    assert lab.ready(), "for everybody else the port is open"
    assert "7007" not in lab.run("two", "iptables-save")
    lab.run("one", "iptables -F INPUT && nft list ruleset")
    lab.run("two", "nc -z -w 2 one 7007")


def test_the_disk_is_the_hosts_own_and_has_an_end(lab: Lab) -> None:
    lab.run("one", "echo mine > /data/file")
    assert "absent" in lab.run("two", "cat /data/file 2>/dev/null || echo absent")
    assert 400 < int(lab.run("one", "df -m --output=size / | tail -n 1")) <= 512
    lab.run("one", "rm /data/file")


def test_directories_of_the_base_can_be_removed_and_renamed(lab: Lab) -> None:
    lab.run("one", "rm -rf /etc/nginx && mkdir /etc/nginx && mv /etc/supervisor /etc/supervisor.old")
    assert lab.run("one", "ls /etc/nginx; ls /etc/supervisor.old").split() == ["conf.d", "supervisord.conf"]
    assert "nginx.conf" in lab.run("two", "ls /etc/nginx")


def test_a_second_address_answers(lab: Lab) -> None:
    lab.run("one", "nc -z -w 2 10.66.0.112 7007")


def test_names_are_the_layouts(lab: Lab) -> None:
    assert lab.run("one", "getent ahostsv4 paas.bklab.test").split()[0] == "10.66.0.12"
    assert lab.run("one", "getent ahostsv4 spare.service.consul").split()[0] == "10.66.0.12"
    assert lab.exec(["getent", "ahostsv4", "two"]).split()[0] == "10.66.0.12"
    for unknown in ("nobody.bklab.test", "example.com"):
        assert "none" in lab.run("one", f"timeout 60 getent hosts {unknown}; [ $? = 2 ] && echo none")


def test_nothing_leads_out_of_the_lab(lab: Lab) -> None:
    beyond = 'import socket; socket.create_connection(("192.0.2.1", 80), timeout=5)'
    for place in (lambda line: lab.exec(["sh", "-c", line]), lambda line: lab.run("one", line)):
        assert [route.split()[0] for route in place("ip -4 route").splitlines()] == ["10.66.0.0/24"]
        assert "Network is unreachable" in place(f"python3 -c '{beyond}' 2>&1 || true")


def test_neither_network_sees_the_other(lab: Lab) -> None:
    links = {link for _, link in socket.if_nameindex()}
    assert not any(link.startswith("v-") for link in links)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        connect = f"import socket; socket.create_connection(('127.0.0.1', {port}), timeout=2)"
        with pytest.raises(LabError, match="Connection refused"):
            lab.exec(["python3", "-c", connect])


def test_each_host_has_its_own_clock(lab: Lab) -> None:
    reader = "import sys, time\nfor line in sys.stdin: print(time.time(), flush=True)"
    with subprocess.Popen(
        lab.inside("ssh", "-F", str(lab.state_dir / "ssh_config"), "one", f"python3 -c '{reader}'"),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as running:  # fmt: skip
        assert running.stdin is not None and running.stdout is not None

        def clock() -> float:
            running.stdin.write("\n")
            running.stdin.flush()
            return float(running.stdout.readline()) - time.time()

        assert abs(clock()) < 2
        lab.run("one", "/opt/lab/labclock -3600.5")
        assert abs(clock() + 3600.5) < 2, "a process that ran before sees the new time"
        running.stdin.close()
    assert abs(clock_offset(lab, "one") + 3600.5) < 2
    assert abs(clock_offset(lab, "two")) < 2
    assert float(lab.run("one", "/opt/lab/labclock")) == -3600.5
    lab.run("one", "/opt/lab/labclock 0")
    assert abs(clock_offset(lab, "one")) < 2


def test_setting_a_hosts_clock_moves_that_host_only(lab: Lab, ssh: Ssh) -> None:
    wall, steady = time.time(), time.monotonic()
    ssh("ops@one", f"sudo date -s @{int(wall) + 7200}")
    assert abs(clock_offset(lab, "one") - 7200) < 3
    assert abs(clock_offset(lab, "two")) < 2
    assert abs((time.time() - wall) - (time.monotonic() - steady)) < 1, "this machine's clock must not move"
    lab.run("one", f"date -s @{int(time.time())}")
    assert abs(clock_offset(lab, "one")) < 2


def test_the_kernel_refuses_a_host_the_machines_clock_and_settings(lab: Lab) -> None:
    past_the_library = "import ctypes; print(ctypes.CDLL(None, use_errno=True).syscall(227, 0, (ctypes.c_long * 2)(1, 0)), ctypes.get_errno())"
    if os.uname().machine == "x86_64":
        assert lab.run("one", f"python3 -c '{past_the_library}'").split() == ["-1", "1"]
    for file in ("/proc/sys/vm/swappiness", "/proc/sys/kernel/panic", "/sys/power/state"):
        assert "refused" in lab.run(
            "one", f"[ ! -e {file} ] || (cat {file} > {file}) 2>/dev/null || echo refused"
        ) or not os.path.exists(file)
    lab.run("one", "echo 1 > /proc/sys/net/ipv4/ip_forward && echo 0 > /proc/sys/net/ipv4/ip_forward")


def test_a_reboot_gives_a_pristine_host(lab: Lab, ssh: Ssh) -> None:
    known = (lab.state_dir / "known_hosts").read_text()
    mac = lab.run("one", "cat /sys/class/net/eth0/address")
    uptime_of_two = lab.run("two", "cut -d' ' -f22 /proc/1/stat")
    lab.run("one", "touch /data/old; /opt/lab/labclock 60; rm -rf /usr/sbin/nginx; iptables -P INPUT DROP")
    lab.reboot("one")
    assert ssh("one", "ls /data; ls /usr/sbin/nginx").split() == ["/usr/sbin/nginx"]
    assert abs(clock_offset(lab, "one")) < 2
    assert lab.run("one", "cat /sys/class/net/eth0/address") == mac
    assert lab.run("two", "cut -d' ' -f22 /proc/1/stat") == uptime_of_two
    now = (lab.state_dir / "known_hosts").read_text()
    assert now.splitlines()[0] != known.splitlines()[0]
    assert now.splitlines()[1:] == known.splitlines()[1:]
    assert lab.ready()


def test_a_hung_host_can_be_entered_and_rebooted(lab: Lab) -> None:
    lab.run("one", "kill -STOP $(pgrep -x sshd)")
    with pytest.raises(LabError):
        lab.exec(["ssh", "-F", str(lab.state_dir / "ssh_config"), "-o", "ConnectTimeout=1", "one", "true"])
    lab.reboot("one")
    assert lab.ready()


def test_run_returns_status_and_output(lab: Lab) -> None:
    with pytest.raises(LabError, match=r"(?s)status 3.*one: .*\nso it is"):
        lab.run("one", "echo so it is; exit 3")
    with pytest.raises(LabError, match="took too long"):
        lab.run("one", "sleep 60", timeout=0.2)
    with pytest.raises(LabError, match="no host 'three'; it has one, two"):
        lab.run("three", "true")


def test_run_does_not_wait_for_what_stays_in_the_background(lab: Lab) -> None:
    assert lab.run("one", "sleep 4321 & echo started", timeout=240) == "started\n"
    assert "sleep 4321" in lab.run("one", "ps -eo args=")


def test_wait_says_what_did_not_happen(lab: Lab) -> None:
    with pytest.raises(LabError, match=r"not after 0.1 s: the sun rises"):
        lab.wait(lambda: False, 0.1, "the sun rises")
