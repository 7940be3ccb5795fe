"""RabbitMQ listens and takes no message, or not from its clients."""

from __future__ import annotations

import shlex

from lab.control import Lab
from lab.faults.actions import address, host
from lab.faults.fault import Act, Fault

SECTION = "fatal-exited-too-quickly"
LOGS = "/var/log/rabbitmq/rabbit@*.log"
CLIENT = """
import socket, struct
def frame(body): return struct.pack(">BHI", 1, 0, len(body)) + body + b"\\xce"
peer = socket.create_connection(("{address}", {port}), 5)
peer.sendall(b"AMQP\\x00\\x00\\x09\\x01")
peer.recv(65536)
response = b"\\0bk_app\\0not-its-password"
body = struct.pack(">HH", 10, 11) + struct.pack(">I", 0) + b"\\x05PLAIN" + struct.pack(">I", len(response)) + response + b"\\x05en_US"
peer.sendall(frame(body))
peer.settimeout(3)
try:
    peer.recv(65536)
except OSError:
    pass
"""


def rabbitmqctl(arguments: str, expected: str) -> Act:
    """Run rabbitmqctl, until its log has a line."""

    def act(lab: Lab) -> None:
        name = host(lab, "rabbitmq")
        before = f"cat {LOGS} | grep -c {shlex.quote(expected)} || true"
        count = int(lab.run(name, before).strip() or 0)
        lab.run(name, f"rabbitmqctl -q {arguments}", timeout=90)
        lab.wait(lambda: int(lab.run(name, before).strip() or 0) > count, 30, f"the log has: {expected}")

    return act


def log_in_wrongly(lab: Lab) -> None:
    """An application still has its former password."""
    name = host(lab, "rabbitmq")
    code = CLIENT.format(address=address(lab, name), port=lab.layout.ports["rabbitmq"])
    lab.run(host(lab, "paas"), f"python3 -c {shlex.quote(code)}")
    lab.wait(lambda: "login refused" in lab.run(name, f"tail -n 30 {LOGS}"), 15, "the login is refused")


def forget_refusals(lab: Lab) -> None:
    lab.run(host(lab, "rabbitmq"), f"sed -i /refused/d {LOGS}")


FAULTS = (
    Fault(
        "rabbit-memory-alarm",
        "rabbit-alarm",
        SECTION,
        "RabbitMQ has set its memory alarm",
        "RabbitMQ 触发了内存告警",
        rabbitmqctl("set_vm_memory_high_watermark absolute 1MB", "memory resource limit alarm set"),
        rabbitmqctl("set_vm_memory_high_watermark absolute 256MB", "memory resource limit alarm cleared"),
    ),
    Fault(
        "rabbit-disk-alarm",
        "rabbit-alarm",
        SECTION,
        "RabbitMQ has set its disk alarm",
        "RabbitMQ 触发了磁盘告警",
        rabbitmqctl("set_disk_free_limit 900GB", "disk resource limit alarm set"),
        rabbitmqctl("set_disk_free_limit 5MB", "disk resource limit alarm cleared"),
    ),
    Fault(
        "rabbit-login-refused",
        "rabbit-alarm",
        SECTION,
        "RabbitMQ refuses the password of an application",
        "RabbitMQ 拒绝应用的密码",
        log_in_wrongly,
        forget_refusals,
    ),
)
