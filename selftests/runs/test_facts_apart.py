"""Compare two snapshots: changes of an upgrade are listed, values that always vary are not."""

from __future__ import annotations

import copy
import random

import pytest
from snapshots import snapshot

from bkpaas.facts import Secrets
from bkpaas.runs.facts import SHOWN, changes

HEALTHY = snapshot(lambda plain: plain.update(run="before"))
PID, START = 0, 3  # places in the JSON of a process


def changed_facts(change, before=HEALTHY):
    return [(c.host, c.kind, c.name, c.before, c.after) for c in changes(before, snapshot(change))]


def another_night(plain):
    """Everything restarted: other pids, start times, inodes, queues, temporary ports, order, uptime, free space."""
    chance = random.Random(7)
    plain["started"] += 86_400
    for facts in plain["hosts"].values():
        facts["system"]["boot_time"] += 80_000
        facts["system"]["time"] += 86_400
        new = {one[PID]: one[PID] + 5_000 for one in facts["processes"]["items"]}
        for one in facts["processes"]["items"]:
            one[PID], one[1] = new[one[PID]], new.get(one[1], one[1])
            one[START] = (one[START] or 0) + 80_000
            one[6] = [word.replace(" 0 of ", " 3 of ") for word in one[6]]
        chance.shuffle(facts["processes"]["items"])
        for one in facts["sockets"]["listeners"]:
            one["pids"] = [new[pid] for pid in one.get("pids") or []]
            one["inode"], one["queue"] = one.get("inode", 0) + 9, 4
            if one["port"] >= 32768:
                one["port"] = chance.randrange(32768, 61000)
        chance.shuffle(facts["sockets"]["listeners"])
        if "upstreams" in facts["nginx"]:
            facts["nginx"]["upstreams"].reverse()
            for upstream in facts["nginx"]["upstreams"]:
                upstream["servers"].reverse()
        for disk in facts["disks"].get("items", []):
            disk["free_bytes"] = 1


def test_another_night_is_no_change():
    assert changed_facts(another_night) == []


def test_sessions_that_come_and_go_are_no_change():
    def log_in(plain):
        facts = plain["hosts"]["paas-1"]
        items = facts["processes"]["items"]
        session = copy.deepcopy(items[-1])
        session[PID], session[5], session[6] = 9_999, "sshd", ["sshd: root@pts/0"]
        shell = copy.deepcopy(session)
        shell[PID], shell[1], shell[5], shell[6] = 10_000, 9_999, "bash", ["-bash"]
        items += [session, shell]
        forwarded = {"family": 4, "address": "127.0.0.1", "port": 6010, "pids": [9_999]}
        facts["sockets"]["listeners"].append(forwarded)

    assert changed_facts(log_in) == []


def setting(plain, name="BK_COOKIE_DOMAIN", project="login", host="paas-1"):
    return plain["hosts"][host]["settings"]["by_project"][project]["values"][name]


def test_a_setting():
    def change(plain):
        setting(plain)[3] = ".other.test"
        plain["hosts"]["paas-1"]["settings"]["by_project"]["login"]["values"]["NEW"] = ["int", "/x", 3, 7]

    before = HEALTHY.hosts["paas-1"].settings.by_project["login"].values["BK_COOKIE_DOMAIN"].value
    assert changed_facts(change) == [
        ("paas-1", "setting", "login BK_COOKIE_DOMAIN", f'"{before}"', '".other.test"'),
        ("paas-1", "setting", "login NEW", None, "7"),
    ]


def test_a_moved_line_is_no_change():
    assert changed_facts(lambda plain: setting(plain).__setitem__(2, 999)) == []


def test_a_file_that_cannot_be_read_is_no_removal():
    def hide(plain):
        login = plain["hosts"]["paas-1"]["settings"]["by_project"]["login"]
        login["values"], login["files"][0]["error"] = {}, "Permission denied"

    assert changed_facts(hide) == []


def test_a_process():
    def swap(plain):
        for one in plain["hosts"]["data-1"]["processes"]["items"]:
            if one[5] == "mariadbd":
                one[6] = ["/usr/sbin/mysqld", "--defaults-file=/data/bkce/etc/my.cnf"]

    seen = changed_facts(swap)
    assert (
        "data-1",
        "process",
        "mariadbd",
        "/usr/sbin/mariadbd --defaults-file=/data/bkce/etc/my.cnf",
        None,
    ) in seen
    assert (
        "data-1",
        "process",
        "mysqld",
        None,
        "/usr/sbin/mysqld --defaults-file=/data/bkce/etc/my.cnf",
    ) in seen
    assert ("data-1", "listener", "0.0.0.0:3306", "mariadbd", "mysqld") in seen
    assert len(seen) == 3


def test_a_listener_that_came_and_one_that_went():
    def change(plain):
        listeners = plain["hosts"]["nginx-1"]["sockets"]["listeners"]
        eighty = next(one for one in listeners if one["port"] == 80)
        listeners.append({**eighty, "port": 8080})
        listeners[:] = [one for one in listeners if one["port"] != 80]

    assert changed_facts(change) == [
        ("nginx-1", "listener", "0.0.0.0:80", "nginx", None),
        ("nginx-1", "listener", "0.0.0.0:8080", None, "nginx"),
    ]


def test_one_more_port_is_listed():
    def change(plain):
        listeners = plain["hosts"]["paas-1"]["sockets"]["listeners"]
        listeners.append({**listeners[0], "port": 48_533, "address": "0.0.0.0"})

    assert [name for _, _, name, _, _ in changed_facts(change)] == ["0.0.0.0:48533"]


def test_an_upstream():
    def change(plain):
        upstreams = plain["hosts"]["nginx-1"]["nginx"]["upstreams"]
        next(one for one in upstreams if one["name"] == "OPEN_PAAS")["servers"].pop()

    ((host, kind, name, before, after),) = changed_facts(change)
    assert (host, kind, name) == ("nginx-1", "upstream", "OPEN_PAAS")
    assert before.startswith(after) and "10.66.0.12:8001" in before and "10.66.0.12:8001" not in after


def test_a_version():
    def install(version):
        def change(plain):
            known = {"kernel": "5.10", "login: Django": version}
            plain["hosts"]["paas-1"]["versions"] = {"fact": "Versions", "by_name": known}
            plain["hosts"]["appo-1"]["answers"]["by_name"]["agent-nginx"]["headers"]["server"] = (
                f"nginx/{version}"
            )

        return change

    seen = changed_facts(install("1.11"), before=snapshot(install("1.8")))
    url = HEALTHY.hosts["appo-1"].answers.by_name["agent-nginx"].url
    assert seen == [
        ("appo-1", "version", f"Server of {url}", "nginx/1.8", "nginx/1.11"),
        ("paas-1", "version", "login: Django", "1.8", "1.11"),
    ]


def test_what_is_missing_on_one_side_is_no_change():
    def lose(plain):
        for noun in ("processes", "sockets", "settings", "nginx", "services", "versions"):
            plain["hosts"]["paas-1"][noun] = {"fact": "Missing", "reason": "needs root"}
        del plain["hosts"]["job-1"]

    assert changed_facts(lose) == []


@pytest.mark.parametrize(
    ("keys", "same", "differ"),
    [
        ((None, None), 0, 0),
        ((b"k" * 32, b"k" * 32), 0, 1),
        ((b"k" * 32, b"l" * 32), 0, 0),
        ((b"k" * 32, None), 0, 0),
    ],
)
def test_secrets_are_compared_under_one_key_only(keys, same, differ):
    def with_secret(key, secret, run):
        def change(plain):
            secrets = Secrets(key)
            plain["run"], plain["key"] = run, secrets.fingerprint
            for facts in plain["hosts"].values():
                if "by_project" in facts["settings"]:
                    for its in facts["settings"]["by_project"].values():
                        its["values"] = {"PASSWORD": ["secret", "/x", 1, None, "", secrets.digest(secret)]}

        return snapshot(change)

    old, new = keys
    paas = [name for name, facts in HEALTHY.hosts.items() if hasattr(facts.settings, "by_project")]
    projects = sum(len(HEALTHY.hosts[name].settings.by_project) for name in paas)
    assert len(changes(with_secret(old, "a", "r1"), with_secret(new, "a", "r2"))) == same
    found = changes(with_secret(old, "a", "r1"), with_secret(new, "b", "r2"))
    assert len(found) == differ * projects
    assert all("secret:" in (change.before or "") for change in found)


def test_a_difference_far_behind_is_shown():
    def long(end):
        def change(plain):
            setting(plain)[3] = "x" * 1000 + end

        return snapshot(change)

    (change,) = changes(long("a"), long("b"))
    assert len(change.before) <= SHOWN + 1 and change.before != change.after
