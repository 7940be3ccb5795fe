"""Least privilege: with each documented account the verdicts are those of root, or no_data with one cause."""

from __future__ import annotations

import subprocess
from pathlib import Path

from bkpaas import inventory
from bkpaas.collect import authorized_keys, program, sudoers
from lab.control import Lab
from selftests.proofs.figures import Figures
from selftests.proofs.live import Run, inventory_of, run_suite
from selftests.proofs.nets import folder_of

OPS = "/etc/sudoers.d/ops"
KEYS = "/etc/ssh/authorized_keys"


def prove(lab: Lab, figures: Figures) -> None:
    """Prove the law on a lab of layout a that is up."""
    folder = folder_of(lab)
    figures.step("as root")
    root = run_suite(lab, folder / "root", inventory=inventory_of(lab, folder / "as-root"))
    figures.add("root: exit code", root.exit, "0", root.exit == 0)
    _plain(lab, figures, folder, root)
    _sudo(lab, figures, folder, root)
    _forced(lab, figures, folder, root)


def _differences(run: Run, root: Run) -> dict[str, str]:
    """Return {id: word} of the verdicts that are not those of root."""
    of_root = root.words()
    return {id_: word for id_, word in run.words().items() if of_root.get(id_) != word}


def _plain(lab: Lab, figures: Figures, folder: Path, root: Run) -> None:
    figures.step("plain account, neither root nor sudo")
    run = run_suite(lab, folder / "plain", inventory=inventory_of(lab, folder / "as-guest", "guest"))
    found = _differences(run, root)
    figures.add("plain account: exit code, not green", run.exit, "1", run.exit == 1)
    figures.add("plain account: verdicts that are no_data instead", len(found), "more than 0", bool(found))
    figures.none(
        "plain account: verdicts that differ and are not no_data",
        [one for one in found.items() if one[1] != "no_data"],
    )
    causes = run.results.get("causes", [])
    figures.add("plain account: root causes", len(causes), "1", len(causes) == 1)
    without = [
        one["id"] for one in run.results["verdicts"] if one["verdict"] == "no_data" and not one["reason"]
    ]
    figures.none("plain account: no_data without a reason", without)


def _all(lab: Lab, script: str) -> None:
    for host in lab.layout.hosts:
        lab.run(host.name, script)


def _sudo(lab: Lab, figures: Figures, folder: Path, root: Run) -> None:
    figures.step("an account with exactly the sudo rule that the suite prints")
    as_ops = inventory_of(lab, folder / "as-ops", "ops", sudo=True)
    rule = sudoers.rules(inventory.load(as_ops))
    _all(
        lab,
        f"cp {OPS} /root/ops.before; cat > {OPS} <<'END'\n{rule}END\nchmod 440 {OPS}; visudo -c >/dev/null",
    )
    try:
        run = run_suite(lab, folder / "sudo", inventory=as_ops)
        figures.none(
            "sudo rule: verdicts that differ from those of root", list(_differences(run, root).items())
        )
        other = program.packed()[:-1] + b"x"
        allowed = [
            words
            for words in ("id", "/bin/sh -c id", "/bin/sh", "cat /etc/shadow", "-l -U root")
            if _ssh(lab, "ops", f"sudo -n {words}").stdout
        ]
        figures.none("sudo rule: other commands that run", allowed)
        line = program.command(inventory.Connection("ssh://ops@paas-1", sudo=True), ("/data/bkce",))
        figures.add("sudo rule: bytes that another program on standard input prints",
                    len(_ssh(lab, "ops", line, other + b"plan 2\n{}").stdout), "0",
                    not _ssh(lab, "ops", line, other + b"plan 2\n{}").stdout)  # fmt: skip
        answer = _ssh(lab, "ops", line, program.packed() + program.plan_lines({"disks": ["/"]})).stdout
        figures.caught("the collector itself runs with the rule", answer)
    finally:
        _all(lab, f"cat /root/ops.before > {OPS}; rm /root/ops.before")
    figures.caught("with the rule `ALL` another command runs", _ssh(lab, "ops", "sudo -n id").stdout)


def _forced(lab: Lab, figures: Figures, folder: Path, root: Run) -> None:
    figures.step("a key of root that authorized_keys restricts to the collector")
    public = (lab.state_dir / "id_ed25519.pub").read_text("utf-8").strip()
    lines = authorized_keys.lines(inventory.load(folder / "as-root"), public)
    _all(lab, f"cp {KEYS} /root/keys.before; cat > {KEYS} <<'END'\n{lines}END\n")
    try:
        run = run_suite(lab, folder / "forced", inventory=folder / "as-root")
        figures.none(
            "forced command: verdicts that differ from those of root", list(_differences(run, root).items())
        )
        ran = [
            words
            for words in ("id", "/bin/sh -c id", "cat /etc/shadow")
            if b"root" in _ssh(lab, "root", words, b"id\n").stdout
        ]
        figures.none("forced command: other commands that run", ran)
        other = program.packed()[:-1] + b"x"
        output = _ssh(lab, "root", "", other + b"plan 2\n{}").stdout
        figures.add(
            "forced command: bytes that another program on standard input prints",
            len(output),
            "0",
            not output,
        )
    finally:
        _all(lab, f"cat /root/keys.before > {KEYS}; rm /root/keys.before")
    figures.caught("without the forced command another command runs", _ssh(lab, "root", "id").stdout)


def _ssh(lab: Lab, user: str, line: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = lab.inside("ssh", "-F", str(lab.state_dir / "ssh_config"), f"{user}@paas-1", line)
    return subprocess.run(command, input=data, capture_output=True, timeout=60)
