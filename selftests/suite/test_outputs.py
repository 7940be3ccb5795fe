"""Every output of one run: each agrees with results.json verdict by verdict, and none holds a secret."""

import html
import json
import re
import stat
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

from prometheus_client.parser import text_string_to_metric_families
from test_between_runs import spoil, write_waivers
from test_runs import ROOT, waiver

from bkpaas.record import read_json, translated
from bkpaas.report import bkmonitor, code_quality, prometheus, summary, webhook
from bkpaas.report.findings import causes
from bkpaas.runs.history import STATES
from selftests.report.robots import robot

PLANTED = "Pl4ntedS3cret"


def outputs(run, tmp_path, *more, **settings):
    """A run that writes everything there is."""
    arguments = ["--summary", str(tmp_path / "summary.md"), "--prometheus", str(tmp_path / "bkpaas.prom")]
    arguments += ["--history", str(tmp_path / "history"), "--save-snapshot", str(tmp_path / "saved.json")]
    with robot((200, "")) as one:
        url = f"{one.url}{PLANTED}"
        arguments += ["--webhook-kind", "json", "--report-url", "https://ci.example.test/r.html"]
        done = run(*arguments, *more, BKPAAS_WEBHOOK=url, **settings)
    return done, one


def junit(path):
    cases = ET.parse(path).getroot().iter("testcase")
    properties = [
        {p.get("name"): p.get("value") for p in case.iterfind("properties/property")} for case in cases
    ]
    return {one["id"]: one["verdict"] for one in properties}, properties


def once_more(done, *options):
    """The outputs made from the saved record; the summary."""
    command = [
        sys.executable,
        "-m",
        "bkpaas.report",
        done.directory / "results.json",
        "--summary",
        "-",
        *options,
    ]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_every_output_agrees_with_the_record(run, changed, tmp_path):
    waivers = write_waivers(tmp_path, waiver(), waiver(condition="disk-space", hosts=["paas-1"]))
    before = changed(lambda snapshot: snapshot.update(run="before"), "before.json")
    done, one = outputs(
        run, tmp_path, "--waivers", waivers, "--baseline", str(before), snapshot=changed(spoil)
    )
    record = done.results
    words = {v["id"]: v["verdict"] for v in record["verdicts"]}
    assert set(words.values()) == {"pass", "warn", "fail", "no_data", "not_applicable", "waived"}
    assert record["counts"] == {word: list(words.values()).count(word) for word in record["counts"]}

    cases, properties = junit(done.directory / "junit.xml")
    assert cases == words
    assert {p["id"]: p["waiver"] for p in properties if "waiver" in p}.keys() == {
        "supervisor-sock@paas-1",
        "disk-space@paas-1",
    }

    families = text_string_to_metric_families((tmp_path / "bkpaas.prom").read_text("utf-8"))
    metrics = {family.name: family.samples for family in families}
    seen = {
        f"{s.labels['condition']}@{s.labels['subject']}": s.labels["verdict"]
        for s in metrics["bkpaas_verdict"]
    }
    assert seen == words
    assert {s.labels["verdict"]: s.value for s in metrics["bkpaas_verdicts"]} == record["counts"]

    details = html.unescape((done.directory / "details.html").read_text("utf-8")).replace("\\", "")
    assert sorted(re.findall(r'class="col-bkId">([^<]*)<', details)) == sorted(words)

    before_words = {v["id"]: v["before"] for v in record["comparison"]["verdicts"]}
    assert all(v["after"] == words[v["id"]] for v in record["comparison"]["verdicts"])
    assert before_words.keys() == {
        id_ for id_, word in words.items() if word not in ("pass", "not_applicable")
    }

    bad = {id_ for id_, word in words.items() if STATES[word] == "bad"}
    assert (
        record["history"]["since"].keys() == bad
        and record["history"]["runs"][-1]["counts"] == record["counts"]
    )

    (message,) = one.bodies
    assert (
        message["counts"] == record["counts"] and message["run"]["exit"] == record["run"]["exit"] == done.exit
    )
    assert {cause["id"] for cause in message["root_causes"]} <= set(record["root_causes"])

    summary = (tmp_path / "summary.md").read_text("utf-8")
    assert all(f"`{cause['id']}`" in summary for cause in message["root_causes"])
    assert all(f"| {number} |" in summary for number in record["counts"].values())
    options = ["--junit", tmp_path / "again.xml", "--prometheus", tmp_path / "again.prom"]
    again = once_more(done, *options)
    assert again == summary
    assert (tmp_path / "again.xml").read_bytes() == (done.directory / "junit.xml").read_bytes()
    assert (tmp_path / "again.prom").read_bytes() == (tmp_path / "bkpaas.prom").read_bytes()
    other = once_more(done, "--lang", "zh")
    assert "蓝鲸 PaaS 验收" in other and all(id_["id"] in other for id_ in message["root_causes"])


def test_every_output_names_the_same_causes_in_the_same_order(run, changed, tmp_path):
    def break_more(snapshot):
        spoil(snapshot)
        for host, facts in snapshot["hosts"].items():
            facts["clock"]["offset_seconds"] += 90 * (host == "paas-2")

    done, one = outputs(run, tmp_path, snapshot=changed(break_more))
    shown = [
        (cause.headline, cause.verdict.id) for cause in causes(read_json(done.directory / "results.json"))
    ]
    assert len(shown) > 2
    (message,) = one.bodies
    assert [(cause["headline"], cause["id"]) for cause in message["root_causes"]] == shown
    page = (done.directory / "report.html").read_text("utf-8")
    assert [english(text) for text in re.findall(r"<h3>(.*?)</h3>", page)][: len(shown)] == [
        text for text, _ in shown
    ]
    failures = junit_messages(done.directory / "junit.xml")
    for text, id_ in shown:
        assert text in failures[id_]
    texts = {
        "terminal": done.out[done.out.index(" root causes") :],
        "summary": (tmp_path / "summary.md").read_text("utf-8").replace("\\", ""),
        "details": html.unescape((done.directory / "details.html").read_text("utf-8")).replace("\\", ""),
    }
    for name, text in texts.items():
        assert_in_order(text, [headline for headline, _ in shown], name)
    record = read_json(done.directory / "results.json")
    for language in ("en", "zh"):
        assert_outputs_in_order(translated(record, language), tmp_path)


def assert_in_order(text, headlines, name):
    packed = "".join(text.split())
    at = [packed.find("".join(headline.split())) for headline in headlines]
    assert at == sorted(at) and at[0] >= 0, f"{name}: {headlines}"


def assert_outputs_in_order(record, folder):
    """Check what the test above does not read, in the language of the record."""
    shown = [(str(cause.headline), cause.verdict.id) for cause in causes(record)]
    headlines = [headline for headline, _ in shown]
    code_quality.write(record, folder / "quality.json")
    findings = json.loads((folder / "quality.json").read_text("utf-8"))
    channel = bkmonitor.Channel(url="http://monitor.example.test/", data_id=1, access_token="x")
    events = bkmonitor.body(record, channel)["data"]
    assert [event["event"]["content"].partition(" | ")[0] for event in events] == headlines
    chats = short_messages(record)
    for kind in ("dingtalk", "feishu"):
        body = json.dumps(webhook.body(record, kind, None), ensure_ascii=False)
        chats[kind] = body.replace("\\n", "\n").replace('\\"', '"')
    texts = {
        "mail": summary.plain(record),
        "annotations": "\n".join(code_quality.github(record)).replace("%2C", ",").replace("%3A", ":"),
        "code quality": "\n".join(one["description"] for one in findings),
    }
    for name, text in texts.items():
        assert_in_order(text, headlines, f"{name}, {record.run.language}")
    for kind, text in chats.items():
        fit = len(re.findall(r"(?m)^(?:\*\*)?\d+\. ", text))  # as many as the service takes, the first ones
        assert fit, f"{kind}, {record.run.language}"
        wanted = [headline.translate(PLAIN) for headline in headlines[:fit]]
        assert_in_order(text.translate(PLAIN), wanted, f"{kind}, {record.run.language}")
        more = {"en": "and {} more causes", "zh": "另有 {} 个根因"}[record.run.language]
        assert (more.format(len(headlines) - fit) in text) == (fit < len(headlines)), kind
    prometheus.write(record, folder / "order.prom")
    families = text_string_to_metric_families((folder / "order.prom").read_text("utf-8"))
    (ranks,) = (family.samples for family in families if family.name == "bkpaas_root_cause")
    places = {f"{s.labels['condition']}@{s.labels['subject']}": s.value for s in ranks}
    assert [id_ for id_ in sorted(places, key=places.__getitem__) if id_ in dict(map(reversed, shown))] == [
        id_ for _, id_ in shown
    ]


def short_messages(record):
    """The texts of the chats that take few bytes, without their markup."""
    wecom = webhook.body(record, "wecom", None)["markdown"]["content"]
    slack = html.unescape(webhook.body(record, "slack", None)["blocks"][0]["text"]["text"])
    return {"wecom": wecom.replace("**", ""), "slack": slack.replace("`", "")}


PLAIN = str.maketrans("＊＿［］（）｀＜＞～＃｜", "*_[]()`<>~#|")
"""Full-width characters of a chat message, and those that they stand for."""


def english(markup):
    """The English text of a heading of the page."""
    match = re.fullmatch(r'<span lang="en">(.*)</span><span lang="zh">.*</span>', markup)
    return html.unescape(match[1] if match else markup)


def junit_messages(path):
    """By id the message of each case that is not passed."""
    cases = ET.parse(path).getroot().iter("testcase")
    return {
        case.get("name"): child.get("message") for case in cases for child in case if child.get("message")
    }


def test_a_message_that_is_not_sent_changes_no_verdict(run):
    with robot((500, "")) as one:
        url = one.url
    done = run("--webhook-kind", "wecom", "--only", "disk-space", BKPAAS_WEBHOOK=url)
    assert done.exit == 1 and "to wecom was not sent" in done.out, "a lost message is not green"
    assert all(verdict["verdict"] == "pass" for verdict in done.results["verdicts"])
    assert "s3cret" not in done.out and "127.0.0.1" not in done.out
    assert run("--only", "disk-space", BKPAAS_WEBHOOK=url).out.count("sent") == 0, "off unless asked for"


def site(home):
    """A deployment whose files hold a secret in every place that is read, on this machine."""
    login = home / "open_paas/login/conf"
    login.mkdir(parents=True)
    (home / "etc").mkdir()
    (home / "open_paas/VERSION").write_text(f"2.14 token={PLANTED}0\n")
    (login / "default.py").write_text(
        f"SECRET_KEY = '{PLANTED}1'\nES_URL = 'http://elastic:{PLANTED}2@10.0.0.1:9200'\n"
        f"DATABASES = {{'default': {{'PASSWORD': '{PLANTED}3', 'HOST': '127.0.0.1', 'PORT': '9'}}}}\n"
    )
    (login / "settings_production.py").write_text(f"REDIS = {{'password': '{PLANTED}4'}}\n")
    (home / "etc/supervisor-open_paas.conf").write_text(
        f"[unix_http_server]\nfile=/nowhere.sock\npassword={PLANTED}5\n"
        f'[program:login]\ncommand=/x/uwsgi --ini /x.ini --token {PLANTED}6\nenvironment=APP_TOKEN="{PLANTED}7"\n'
    )
    (home / "etc/uwsgi-open_paas-login.ini").write_text(
        f"[uwsgi]\nhttp = 127.0.0.1:9\nenv = DB_PASSWORD={PLANTED}8\n"
    )


def test_no_output_holds_a_secret(run, tmp_path):
    """A live run on this machine, whose files hold secrets, compared with a baseline with other secrets, under one key."""
    home = tmp_path / "bkce"
    site(home)
    (tmp_path / "deployment.yaml").write_text(
        f"generation: 5.x\ndomain: paas.example.test\nhome: {home}\n"
        "limits: {request_seconds: 1, healthz_seconds: 1, command_seconds: 2, resolve_seconds: 2}\n"
        "hosts:\n- {name: here, address: 127.0.0.1, roles: [paas], connect: {spec: 'local://'}}\n"
    )
    key = tmp_path / "key"
    key.write_text(PLANTED * 4)
    key.chmod(0o600)
    live = ("--inventory", str(tmp_path / "deployment.yaml"), "--secret-key-file", str(key))
    first, _ = outputs(run, tmp_path, *live, snapshot=None)
    (tmp_path / "saved.json").rename(tmp_path / "before.json")
    login = home / "open_paas/login/conf/default.py"
    login.write_text(login.read_text().replace(f"{PLANTED}1", f"{PLANTED}9"))
    done, one = outputs(run, tmp_path, *live, "--baseline", str(tmp_path / "before.json"), snapshot=None)
    assert first.results["hosts"][0]["collected"] and done.results["hosts"][0]["collected"]
    facts = done.results["comparison"]["facts"]  # other users of this machine start and end processes
    changes = {fact["name"]: fact for fact in facts if fact["kind"] in ("setting", "version", "upstream")}
    assert changes.keys() == {"login SECRET_KEY"}, (
        "the same secrets are the same under one key, and nothing else changed"
    )
    assert all(changes["login SECRET_KEY"][side].startswith("secret:") for side in ("before", "after"))
    texts = [first.out, done.out, json.dumps(one.bodies)]
    files = [
        path for path in tmp_path.rglob("*") if path.is_file() and home not in path.parents and path != key
    ]
    names = {path.name for path in files}
    assert names >= {"results.json", "report.html", "details.html", "junit.xml", "summary.md", "bkpaas.prom"}
    assert names >= {"saved.json", "before.json", "history.sqlite"}
    texts += [path.read_bytes().decode("utf-8", "replace") for path in files]
    assert not [text for text in texts if PLANTED in text]
    for path in files:
        private = path.suffix != ".prom" and path.name != "deployment.yaml"
        assert stat.S_IMODE(path.stat().st_mode) == (0o600 if private else 0o644), path


def test_a_file_in_the_report_directory_that_is_still_to_be_made(run, tmp_path):
    done = run("--only", "disk-space", "--summary", str(tmp_path / "report/summary.md"))
    assert done.exit == 0 and (done.directory / "summary.md").read_text("utf-8").startswith("# BlueKing")


def test_the_summary_on_standard_output(run):
    done = run("--only", "disk-space", "--summary", "-")
    assert "# BlueKing PaaS acceptance" in done.out and done.exit == 0
    assert not Path("-").exists()


def test_a_list_of_tests_leaves_the_last_report(run, tmp_path):
    files = ("results.json", "report.html", "details.html", "junit.xml")
    (tmp_path / "report").mkdir()
    for name in files:
        (tmp_path / "report" / name).write_text("{}")
    run("--collect-only", "-q", "--only", "disk-space")
    assert {(tmp_path / "report" / name).read_text() for name in files} == {"{}"}
