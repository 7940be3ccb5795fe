"""Engines: a run through Ansible, Salt or two controllers has the verdicts of one over ssh, and is as read-only."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

from lab import injection
from lab.control import Lab
from selftests.proofs import allowed
from selftests.proofs.ansible import Ansible
from selftests.proofs.figures import Figures
from selftests.proofs.live import Run, inventory_of, run_exchange, run_suite
from selftests.proofs.nets import folder_of
from selftests.proofs.programs import SSHD
from selftests.proofs.read_only import LIST, Nets
from selftests.proofs.salt import MINION, Salt, other_python
from selftests.recordings.engines import CLOCKS, NORTH

DEAD, SLOW, OLD, UNREACHABLE = "cmdb-1", "job-1", "appt-1", "es-1"
"""Hosts whose minion is ended, whose Python takes its time, which has another Python, which ssh does not reach."""
FAULTS = (
    "clock-ahead",
    "faq-fatal",
    "manage-missing",
    "firewall-drop",
    "saas-dead",
    "deploy-limits-reversed",
    "bk-env-missing",
    "http-proxy",
    "timezone-differs",
    "domain-hosts-override",
)
"""One of each section of the FAQ; a host that is down has no minion afterwards."""
DURATIONS = {"resolver-slow": {"pass", "warn"}, "log-index-fresh": {"pass", "not_applicable"}}
"""Verdicts that depend on how busy the machine is, or on how long ago an application wrote its last line."""


def prove(lab: Lab, figures: Figures) -> None:
    """Prove both on a lab of layout a that is up."""
    folder = folder_of(lab)
    inventory = inventory_of(lab, folder / "inventory")
    figures.step("over ssh")
    ssh = run_suite(lab, folder / "ssh", inventory=inventory)
    figures.add("over ssh: exit code", ssh.exit, "0", ssh.exit == 0)
    _shards(lab, figures, folder, inventory, ssh)
    _ansible(lab, figures, folder, inventory, ssh)
    _salt(lab, figures, folder, inventory, ssh)
    shutil.rmtree(folder, ignore_errors=True)


def _shards(lab: Lab, figures: Figures, folder: Path, inventory: Path, ssh: Run) -> None:
    figures.step("two shards")
    watched = Nets(lab).watch(lambda: _collect_shards(lab, folder, inventory))
    _way(figures, "two shards", watched, ssh, len(lab.layout.hosts))


def _collect_shards(lab: Lab, folder: Path, inventory: Path) -> Run:
    """Collect the hosts in two runs, and judge their merged snapshots in a third."""
    key = folder / "shards.key"
    key.write_text("0" * 64 + "\n")
    key.chmod(0o600)
    names = [host.name for host in lab.layout.hosts]
    parts = {"north": NORTH, "south": [name for name in names if name not in NORTH]}
    for part, own in parts.items():
        words = ("--limit", ",".join(own), "--secret-key-file", str(key))
        run_suite(lab, folder / part, *words, "--save-snapshot", str(folder / f"{part}.json"),
                  inventory=inventory)  # fmt: skip
    command = [word for part in parts for word in ("--from-snapshot", str(folder / f"{part}.json"))]
    return run_suite(lab, folder / "merged", *command)


def _ansible(lab: Lab, figures: Figures, folder: Path, inventory: Path, ssh: Run) -> None:
    hosts = len(lab.layout.hosts)
    for account, name in (("root", "Ansible"), ("ops", "Ansible with --become")):
        figures.step(name)
        engine = Ansible(lab, folder / "ansible", account)
        nets = Nets(lab, more_files=allowed.OF_ANSIBLE)
        watched = nets.watch(lambda engine=engine: run_exchange(lab, folder / "way", inventory, engine.run))  # type: ignore[misc]
        _way(figures, name, watched, ssh, hosts)
    figures.step("Ansible, a host that it does not reach")
    engine = Ansible(lab, folder / "ansible", "root", unreachable=UNREACHABLE)
    _without(figures, "Ansible", run_exchange(lab, folder / "way", inventory, engine.run), ssh, UNREACHABLE)


def _salt(lab: Lab, figures: Figures, folder: Path, inventory: Path, ssh: Run) -> None:
    figures.step("Salt")
    with Salt(lab, folder / "salt") as engine:
        nets = Nets(lab, traced=(SSHD, MINION), more_files=allowed.OF_SALT)
        watched = nets.watch(lambda: run_exchange(lab, folder / "way", inventory, engine.run))
        _way(figures, "Salt", watched, ssh, len(lab.layout.hosts))
        traced = len(nets.programs.trace.collectors)
        figures.add("Salt: collectors seen by strace", traced, "at least 9", traced >= 9)
        figures.step("Salt: a minion that is dead, one that is slow, one with another Python")
        engine.stop_minion(DEAD)
        engine.use_python(SLOW, 'sleep 25; exec /usr/bin/python3 "$@"')
        version = engine.use_python(OLD, f'exec {other_python()} "$@"')
        run = run_exchange(lab, folder / "way", inventory, engine.run)
        _without(figures, "Salt", run, ssh, DEAD)
        unexplained = [id_ for id_, reason in differences(run.words(), ssh.words(), ()).items() if not reason]
        figures.caught("verdicts of a host whose minion is dead", unexplained)
        used = engine.versions.get(OLD)
        figures.add(f"Salt: Python of {OLD}", used, version, used == version)


def prove_faults(lab: Lab, figures: Figures) -> None:
    """Compare the verdicts and the root causes of ten faults through Ansible, Salt and two shards with those over ssh."""
    folder = folder_of(lab)
    inventory = inventory_of(lab, folder / "inventory")
    ansible = Ansible(lab, folder / "ansible", "root")
    with Salt(lab, folder / "salt") as salt:
        ways: dict[str, Callable[[], Run]] = {
            "Ansible": lambda: run_exchange(lab, folder / "way", inventory, ansible.run),
            "Salt": lambda: run_exchange(lab, folder / "way", inventory, salt.run),
            "two shards": lambda: _collect_shards(lab, folder, inventory),
        }
        for fault in FAULTS:
            figures.step(f"fault {fault}")
            injection.inject(lab, fault, lambda text: None)
            try:
                ssh = run_suite(lab, folder / "ssh", inventory=inventory)
                for name, run_way in ways.items():
                    run = run_way()
                    _compare(
                        figures, f"{fault}, {name}", run, ssh, (), _consequences(run) | _consequences(ssh)
                    )
                    other = (_causes(ssh) ^ _causes(run)) - _of_clocks(ssh)
                    figures.none(f"{fault}, {name}: other root causes than over ssh", other)
            finally:
                injection.heal(lab, None, lambda text: None)
    shutil.rmtree(folder, ignore_errors=True)


def _consequences(run: Run) -> set[str]:
    """Return what a root cause explains; which of it shows depends on the host that nginx takes for a request."""
    return {one["id"] for one in run.results.get("verdicts", ()) if one.get("explained_by")}


def _of_clocks(run: Run) -> set[str]:
    """Return what a clock explains: it is a root cause where the clock was not measured well enough."""
    return {
        one["id"]
        for one in run.results.get("verdicts", ())
        if any(cause.partition("@")[0] in CLOCKS for cause in one.get("explained_by", ()))
    }


def _causes(run: Run) -> set[str]:
    """Return the root causes of a run, without those of clocks."""
    causes = run.results.get("root_causes", ())
    return {id_ for id_ in causes if id_.partition("@")[0] not in CLOCKS}


def _way(
    figures: Figures, name: str, watched: tuple[Run, dict[str, list[str]]], ssh: Run, hosts: int
) -> None:
    run, found = watched
    collected = sum(host["collected"] for host in run.results.get("hosts", ()))
    figures.add(f"{name}: hosts collected", collected, str(hosts), collected == hosts)
    if collected != hosts:
        figures.say(run.out[-3000:])
    _compare(figures, name, run, ssh, ())
    figures.none(f"{name}: {LIST}", found["files"])
    others = [line for net in found if net != "files" for line in found[net]]
    figures.none(f"{name}: found by any other net", others)


def _without(figures: Figures, name: str, run: Run, ssh: Run, host: str) -> None:
    """Add the figures of a run in which one host gave no answer."""
    without = [one["name"] for one in run.results["hosts"] if not one["collected"]]
    figures.add(f"{name}: hosts without an answer", without, host, without == [host])
    _compare(figures, f"{name} without {host}", run, ssh, (host,))
    own = {id_: word for id_, word in run.words().items() if id_.partition("@")[2] == host}
    passed = [id_ for id_, word in own.items() if word not in ("no_data", "not_applicable")]
    figures.none(f"{name}: verdicts of {host} that are not no_data", passed)


def _compare(
    figures: Figures, name: str, run: Run, ssh: Run, without: Iterable[str], left_out: Collection[str] = ()
) -> None:
    """Add how many verdicts differ from those over ssh without a reason, and print how many do with one.

    left_out: ids that are not compared.
    """
    found = differences(run.words(), ssh.words(), without)
    found = {id_: reason for id_, reason in found.items() if id_ not in left_out}
    clocks, durations = (sum(reason == which for reason in found.values()) for which in ("clock", "duration"))
    figures.say(
        f"       {name}: {len(ssh.words())} verdicts, {clocks} of clocks are no_data, {durations} of durations warn"
    )
    other = [
        f"{id_}: {ssh.words()[id_]} -> {run.words().get(id_)}" for id_, reason in found.items() if not reason
    ]
    figures.none(f"{name}: other verdicts that are not those over ssh", other)


def differences(
    words: Mapping[str, str], of_ssh: Mapping[str, str], without: Iterable[str]
) -> dict[str, str]:
    """Return {id: reason} of the verdicts that are not those over ssh; "" is no reason.

    without: hosts that gave no answer.
    """
    found = {}
    for id_, word in of_ssh.items():
        if (now := words.get(id_)) == word:
            continue
        condition, _, subject = id_.partition("@")
        reason = ""
        if condition in CLOCKS and now == "no_data":
            reason = "clock"
        elif condition in DURATIONS and {word, now or ""} == DURATIONS[condition]:
            reason = "duration"
        elif now == "no_data" and _concerns(subject, without):
            reason = "no answer"
        found[id_] = reason
    return found


def _concerns(subject: str, hosts: Iterable[str]) -> bool:
    return subject == "deployment" or any(host in subject.split("+") for host in hosts)
