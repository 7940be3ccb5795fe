"""A consul agent, as far as the platform uses it: checks of its services, their names in DNS, and a key-value store.

`consul agent -config-dir=/etc/consul.d`. Each agent checks the services of its own host by TCP, and sends what it
found to all others once a second; an agent that was not heard of for ten seconds has no passing service.
"""

from __future__ import annotations

import base64
import json
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from . import argument, say
from .consul_dns import Names
from .server import Answer, Question, as_json, server

GOSSIP_PORT = 8301
GOSSIP_SECONDS = 1.0
FORGET_SECONDS = 10.0
CHECK_TIMEOUT = 3.0
MOST_BYTES = 65507
"""Longest datagram of the gossip."""


class Agent:
    """The state of one agent: its own services, and those of all agents that it heard of."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.config: dict[str, Any] = json.loads((directory / "consul.json").read_text("utf-8"))
        self.node: str = self.config["node_name"]
        self.address: str = self.config["bind_addr"]
        self.nodes: dict[str, tuple[float, str, list[dict[str, Any]]]] = {}

    def definitions(self) -> list[dict[str, Any]]:
        """Return the services of this host, read anew."""
        services = []
        for file in sorted((self.directory / "service").glob("*.json")):
            services.append(json.loads(file.read_text("utf-8"))["service"])
        return services

    def check(self) -> None:
        """Check the services of this host over and over."""
        while True:
            services = []
            for service in self.definitions():
                problem = _problem(service["check"]["tcp"])
                services.append(
                    {**service, "Status": "critical" if problem else "passing", "Output": problem}
                )
            self.nodes[self.node] = time.monotonic(), self.address, services
            self.announce()
            time.sleep(self.config["check_seconds"])

    def announce(self) -> None:
        """Send the state of this host to all others."""
        _, address, services = self.nodes[self.node]
        data = json.dumps({"node": self.node, "address": address, "services": services}).encode()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            for peer in self.config["retry_join"]:
                with suppress(OSError):
                    out.sendto(data, (peer, GOSSIP_PORT))

    def gossip(self) -> None:
        while True:
            time.sleep(GOSSIP_SECONDS)
            if self.node in self.nodes:
                self.nodes[self.node] = time.monotonic(), *self.nodes[self.node][1:]
                self.announce()

    def listen(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as inlet:
            inlet.bind((self.address, GOSSIP_PORT))
            while True:
                data, _ = inlet.recvfrom(MOST_BYTES)
                record = json.loads(data)
                self.nodes[record["node"]] = time.monotonic(), record["address"], record["services"]

    def instances(self, name: str = "") -> list[dict[str, Any]]:
        """Return the instances of a service, of all services without a name, in the form of /v1/health/service."""
        now = time.monotonic()
        instances_ = []
        for node, (received, address, services) in sorted(self.nodes.items()):
            for service in services:
                if name in ("", service["name"]):
                    alive = now - received < FORGET_SECONDS
                    status = service["Status"] if alive else "critical"
                    instances_.append(_instance(node, address, service, status))
        return instances_

    def addresses(self, name: str) -> list[str] | None:
        """Return the addresses of the passing instances of a service; None for a name that nothing has."""
        instances = self.instances(name)
        passing = [one["Service"]["Address"] for one in instances if one["Checks"][0]["Status"] == "passing"]
        return passing if instances else None

    def reply(self, question: Question) -> Answer:
        """Answer the HTTP interface."""
        url = urlsplit(question.path)
        query = parse_qs(url.query, keep_blank_values=True)
        match url.path.strip("/").split("/"):
            case ["v1", "agent", "services"]:
                return _json({one["name"]: _service(one, self.address) for one in self.definitions()})
            case ["v1", "health", "state", state]:
                checks = [one["Checks"][0] for one in self.instances()]
                return _json([check for check in checks if state in ("any", check["Status"])])
            case ["v1", "health", "service", name]:
                passing = "passing" in query
                return _json(
                    [
                        one
                        for one in self.instances(name)
                        if not passing or one["Checks"][0]["Status"] == "passing"
                    ]
                )
            case ["v1", "status", "leader"]:
                return _json(f"{self.config['leader']}:8300")
            case ["v1", "kv", *prefix]:
                return self.values("/".join(prefix))
        return Answer(
            "Invalid URL path: not a recognized HTTP API endpoint", 404, "text/plain; charset=utf-8"
        )

    def values(self, prefix: str) -> Answer:
        """Return the keys that begin with prefix."""
        stored: dict[str, str] = json.loads(Path(self.config["kv_file"]).read_text("utf-8"))
        rows = [
            {"Key": key, "Value": base64.b64encode(value.encode()).decode(), "Flags": 0}
            for key, value in sorted(stored.items())
            if key.startswith(prefix)
        ]
        return _json(rows) if rows else Answer("", 404)


def _json(content: Any) -> Answer:
    return Answer(as_json({"": content}).body[5:-1], content_type="application/json")


def _problem(endpoint: str) -> str:
    address, _, port = endpoint.rpartition(":")
    try:
        socket.create_connection((address, int(port)), CHECK_TIMEOUT).close()
    except OSError as error:
        return f"dial tcp {endpoint}: connect: {error.strerror or error}"
    return ""


def _service(service: dict[str, Any], address: str) -> dict[str, Any]:
    return {
        "ID": service["id"],
        "Service": service["name"],
        "Tags": [],
        "Address": service.get("address", address),
        "Port": service["port"],
    }


def _instance(node: str, address: str, service: dict[str, Any], status: str) -> dict[str, Any]:
    check = {
        "Node": node,
        "CheckID": f"service:{service['id']}",
        "Name": f"Service '{service['name']}' check",
        "Status": status,
        "Output": service["Output"],
        "ServiceID": service["id"],
        "ServiceName": service["name"],
    }
    return {
        "Node": {"Node": node, "Address": address},
        "Service": _service(service, address),
        "Checks": [check],
    }


def main() -> None:
    agent = Agent(argument("-config-dir"))
    names = Names(agent.addresses, agent.config["recursors"])
    for task in (agent.check, agent.gossip, agent.listen, lambda: names.serve(53), lambda: names.serve(8600)):
        threading.Thread(target=task, daemon=True).start()
    say(f"==> Consul agent running! node {agent.node}")
    server("127.0.0.1", 8500, agent.reply).serve_forever()
