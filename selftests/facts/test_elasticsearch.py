"""The address of Elasticsearch in the settings of paas, and the answers of its versions."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from recorded import HOME, entry, first, got, host, visit

from bkpaas.errors import NoData
from bkpaas.facts import Endpoint, Index, Node, Search, Secrets, elasticsearch_endpoints
from bkpaas.facts.build import host_facts
from bkpaas.facts.elasticsearch import complaint, searches, speaks
from bkpaas.facts.search_state import ClusterSettings, Sample
from bkpaas.facts.settings import settings

ROOT_5 = """{
  "name" : "es-1", "cluster_name" : "bkce", "cluster_uuid" : "Yx3nSHTzQ9iKLGkKdnZcGQ",
  "version" : { "number" : "5.4.0", "build_hash" : "780f8c4", "build_date" : "2017-04-28T17:43:27.229Z",
    "build_snapshot" : false, "lucene_version" : "6.5.0" },
  "tagline" : "You Know, for Search"
}
"""
ROOT_7 = ROOT_5.replace("5.4.0", "7.16.1")
HEALTH_5 = (
    '{"cluster_name":"bkce","status":"green","timed_out":false,"number_of_nodes":3,"number_of_data_nodes":3,'
    '"active_primary_shards":61,"active_shards":122,"relocating_shards":0,"initializing_shards":0,'
    '"unassigned_shards":0,"delayed_unassigned_shards":0,"number_of_pending_tasks":0,'
    '"number_of_in_flight_fetch":0,"task_max_waiting_in_queue_millis":0,"active_shards_percent_as_number":100.0}'
)
REFUSED_7 = (
    '{"error":{"root_cause":[{"type":"security_exception","reason":"missing authentication credentials for REST '
    'request [/]","header":{"WWW-Authenticate":"Basic realm=\\"security\\" charset=\\"UTF-8\\""}}],"type":'
    '"security_exception","reason":"missing authentication credentials for REST request [/]"},"status":401}'
)
NO_MASTER = '{"error":{"root_cause":[],"type":"master_not_discovered_exception","reason":null},"status":503}'
BLOCKED_7 = '{"paas_app_log-2018.07.30":{"settings":{"index":{"blocks":{"read_only_allow_delete":"true"}}}}}'
INDICES_5 = '[{"index":"paas_app_log-2018.07.29","status":"close"},{"index":"paas_app_log-2018.07.30","status":"open"}]'
NODES_5 = '[{"node":"es-1","disk.percent":"96"},{"node":"UNASSIGNED","disk.percent":null}]'
NEWEST_5 = (
    '{"took":3,"timed_out":false,"_shards":{"total":10,"successful":10,"failed":0},"hits":{"total":184,'
    '"max_score":null,"hits":[{"_index":"paas_app_log-2018.07.30","_type":"django","_id":"AWT","_score":null,'
    '"_source":{"@timestamp":"2018-07-30T01:47:20.123Z"},"sort":[1532915240123]}]}}'
)
NEWEST_7 = (
    '{"took":1,"timed_out":false,"_shards":{"total":1,"successful":1,"skipped":0,"failed":0},"hits":{"total":'
    '{"value":10000,"relation":"gte"},"max_score":null,"hits":[{"_index":"paas_app_log-2018.07.30","_type":"_doc",'
    '"_id":"x","_score":null,"_source":{"@timestamp":"2018-07-30T01:47:20.123Z"},"sort":[1532915240123]}]}}'
)
NONE_7 = '{"took":0,"timed_out":false,"_shards":{"total":0,"successful":0,"failed":0},"hits":{"total":0,"hits":[]}}'
FAILED_5 = (
    '{"took":2,"timed_out":false,"_shards":{"total":10,"successful":5,"failed":5,"failures":[{"reason":{"type":'
    '"query_shard_exception","reason":"No mapping found for [@timestamp] in order to sort on"}}]},"hits":'
    '{"total":0,"max_score":null,"hits":[]}}'
)


_FIELD = '{"@timestamp":{"full_name":"@timestamp","mapping":{"@timestamp":{"type":"date"}}}}'
MAPPING_5 = f'{{"paas_app_log-2018.07.30":{{"mappings":{{"django":{_FIELD}}}}},"paas_app_log-2018.07.29":{{"mappings":{{}}}}}}'
MAPPING_7 = MAPPING_5.replace(f'{{"django":{_FIELD}}}', _FIELD)
SETTINGS_7 = (
    '{"persistent":{"cluster":{"routing":{"allocation":{"disk":{"watermark":{"high":"10gb"}}}}}},"transient":{"action":'
    '{"auto_create_index":".monitoring*"}},"defaults":{"cluster":{"max_shards_per_node":"1000","routing":{"allocation":'
    '{"enable":"all","disk":{"threshold_enabled":"true","watermark":{"flood_stage":"95%","high":"90%"}}}},"blocks":'
    '{"read_only":"false"}},"action":{"auto_create_index":"true"}}}'
)


def test_headroom_stands_flat_next_to_the_watermark():
    text = SETTINGS_7.replace('"high":"90%"', '"high":"90%","high.max_headroom":"150GB"')
    assert search(cluster=text).settings.high_headroom == "150gb"
    assert search(cluster=SETTINGS_7).settings.high_headroom == ""


def test_settings_that_decide_about_new_indices():
    found = search(cluster=SETTINGS_7)
    assert found.settings.high_watermark == "10gb" and found.settings.flood_stage == "95%"
    assert (found.settings.auto_create, found.settings.shards_per_node) == (".monitoring*", 1000)
    assert found.settings.allocation == "all" and found.settings.thresholds and found.blocks == {}
    assert search(cluster="{}").settings == ClusterSettings()


def test_how_the_newest_document_names_its_source():
    named = NEWEST_7.replace(
        '"_source":{', '"_source":{"beat":{"hostname":"appo-1"},"source":"/data/a.log","host":{"os":1},'
    )
    found = search(newest=named, **{"source-appo-1-0a": named, "source-appt-1-0b": NONE_7})
    assert (found.sample.hosts, found.sample.paths) == (("appo-1",), ("/data/a.log",))
    assert found.sources == {"source-appo-1-0a": 1532915240.123, "source-appt-1-0b": None}
    assert search(newest=NEWEST_7).sample == Sample()


def search(**bodies: Any) -> Search:
    """At one place, by part: a body, or a raw answer."""
    section = {
        f"es-{part}@10.0.1.7:9200": body
        if isinstance(body, dict)
        else got(f"http://10.0.1.7:9200/{part}", body)
        for part, body in bodies.items()
    }
    return searches(section, Secrets(b"k")).by_address["10.0.1.7:9200"]


@pytest.mark.parametrize("newest", [NEWEST_5, NEWEST_7])
def test_reported_values(newest: str) -> None:
    found = search(
        root=ROOT_5,
        health=HEALTH_5,
        blocks=BLOCKED_7,
        cluster="{}",
        indices=INDICES_5,
        nodes=NODES_5,
        newest=newest,
        mapping=MAPPING_5 if newest == NEWEST_5 else MAPPING_7,
    )
    assert found.time_types == {"paas_app_log-2018.07.30": "date", "paas_app_log-2018.07.29": ""}
    assert speaks(found.root) and (found.health.json() or {})["status"] == "green"
    assert found.blocks == {"paas_app_log-2018.07.30": ("index.blocks.read_only_allow_delete",)}
    assert found.indices == (Index("paas_app_log-2018.07.29", True), Index("paas_app_log-2018.07.30"))
    assert found.nodes == (Node("es-1", 96.0),)
    assert found.newest == 1532915240.123 and found.unknown == {}


@pytest.mark.parametrize(
    ("body", "blocks"),
    [
        ("{}", {}),
        ('{"i":{"settings":{"index":{"blocks":{"write":"false"}}}}}', {}),
        ('{"i":{"settings":{"index.blocks.write":"true"}}}', {"i": ("index.blocks.write",)}),
        (
            '{"i":{"settings":{"index":{"blocks":{"read_only":"true","metadata":"true"}}}}}',
            {"i": ("index.blocks.read_only",)},
        ),
    ],
)
def test_blocks_of_indices(body: str, blocks: dict[str, Any]) -> None:
    assert search(blocks=body).blocks == blocks


def test_blocks_of_the_cluster() -> None:
    flat = '{"persistent":{"cluster.blocks.read_only":"true"},"transient":{}}'
    nested = '{"persistent":{},"transient":{"cluster":{"blocks":{"read_only_allow_delete":"true"}}}}'
    assert search(blocks="{}", cluster=flat).blocks == {"": ("cluster.blocks.read_only",)}
    assert search(blocks="{}", cluster=nested).blocks == {"": ("cluster.blocks.read_only_allow_delete",)}


def test_no_document_differs_from_no_answer() -> None:
    assert search(newest=NONE_7).newest is None and "newest" not in search(newest=NONE_7).unknown
    for body in (FAILED_5, "", "[]", '{"hits":{"hits":[{"sort":[null]}]}}', '{"hits":{"hits":[{}]}}', "null"):
        with pytest.raises(NoData, match="/newest: HTTP 200"):
            search(newest=body).need("newest")
    with pytest.raises(NoData, match="not queried for newest"):
        search(root=ROOT_5).need("newest")
    refused = got("http://10.0.1.7:9200/newest", REFUSED_7, status=401)
    with pytest.raises(NoData, match="HTTP 401 security_exception: missing authentication"):
        search(newest=refused).need("newest")
    silent = got("http://x/", "", status=None, error={"kind": "silent", "text": "no complete answer in time"})
    with pytest.raises(NoData, match="no complete answer"):
        search(newest=silent).need("newest")


def test_answers_of_elasticsearch_are_recognised() -> None:
    assert speaks(search(root=ROOT_7).root)
    assert speaks(search(root=got("http://x/", REFUSED_7, status=401)).root)
    assert speaks(search(root=got("http://x/", NO_MASTER, status=503)).root)
    for body in ("<html>nginx</html>", "{}", '{"error":"x"}', '{"version":"1.2"}', "[]"):
        assert not speaks(search(root=body).root)
    assert complaint(search(root=REFUSED_7).root).startswith("security_exception: missing authentication")
    assert complaint(search(root="<h1>It\n works</h1>").root) == "<h1>It works</h1>"


def test_hostile_answers_do_no_harm() -> None:
    for value in (
        None,
        7,
        [],
        "x",
        {"status": 200},
        {"status": 200, "body": 7},
        {"status": 200, "body": "[" * 50000},
    ):
        section = {
            f"es-{part}@x:1": value
            for part in ("root", "health", "blocks", "cluster", "indices", "nodes", "newest")
        }
        answer = first() | {"http": section}
        assert msgspec.json.decode(msgspec.json.encode(host_facts(host(), visit(answer), Secrets())))


def of(source: str, secrets: Secrets) -> Any:
    files = {"settings-paas-2": [entry(f"{HOME}/settings_production.py", source)]}
    return settings(files, secrets).by_project["paas"]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("ELASTICSEARCH_URLS = '10.0.1.7:10004'", [Endpoint("10.0.1.7", 10004)]),
        ("ELASTICSEARCH_URLS = 'es-1:1; es-2:2;es-1:1;'", [Endpoint("es-1", 1), Endpoint("es-2", 2)]),
        ("ELASTICSEARCH_URLS = 'es;https://es2'", [Endpoint("es", 9200), Endpoint("es2", 443, "https")]),
        ("ELASTICSEARCH_HOSTS = ['http://es:9200/']", [Endpoint("es", 9200)]),
        (
            "ELASTICSEARCH_URLS = 'es:1'\nELASTICSEARCH_HOSTS = ELASTICSEARCH_URLS.split(';')",
            [Endpoint("es", 1)],
        ),
        ("PORT = 9200\nELASTICSEARCH_URLS = 'es:%s' % PORT", [Endpoint("es", 9200)]),
        ("ELASTICSEARCH_URLS = '[fe80::1]:9200'", [Endpoint("fe80::1", 9200)]),
    ],
)
def test_places(source: str, found: list[Endpoint]) -> None:
    assert list(elasticsearch_endpoints(of(source, Secrets(b"k")))) == found


@pytest.mark.parametrize(
    "password", ["Pl4nted", "Pl4/nted", "Pl4@nted", "Pl4:nt%ed#?", "Pl4 nted,\u4f60", "http://Pl4nted"]
)
@pytest.mark.parametrize(
    "source",
    [
        "ELASTICSEARCH_URLS = 'elastic:{}@es:9200;elastic:{}@es-2:9200'",
        "ELASTICSEARCH_HOSTS = ['elastic:{}@es:9200', 'http://elastic:{}@es-2:9200']",
        "ES = 'es:9200'\nELASTICSEARCH_URLS = 'elastic:{}@' + ES + ';elastic:{}@es-2:9200'",
    ],
)
def test_logins_are_digests_that_can_be_used_and_nothing_else(source: str, password: str) -> None:
    secrets = Secrets(b"k")
    paas = of(source.format(password, password), secrets)
    found = elasticsearch_endpoints(paas)
    assert [(place.host, place.port, place.user) for place in found] == [
        ("es", 9200, "elastic"),
        ("es-2", 9200, "elastic"),
    ]
    assert {secrets.resolve_digest(place.password) for place in found} == {password}
    shown = msgspec.json.encode(paas).decode() + repr(found)
    assert password not in shown and "nted" not in shown.replace("Planted", "")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("X = 1", "is not in the settings of paas"),
        ("ELASTICSEARCH_URLS = os.environ['ES']", "is not a plain text"),
        ("ELASTICSEARCH_URLS = 7", "is not a plain text"),
    ],
)
def test_unknown_values(source: str, words: str) -> None:
    with pytest.raises(NoData, match=words):
        elasticsearch_endpoints(of(source, Secrets(b"k")))
    with pytest.raises(NoData, match="is not in the settings"):
        elasticsearch_endpoints(None)


@pytest.mark.parametrize(
    "value", ["", ";", "es:port", "es:99999", "ftp://es", "a:b@", "es:1,es:2", "e s:1", "\u4f60:1"]
)
def test_what_is_no_address(value: str) -> None:
    with pytest.raises(ValueError, match=r"not an address|empty"):
        elasticsearch_endpoints(of(f"ELASTICSEARCH_URLS = {value!r}", Secrets(b"k")))


def test_all_answers_to_these_requests_are_here_and_not_among_the_others() -> None:
    answer = first() | {"http": {"es-root@es:1": got("http://es:1/", ROOT_5), "x": got("http://x/", "")}}
    facts = host_facts(host(), visit(answer), Secrets())
    text = json.dumps(msgspec.to_builtins(facts.answers))
    assert "es:1" not in text and "http://x/" in text
    assert "es:1" in json.dumps(msgspec.to_builtins(facts.searches))
