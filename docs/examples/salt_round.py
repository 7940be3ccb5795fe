#!/usr/bin/env python3
"""Run one round of an exchange (docs/engines.md) through Salt: one publish, each answer into its file.

    /opt/saltstack/salt/bin/python3 salt_round.py /var/lib/bkpaas/exchange/round-1

It runs on the master, as the account of the master, with the Python of Salt. The ids of the minions are the names of
the hosts in the suite's inventory. The scripts of all hosts are the standard input of /bin/sh (cmd.run_stdout), and
each minion runs that of its own id: cmd.script would write a file on the hosts, and so would cmd.run with a template.
"""

import argparse
import json
import os
import shutil
import sys
import time

ROUND = """\
minion=$(sed -n 's/^id: *//p' /etc/salt/minion /etc/salt/minion.d/*.conf 2>/dev/null | tail -n 1 | tr -d '"'"'")
[ -n "$minion" ] || minion=$(cat /etc/salt/minion_id 2>/dev/null || hostname)
case "$minion" in
%s
*) echo "no script for the minion $minion" ;;
esac
"""


def main():
    options = parser().parse_args()
    names = sorted(file[:-3] for file in os.listdir(options.folder) if file.endswith(".sh"))
    missing = []
    for start in range(0, len(names), options.hosts):
        missing += run(options, names[start : start + options.hosts])
    print(f"{len(names) - len(missing)} of {len(names)} minions returned")
    if missing:
        print("no answer: " + " ".join(missing))
    return 1 if missing else 0


def script_of(folder, names):
    """Return the text for /bin/sh that runs the script of the minion it runs on."""
    cases = []
    for name in names:
        with open(os.path.join(folder, name + ".sh"), encoding="utf-8") as file:
            cases.append(f"'{name}')\n{file.read()}\n;;")
    return ROUND % "\n".join(cases)


def run(options, names):
    """Publish the scripts of these minions, write what they return; return the names of the others."""
    import salt.client

    client = salt.client.LocalClient(c_path=options.config)
    keywords = {
        "stdin": script_of(options.folder, names),
        "stdin_raw_newlines": True,
        "python_shell": False,
        "output_loglevel": "quiet",  # the output holds secrets: it is in no log of the minion
        "ignore_retcode": True,
        "timeout": options.seconds,
    }
    sent = time.time()
    job = client.run_job(
        names, "cmd.run_stdout", ["/bin/sh -s"], tgt_type="list", kwarg=keywords, listen=True
    )
    missing = set(names)
    if job:
        try:
            collect(client, job, options, names, sent, missing)
        finally:
            forget(client.opts, job["jid"])
    return sorted(missing)


def collect(client, job, options, names, sent, missing):
    """Write each answer when it arrives, until all have or the time is over."""
    returns = client.get_iter_returns(
        job["jid"],
        job["minions"],
        timeout=options.check,
        gather_job_timeout=int(options.check),  # that of the master may be too short for a busy minion
        tgt=names,
        tgt_type="list",
        block=False,
    )
    for returned in returns:
        received = time.time()
        for name, value in (returned or {}).items():
            if name in missing and isinstance(value.get("ret"), str) and not value.get("failed"):
                base = os.path.join(options.folder, name)
                write(base + ".json", json.dumps({"sent": sent, "received": received}))
                write(base + ".out", value["ret"])
                missing.discard(name)
        if not missing or received - sent > options.seconds:
            return
        if not returned:
            time.sleep(0.02)


def write(path, text):
    """Replace a file as a whole, readable by its owner only."""
    descriptor = os.open(path + ".part", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)
    os.replace(path + ".part", path)


def forget(opts, jid):
    """Remove the job with its answers from the job cache of the master, which may write them a moment later."""
    import salt.utils.jid

    folder = salt.utils.jid.jid_dir(jid, os.path.join(opts["cachedir"], "jobs"), opts["hash_type"])
    for _ in range(10):
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(1)
        if not os.path.exists(folder):
            return
    print("answers are still in the job cache: " + folder)


def parser():
    top = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    top.add_argument("folder", help="DIR/round-1 or DIR/round-2")
    top.add_argument("--config", default="/etc/salt/master", help="of the master (%(default)s)")
    top.add_argument("--seconds", type=float, default=90, help="wait so long for the answers (%(default)s)")
    top.add_argument(
        "--check", type=float, default=15, help="then ask which minions still run it (%(default)s)"
    )
    top.add_argument("--hosts", type=int, default=50, help="in one publish (%(default)s)")
    return top


if __name__ == "__main__":
    sys.exit(main())
