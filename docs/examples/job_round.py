#!/usr/bin/env python3
"""Run one round of an exchange (docs/engines.md) through BlueKing JOB: one fast_execute_script for each host.

    python3 job_round.py /var/lib/bkpaas/exchange/round-1 /etc/bkpaas/job.json

Read docs/safety.md first: JOB writes the script on the host and keeps its output, secrets included, in its history.
The requests go through the platform that is checked, so this is never the only way to collect.
"""

import argparse
import base64
import json
import os
import sys
import time
import urllib.error
import urllib.request

ANSWER_BYTES = 16 << 20
APIS = {
    "jobv3": {
        "path": "/api/c/compapi/v2/jobv3/",
        "timeout": "timeout",
        "account": "account_alias",
        "language": "script_language",
    },
    "job": {
        "path": "/api/c/compapi/v2/job/",
        "timeout": "script_timeout",
        "account": "account",
        "language": "script_type",
    },
}
"""By --api: jobv3 is that of generation 6.x, job that of 5.x."""


class Failed(Exception):
    """The interface did not do what was asked."""


def main():
    options = parser().parse_args()
    with open(options.settings, encoding="utf-8") as file:
        if os.fstat(file.fileno()).st_mode & 0o077:
            sys.exit(options.settings + " holds a secret: chmod 600 " + options.settings)
        options.values = json.load(file)
    names = sorted(name[:-3] for name in os.listdir(options.folder) if name.endswith(".sh"))
    running = {}
    for name in names:
        attempt(lambda name=name: running.update({name: start(options, name)}), name)
    deadline = time.time() + options.seconds
    missing = set(names)
    while running and time.time() < deadline:
        for name in list(running):
            attempt(lambda name=name: read(options, name, running, missing), name, running)
        time.sleep(options.pause if running else 0)
    print(f"{len(names) - len(missing)} of {len(names)} hosts answered")
    if missing:
        print("no answer: " + " ".join(sorted(missing)))
    return 1 if missing else 0


def attempt(function, name, running=None):
    """Call a function; a failure is printed, and costs this host only."""
    try:
        function()
    except Failed as error:
        print(f"{name}: {error}")
        if running is not None:
            running.pop(name, None)


def target(options, name):
    """Return {"ip", "bk_cloud_id"} of a host: hosts of the settings has "IP" or "CLOUD:IP", else its name is its address."""
    cloud, _, address = str(options.values.get("hosts", {}).get(name, name)).rpartition(":")
    return {"ip": address, "bk_cloud_id": int(cloud or 0)}


def start(options, name):
    """Start the script of a host; return (job instance, step instance or None, time)."""
    api, values = APIS[options.api], options.values
    with open(os.path.join(options.folder, name + ".sh"), "rb") as file:
        content = base64.b64encode(file.read()).decode()
    request = {
        "script_content": content,
        api["language"]: 1,  # shell
        api["account"]: values["account"],
        api["timeout"]: max(60, int(options.seconds)),
    }
    if options.api == "jobv3":
        request["target_server"] = {"ip_list": [target(options, name)]}
    else:
        request["ip_list"] = [target(options, name)]
    sent = time.time()
    data = call(options, "fast_execute_script", request)
    return data["job_instance_id"], data.get("step_instance_id"), sent


def read(options, name, running, missing):
    """Write the answer of a host whose script has ended; of one that has not, nothing."""
    job, step, sent = running[name]
    log = (log_v3 if options.api == "jobv3" else log_v2)(options, name, job, step)
    if log is None:
        return
    received = time.time()
    del running[name]
    base = os.path.join(options.folder, name)
    write(base + ".json", json.dumps({"sent": sent, "received": received}))
    write(base + ".out", log)
    missing.discard(name)


def log_v3(options, name, job, step):
    """Return the output of a script of jobv3, None while it runs."""
    status = call(options, "get_job_instance_status", {"job_instance_id": job})
    if not status["finished"]:
        return None
    where = target(options, name)
    logs = call(
        options,
        "batch_get_job_instance_ip_log",
        {"job_instance_id": job, "step_instance_id": step, "ip_list": [where]},
    )
    for one in logs.get("script_task_logs") or ():
        if one["ip"] == where["ip"] and one["bk_cloud_id"] == where["bk_cloud_id"]:
            return one["log_content"] or ""
    raise Failed("JOB has no output of this host; see the job instance " + str(job))


def log_v2(options, name, job, step):
    """Return the output of a script of the interface of 5.x, None while it runs."""
    (first, *_) = call(options, "get_job_instance_log", {"job_instance_id": job}) or [None]
    if first is None or not first["is_finished"]:
        return None
    where = target(options, name)
    for result in first["step_results"]:
        for one in result["ip_logs"]:
            if one["ip"] == where["ip"] and one["bk_cloud_id"] == where["bk_cloud_id"]:
                return one["log_content"] or ""
    raise Failed("JOB has no output of this host; see the job instance " + str(job))


def call(options, name, request):
    """Return the data of the answer to a request. Raises Failed, without what the settings hold.

    Each is a POST: the GET that the documentation suggests for some would put the secret into the logs of the platform.
    """
    values = options.values
    login = {
        key: values[key]
        for key in ("bk_app_code", "bk_app_secret", "bk_username", "bk_token")
        if key in values
    }
    body = json.dumps({**login, "bk_biz_id": values["bk_biz_id"], **request}).encode()
    url = values["url"].rstrip("/") + APIS[options.api]["path"] + name + "/"
    sent = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(sent, timeout=30) as answer:
            found = json.loads(answer.read(ANSWER_BYTES))
        if found["result"] is not True:
            raise Failed(f"{name}: code {str(found.get('code'))[:20]}: {str(found.get('message'))[:200]}")
        return found["data"]
    except urllib.error.HTTPError as error:
        raise Failed(f"{name}: HTTP {error.code}") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Failed(f"{name}: {type(error).__name__}") from None


def write(path, text):
    """Replace a file as a whole, readable by its owner only."""
    descriptor = os.open(path + ".part", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
        file.write(text)
    os.replace(path + ".part", path)


def parser():
    top = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    top.add_argument("folder", help="DIR/round-1 or DIR/round-2")
    top.add_argument(
        "settings",
        help="JSON file, mode 600: url, bk_app_code, bk_app_secret, bk_username, bk_biz_id, account, hosts",
    )
    top.add_argument("--api", choices=sorted(APIS), default="jobv3", help="jobv3 (6.x) or job (5.x)")
    top.add_argument("--seconds", type=float, default=120, help="wait so long for the answers (%(default)s)")
    top.add_argument("--pause", type=float, default=2, help="between two looks at the jobs (%(default)s)")
    return top


if __name__ == "__main__":
    sys.exit(main())
