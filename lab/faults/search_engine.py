"""Elasticsearch of the logs: it does not answer, takes no documents, or paas asks another address."""

from __future__ import annotations

import json

from lab.control import Lab
from lab.faults.actions import (
    address,
    edit,
    host,
    restart,
    restore,
    signal_processes,
    start_roles,
)
from lab.faults.fault import Fault
from lab.faults.log_cleanup import application_log

SECTION = "no-logs"
SEARCH_PASSWORD = "Lab-es-6/Tq@1"
GATE_PORT = 10005


def signal_search(lab: Lab, signal: str) -> None:
    """Send a signal to Elasticsearch on the host that paas is configured with."""
    signal_processes(lab, host(lab, "es"), signal, f"{lab.layout.home}/service/es/bin/elasticsearch")


def cable(lab: Lab, name: str, state: str) -> None:
    lab.exec(["ip", "link", "set", f"v-{name}", state])


def forget_allocation(lab: Lab) -> None:
    """Leave the allocation of shards off, as after maintenance; a deleted index stands for the change of the day."""
    set_allocation(lab, "none")
    ask_search(lab, ask_search(lab, "_cat/indices/paas_app_log-*?h=index").split()[-1], "-X DELETE")
    line = f"echo \"INFO [$(date '+%F %T')] bk_framework 1 visited\" >> {application_log(lab)}"
    lab.run(host(lab, "appo"), line)
    await_status(lab, "red")


def allocate(lab: Lab) -> None:
    set_allocation(lab, None)
    await_status(lab, "green", "yellow")


def set_allocation(lab: Lab, value: str | None) -> None:
    body = json.dumps({"persistent": {"cluster.routing.allocation.enable": value}})
    ask_search(lab, "_cluster/settings", f"-X PUT -H 'Content-Type: application/json' -d '{body}'")


def await_status(lab: Lab, *statuses: str) -> None:
    def reached() -> bool:
        return json.loads(ask_search(lab, "_cluster/health"))["status"] in statuses

    lab.wait(reached, 60, f"the cluster is {' or '.join(statuses)}")


def block_documents(lab: Lab, value: bool | None) -> None:
    """As Elasticsearch does by itself when a disk is too full."""
    body = json.dumps({"index.blocks.read_only_allow_delete": value})
    ask_search(lab, "paas_app_log-*/_settings", f"-X PUT -H 'Content-Type: application/json' -d '{body}'")


def gate(lab: Lab) -> None:
    """nginx before the search engine lets in only who knows a password; connections from outside lead there."""
    name, port = host(lab, "es"), lab.layout.ports["es"]
    location = f"auth_basic es; auth_basic_user_file /run/lab-es/users; proxy_pass http://{address(lab, name)}:{port};"
    conf = (
        f"events {{}} http {{ access_log off; server {{ listen {GATE_PORT}; location / {{ {location} }} }} }}"
    )
    lab.run(
        name,
        f"mkdir -p /run/lab-es && echo 'elastic:{{PLAIN}}{SEARCH_PASSWORD}' > /run/lab-es/users &&"
        f" echo '{conf}' > /run/lab-es/nginx.conf && /usr/sbin/nginx -c /run/lab-es/nginx.conf -g 'pid /run/lab-es/pid;' &&"
        f" iptables -t nat -I PREROUTING -p tcp --dport {port} -j REDIRECT --to-ports {GATE_PORT}",
    )


def open_gate(lab: Lab) -> None:
    lab.run(
        host(lab, "es"),
        "iptables -t nat -F PREROUTING; [ ! -e /run/lab-es/pid ] || kill $(cat /run/lab-es/pid); rm -rf /run/lab-es",
    )


def ask_search(lab: Lab, path: str, arguments: str = "") -> str:
    name = host(lab, "es")
    return lab.run(
        name, f"curl -sf -m 5 {arguments} 'http://{address(lab, name)}:{lab.layout.ports['es']}/{path}'"
    )


def settings(lab: Lab) -> str:
    return f"{lab.layout.home}/open_paas/paas/conf/settings_production.py"


def search_elsewhere(lab: Lab) -> None:
    for number in (0, 1):
        name = host(lab, "paas", number)
        edit(lab, name, settings(lab), "s/^\\(ELASTICSEARCH_URLS = '[^:]*\\):[0-9]*'/\\1:9201'/")
        restart(lab, name, "paas")


def search_right(lab: Lab) -> None:
    for number in (0, 1):
        restore(lab, host(lab, "paas", number), settings(lab))
        restart(lab, host(lab, "paas", number), "paas")


FAULTS = (
    Fault(
        "es-stopped",
        "es-health",
        SECTION,
        "the search engine does not run",
        "Elasticsearch 没有运行",
        lambda lab: signal_search(lab, "TERM"),
        lambda lab: start_roles(lab, host(lab, "es")),
    ),
    Fault(
        "es-frozen",
        "es-health",
        SECTION,
        "the search engine accepts connections and does not answer",
        "Elasticsearch 接受连接但没有应答",
        lambda lab: signal_search(lab, "STOP"),
        lambda lab: signal_search(lab, "CONT"),
    ),
    Fault(
        "es-login-missing",
        "es-health",
        SECTION,
        "the search engine requires a login that paas does not have",
        "Elasticsearch 需要登录，而 paas 没有配置账号",
        gate,
        open_gate,
    ),
    Fault(
        "es-red",
        "es-health",
        SECTION,
        "shards are not allocated any more since maintenance, and the new index of logs has no primary shard",
        "维护后未恢复分片分配，新的日志索引没有主分片，集群为 red",
        forget_allocation,
        allocate,
    ),
    Fault(
        "es-host-down",
        "host-reachable",
        SECTION,
        "the host of the search engine is off the network",
        "Elasticsearch 所在主机断网",
        lambda lab: cable(lab, host(lab, "es"), "down"),
        lambda lab: cable(lab, host(lab, "es"), "up"),
    ),
    Fault(
        "es-read-only",
        "es-writable",
        SECTION,
        "the indices of logs are read-only, as after a full disk",
        "日志索引被置为只读，如同磁盘写满之后",
        lambda lab: block_documents(lab, True),
        lambda lab: block_documents(lab, None),
    ),
    Fault(
        "es-address-wrong",
        "paas-es-config",
        SECTION,
        "paas uses a wrong port of the search engine",
        "paas 配置的 Elasticsearch 端口错误",
        search_elsewhere,
        search_right,
    ),
)
