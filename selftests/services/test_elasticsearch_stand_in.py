"""The stand-in of Elasticsearch: what it answers the suite, log_parser and the faults of the lab."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from bkpaas.facts.elasticsearch import Search, searches
from bkpaas.facts.secrets import Secrets
from lab.services.daemons import es_command
from lab.services.programs.documents import Store
from lab.services.programs.elasticsearch import METHODS, Node, node_settings
from lab.services.programs.server import server

SERVICES = Path(__file__).parents[2] / "lab" / "services"
START_ATTEMPTS = 30
INDEX = "paas_app_log-2026.11.28"
ASKED = {
    "root": "/",
    "health": "/_cluster/health?master_timeout=5s",
    "blocks": "/paas_app_log-*/_settings/index.blocks.*",
    "cluster": "/_cluster/settings?include_defaults=true&filter_path=*.cluster.blocks,*.cluster.routing.allocation,"
    "*.cluster.max_shards_per_node,*.action.auto_create_index",
    "indices": "/_cat/indices/paas_app_log-*?format=json&h=index,status",
    "nodes": "/_cat/allocation?format=json&bytes=b&h=node,disk.percent,disk.avail",
    "newest": f"/{INDEX},paas_app_log-2026.11.27/_search"
    "?ignore_unavailable=true&size=1&sort=@timestamp:desc&_source=@timestamp,beat.hostname,source",
    "mapping": f"/{INDEX},paas_app_log-2026.11.27/_mapping/field/@timestamp?ignore_unavailable=true",
}
"""Requests of the suite."""


class Client:
    """A client of a running stand-in."""

    def __init__(self, port: int) -> None:
        self.place = f"127.0.0.1:{port}"

    def __call__(self, method: str, path: str, body: Any = None) -> requests.Response:
        return requests.request(method, f"http://{self.place}{path}", json=body, timeout=60)

    def add(self, time: str, message: str = "visited", index: str = INDEX) -> int:
        return self("POST", f"/{index}/_doc", {"@timestamp": time, "message": message}).status_code

    def facts(self) -> Search:
        """Return what the parser of the suite makes of the answers."""
        section = {}
        for part, path in ASKED.items():
            answer = self("GET", path)
            url = f"http://{self.place}{path}"
            section[f"es-{part}@{self.place}"] = {
                "url": url,
                "status": answer.status_code,
                "body": answer.text,
            }
        return searches(section, Secrets(b"key")).by_address[self.place]


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    running = server("127.0.0.1", 0, Node(Store(tmp_path)).answer, METHODS)
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield Client(running.server_address[1])
    running.shutdown()
    thread.join()
    running.server_close()


def test_the_settings_of_a_command_line() -> None:
    assert node_settings(["x/elasticsearch", "-Ehttp.port=1", "-Epath.data=/a=b"]) == {
        "http.port": "1",
        "path.data": "/a=b",
    }


def test_an_empty_node_is_green_and_complete(client: Client) -> None:
    facts = client.facts()
    assert facts.unknown == {} and facts.indices == () and facts.newest is None and facts.blocks == {}
    assert facts.nodes[0].used_percent >= 0
    assert client("GET", "/_cluster/health").json()["status"] == "green"
    assert client("GET", "/").json()["version"]["number"] == "7.16.3"


def test_documents_of_a_host_and_file_are_found(client: Client) -> None:
    for name, minute in (("appo-1", 1), ("appo-1", 3), ("appt-1", 5)):
        body = {
            "@timestamp": f"2026-11-28T10:0{minute}:00Z",
            "beat": {"hostname": name},
            "source": "/logs/a/a.log",
        }
        assert client("POST", f"/{INDEX}/_doc", body).status_code == 201
    for words, newest in (
        ('(beat.hostname:"appo-1" OR host:"appo-1") AND (source:"/logs/a/a.log" OR path:"x")', 1795860180000),
        ('(beat.hostname:"appt-1") AND (source:"/logs/a/a.log")', 1795860300000),
        ('(beat.hostname:"appo-2") AND (source:"/logs/a/a.log")', None),
        ('(beat.hostname:"appo-1") AND (source:"/logs/b/b.log")', None),
    ):
        path = (
            f"/{INDEX}/_search?lenient=true&size=1&sort=@timestamp:desc&_source=@timestamp&q={quote(words)}"
        )
        hits = client("GET", path).json()["hits"]["hits"]
        assert [hit["sort"][0] for hit in hits] == ([newest] if newest else [])


def test_settings_and_types_that_keep_new_indices_out(client: Client) -> None:
    facts = client.facts()
    assert (facts.settings.auto_create, facts.settings.shards_per_node) == ("true", 1000)
    assert facts.settings.flood_stage == "95%" and facts.time_types == {}
    client.add("2026-11-28T10:00:00Z")
    client("PUT", f"/{INDEX}/_settings", {"index.lab.timestamp": "text"})
    words = {"action.auto_create_index": "false", "cluster.max_shards_per_node": 3}
    client("PUT", "/_cluster/settings", {"persistent": words})
    facts = client.facts()
    assert (facts.settings.auto_create, facts.settings.shards_per_node) == ("false", 3)
    assert facts.time_types == {INDEX: "text"}
    assert client.add("2026-11-28T10:00:00Z", index="paas_app_log-2026.11.29") == 404


def test_documents_are_found_newest_first_and_a_replica_makes_it_yellow(client: Client) -> None:
    assert client.add("2026-11-28T10:00:00.500Z") == 201
    assert client.add("2026-11-28T09:00:00Z", "delivered-x") == 201
    facts = client.facts()
    assert facts.newest == 1795860000.5
    assert [each.name for each in facts.indices] == [INDEX]
    assert client("GET", "/_cluster/health").json()["status"] == "yellow"
    assert client("GET", "/paas_app_log-*/_count?q=message:delivered").text.startswith('{"count":1,')
    assert client("GET", f"/{INDEX}/_count").json()["count"] == 2


@pytest.mark.parametrize(
    "block, status", [("read_only_allow_delete", 429), ("write", 403), ("read_only", 403)]
)
def test_a_block_of_an_index_refuses_documents(client: Client, block: str, status: int) -> None:
    client.add("2026-11-28T10:00:00Z")
    assert client("PUT", "/paas_app_log-*/_settings", {f"index.blocks.{block}": True}).ok
    refused = client("POST", f"/{INDEX}/_doc", {})
    assert refused.status_code == status
    assert refused.json()["error"]["type"] == "cluster_block_exception"
    assert client.facts().blocks == {INDEX: (f"index.blocks.{block}",)}
    assert client("PUT", "/paas_app_log-*/_settings", {f"index.blocks.{block}": None}).ok
    assert client.add("2026-11-28T10:00:00Z") == 201 and client.facts().blocks == {}


def test_a_block_of_the_cluster_refuses_documents(client: Client) -> None:
    assert client("PUT", "/_cluster/settings", {"persistent": {"cluster.blocks.read_only": True}}).ok
    assert client.add("2026-11-28T10:00:00Z") == 403
    assert client.facts().blocks == {"": ("cluster.blocks.read_only",)}


def test_a_primary_shard_that_is_not_allocated_makes_it_red(client: Client) -> None:
    allocation = {"cluster": {"routing": {"allocation": {"enable": "none"}}}}
    assert client("PUT", "/_cluster/settings", {"persistent": allocation}).ok
    assert client.add("2026-11-28T10:00:00Z") == 503
    assert client("GET", "/_cluster/health").json()["status"] == "red"
    assert client("GET", ASKED["newest"]).status_code == 503
    client.add("2026-11-27T10:00:00Z", index="paas_app_log-2026.11.27")
    allocation["cluster"]["routing"]["allocation"]["enable"] = None  # type: ignore[assignment]
    assert client("PUT", "/_cluster/settings", {"persistent": allocation}).ok
    assert client.add("2026-11-28T10:00:00Z") == 201
    assert client("GET", "/_cluster/health").json()["status"] == "yellow"


def test_bulk_reports_each_document(client: Client) -> None:
    lines = '{"index":{}}\n{"@timestamp":"2026-11-28T10:00:00Z"}\n{"index":{"_index":"UPPER"}}\n{}\n'
    answer = requests.post(f"http://{client.place}/{INDEX}/_bulk", data=lines, timeout=60).json()
    assert answer["errors"] and [one["index"]["status"] for one in answer["items"]] == [201, 400]


def test_everything_but_transient_settings_outlives_a_restart(client: Client, tmp_path: Path) -> None:
    client.add("2026-11-28T10:00:00Z")
    client("PUT", f"/{INDEX}/_settings", {"number_of_replicas": 0})
    client("PUT", "/_cluster/settings", {"transient": {"a": "b"}, "persistent": {"c": "d"}})
    again = Store(tmp_path)
    (index,) = again.matching("*")
    assert (index.replicas, len(index.documents), again.cluster) == (
        0,
        1,
        {"persistent": {"c": "d"}, "transient": {}},
    )
    assert client("DELETE", f"/{INDEX}").ok
    assert Store(tmp_path).matching("*") == [] and list(tmp_path.glob("*.jsonl")) == []


@pytest.mark.parametrize(
    "method, path, status",
    [
        ("GET", "/paas_app_log-2026.11.28/_search", 404),
        ("GET", "/_nodes", 400),
        ("GET", "/_cluster/health?level=shards", 400),
        ("POST", "/_cluster/health", 400),
        ("PUT", "/UPPER", 400),
        ("PUT", "/..%2f..%2fetc", 400),
    ],
)
def test_an_unknown_request_is_refused_with_the_reason(
    client: Client, method: str, path: str, status: int
) -> None:
    answer = client(method, path)
    assert answer.status_code == status and answer.json()["status"] == status and answer.json()["error"]


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_the_installed_program_answers_under_the_name_of_the_original(tmp_path: Path) -> None:
    (tmp_path / "lab").symlink_to(SERVICES)
    program, port = tmp_path / "service/es/bin/elasticsearch", free_port()
    code = f"from pathlib import Path; from lab.programs import install; install(Path({str(program)!r}), 'elasticsearch')"
    python = ["/usr/bin/python3", "-B", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {code}"]
    subprocess.run(python, check=True)
    command = es_command(program, tmp_path, "127.0.0.1", port)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            retries = Retry(START_ATTEMPTS, backoff_factor=0.1, backoff_max=1)
            session = requests.Session()
            session.mount("http://", HTTPAdapter(max_retries=retries))
            answer = session.get(f"http://127.0.0.1:{port}/", timeout=60)
            words = Path(f"/proc/{process.pid}/cmdline").read_bytes().split(b"\0")
        finally:
            process.terminate()
        assert answer.json()["tagline"] == "You Know, for Search"
        assert words[0] == str(program).encode()
