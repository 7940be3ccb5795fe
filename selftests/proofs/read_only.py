"""Read-only: what a run leaves on the hosts, sends to the services and starts, seen from outside of the suite."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bkpaas.catalogue.registry import SECTIONS
from lab.control import RECORD, Lab
from selftests.proofs import allowed, deeds
from selftests.proofs.figures import Figures
from selftests.proofs.live import Run, inventory_of, over_ssh, run_exchange, run_suite
from selftests.proofs.nets import Database, Files, Left, Redis, Requests, folder_of, watching
from selftests.proofs.programs import SSHD, Programs

DATA = "data-1"
DOMAIN = "paas.bklab.test"
IGNORED = r"^(nginx|uwsgi|sshd: |/usr/sbin/sshd|unix $)|redis-cli|mysql -uroot"
"""Processes that come and go with requests and with the proof itself."""
LIST = "changed files outside of the written list"


class Nets:
    """All nets around one run, and what they found by what it means."""

    def __init__(
        self,
        lab: Lab,
        *,
        hash_all: bool = False,
        traced: Sequence[str] = (SSHD,),
        more_files: Mapping[str, str] | None = None,
    ) -> None:
        self.lab, self.folder = lab, folder_of(lab)
        since = 0.0 if hash_all else (lab.state_dir / "layout.json").stat().st_mtime
        self.files = Files(lab, {**allowed.files(), **(more_files or {})}, since)
        self.left, self.requests = Left(lab, IGNORED), Requests(lab)
        self.redis, self.database = Redis(lab, DATA), Database(lab, DATA)
        self.programs = Programs(lab, self.folder / "strace.txt", traced)

    def around(self, name: str, *words: str, inventory: Path | None = None, environment: Mapping[str, str] | None = None
               ) -> tuple[Run, dict[str, list[str]]]:  # fmt: skip
        """Run the suite among the nets."""
        place = inventory or inventory_of(self.lab, self.folder / "inventory")
        return self.watch(
            lambda: run_suite(self.lab, self.folder / name, *words, inventory=place, environment=environment)
        )

    def watch(self, run_it: Callable[[], Run]) -> tuple[Run, dict[str, list[str]]]:
        """Run something among the nets; return the run, and what each net found."""
        nets = (self.database, self.files, self.left, self.redis, self.programs, self.requests)
        with watching(*nets) as found:
            run = run_it()
        layout = self.lab.layout
        direct = [one for one in self.requests.requests if not allowed.is_proxied(one, layout)]
        self.own = [
            one for one in direct if one["headers"].get("user-agent", "").startswith(allowed.OWN_AGENT)
        ]
        others = [one for one in direct if one not in self.own]
        self.own_redis, redis = allowed.redis_commands(self.redis.commands)
        self.own_logins, statements = allowed.database_statements(self.database.connections)
        changes = [line for line in found["Programs"] if not allowed.CHRONY.match(line)]
        return run, {
            "files": found["Files"],
            "left": found["Left"],
            "requests": list(allowed.not_listed(self.own, layout, DOMAIN)),
            "others": list(allowed.unexpected_of_others(others)),
            "redis": redis,
            "database": statements,
            "calls": changes,
            "programs": allowed.other_programs(self.programs.trace.started()),
        }


def prove(lab: Lab, figures: Figures) -> None:
    """Prove the law on a lab of layout a that is up."""
    folder = folder_of(lab)
    _as_root(lab, figures)
    _other_ways(lab, figures, folder)
    _symptoms(lab, figures, folder)
    _deeds(lab, figures)
    shutil.rmtree(folder, ignore_errors=True)


def _as_root(lab: Lab, figures: Figures) -> None:
    figures.step(
        "a full run as root: every file of every host hashed before and after, strace, requests, redis, database"
    )
    nets = Nets(lab, hash_all=True)
    run, found = nets.around("root")
    figures.add("exit code of the full run", run.exit, "0", run.exit == 0)
    if run.exit:
        figures.say(run.out[-3000:])
    figures.add("files listed and hashed on 9 hosts", [nets.files.count, nets.files.hashed], "more than 100000 each",
                nets.files.count > 100_000 and nets.files.hashed > 100_000)  # fmt: skip
    figures.none(f"as root: {LIST}", found["files"])
    figures.none("processes and listening sockets that are left", found["left"])
    figures.add("requests of the suite that arrived", len(nets.own), "more than 80", len(nets.own) > 80)
    figures.none("requests that are not in docs/safety.md", found["requests"])
    figures.none("requests of others that no service of the lab sends", found["others"])
    figures.add(
        "commands of the suite in redis' MONITOR", nets.own_redis, "more than 20", nets.own_redis > 20
    )
    figures.none("commands in redis' MONITOR of neither the suite's list nor a service", found["redis"])
    figures.add(
        "logins of the suite in the general log of the database", nets.own_logins, "2", nets.own_logins == 2
    )
    figures.none("statements in the general log of neither docs/safety.md nor a service", found["database"])
    collectors, started = len(nets.programs.trace.collectors), len(nets.programs.trace.started())
    figures.add("collectors and the programs that they started, by strace", [collectors, started], "9 and at least 9",
                collectors == 9 and started >= 9)  # fmt: skip
    figures.none("programs that are not in docs/safety.md", found["programs"])
    figures.none("system calls of collectors that change something or open for writing", found["calls"])


def _other_ways(lab: Lab, figures: Figures, folder: Path) -> None:
    ways: dict[str, tuple[Path | None, tuple[str, ...]]] = {
        "openssh transport": (None, ("--transport", "openssh")),
        "account with sudo": (inventory_of(lab, folder / "sudo", "ops", sudo=True), ()),
        "plain account": (inventory_of(lab, folder / "plain", "guest"), ()),
    }
    for name, (inventory, words) in ways.items():
        figures.step(f"a full run, {name}")
        _way(figures, name, *Nets(lab).around("way", *words, inventory=inventory))
    figures.step("a full run, scripts of an engine")
    inventory = inventory_of(lab, folder / "inventory")
    _way(
        figures,
        "scripts of an engine",
        *Nets(lab).watch(lambda: run_exchange(lab, folder / "way", inventory, over_ssh(lab))),
    )


def _way(figures: Figures, name: str, run: Run, found: Mapping[str, list[str]]) -> None:
    collected = sum(host["collected"] for host in run.results["hosts"])
    figures.add(f"{name}: hosts collected", collected, "9", collected == 9)
    figures.none(f"{name}: {LIST}", found["files"])
    figures.none(
        f"{name}: found by any other net", [line for key in found if key != "files" for line in found[key]]
    )


def _symptoms(lab: Lab, figures: Figures, folder: Path) -> None:
    figures.step(f"the {len(SECTIONS)} symptoms, one run each")
    files, left = Files(lab, allowed.files(), (lab.state_dir / RECORD).stat().st_mtime), Left(lab, IGNORED)
    with watching(files, left) as found:
        for section in SECTIONS:
            run_suite(lab, folder / "symptom", "-m", section.key.replace("-", "_"))
    figures.none(f"symptoms: {LIST}", found["Files"])
    figures.none("symptoms: processes and listening sockets that are left", found["Left"])


def _deeds(lab: Lab, figures: Figures) -> None:
    figures.step("a collector that does what it must not: each net has to notice")
    environment = {deeds.VARIABLE: deeds.ALL}
    _, found = Nets(lab).around("deeds", "-p", "selftests.proofs.deeds", environment=environment)
    for net, sign, what in deeds.SIGNS:
        figures.caught(what, [line for line in found[net] if sign in line])
    lab.run(deeds.HOST, deeds.UNDO)
