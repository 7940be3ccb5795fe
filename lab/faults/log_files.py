"""The file that an application writes is not the file that log_agent reads."""

from __future__ import annotations

from lab.control import Lab
from lab.faults.actions import address, await_http, edit, host, restore
from lab.faults.agents import start_application
from lab.faults.fault import Act, Fault
from lab.faults.log_cleanup import application_log
from lab.faults.log_search import LATE, SECTION

NAME = "bk_framework"


def page(lab: Lab, role: str) -> str:
    env = "o" if role == "appo" else "t"
    return f"http://{address(lab, host(lab, role))}:{lab.layout.ports['agent_nginx']}/{env}/{NAME}/"


def visit_until_late(lab: Lab, role: str) -> None:
    """Let the application log a line with each request, until the first of them are late."""
    name = host(lab, role)
    begun = float(lab.run(name, "date +%s"))

    def late() -> bool:
        await_http(lab, name, page(lab, role), "200")
        return float(lab.run(name, "date +%s")) - begun > LATE

    lab.wait(late, 4 * LATE, "lines are late")


def rename_log(lab: Lab) -> None:
    """Rotate like logrotate with create and without copytruncate: the application still writes to the renamed file."""
    log = application_log(lab)
    lab.run(host(lab, "appo"), f"mv {log} {log}-20261128 && : > {log}")
    visit_until_late(lab, "appo")


def name_log_back(lab: Lab) -> None:
    log = application_log(lab)
    lab.run(host(lab, "appo"), f"[ ! -e {log}-20261128 ] || mv {log}-20261128 {log}")
    start_application(lab, "appo")


def logs_folder(lab: Lab) -> str:
    return f"{lab.layout.home}/paas_agent/apps/logs"


def mount_over_logs(lab: Lab) -> None:
    lab.run(host(lab, "appo"), f"mount -t tmpfs -o size=4m tmpfs {logs_folder(lab)}")


def unmount_logs(lab: Lab) -> None:
    folder = logs_folder(lab)
    lab.run(host(lab, "appo"), f"! mountpoint -q {folder} || umount -l {folder}")


def remove_log(lab: Lab) -> None:
    lab.run(host(lab, "appt"), f"rm {application_log(lab)}")
    await_http(lab, host(lab, "appt"), page(lab, "appt"), "200")


def logs_to(role: str, path: str) -> tuple[Act, Act]:
    """The ini of the application has another LOG_FILE below the install root, and the application was restarted."""

    def ini(lab: Lab) -> str:
        return f"{lab.layout.home}/paas_agent/apps/projects/{NAME}/conf/{NAME}.ini"

    def break_(lab: Lab) -> None:
        name, log = host(lab, role), f"{lab.layout.home}/{path}"
        lab.run(name, f"mkdir -p $(dirname {log})")
        edit(lab, name, ini(lab), f"s#LOG_FILE=.*#LOG_FILE={log}#")
        start_application(lab, role)
        await_http(lab, name, page(lab, role), "200")

    def heal(lab: Lab) -> None:
        name, log = host(lab, role), f"{lab.layout.home}/{path}"
        restore(lab, name, ini(lab))
        start_application(lab, role)
        lab.run(
            name, f"rm -f {log} && rmdir -p --ignore-fail-on-non-empty $(dirname {log}) 2>/dev/null || true"
        )

    return break_, heal


FAULTS = (
    Fault(
        "log-renamed-open",
        "log-agent-reads",
        SECTION,
        "the log of an application on the appo host was rotated, and the application writes to the renamed file",
        "appo 上应用的日志被轮转改名，应用仍写入改名后的文件",
        rename_log,
        name_log_back,
    ),
    Fault(
        "log-removed-open",
        "log-agent-reads",
        SECTION,
        "the log of an application on the appt host was removed while the application has it open",
        "appt 上应用正在写入的日志被删除",
        remove_log,
        lambda lab: start_application(lab, "appt"),
    ),
    Fault(
        "log-directory-mounted-over",
        "log-agent-reads",
        SECTION,
        "a new disk was mounted over the logs while the application on the appo host has its log open",
        "appo 上的应用正在写日志时，日志目录上挂载了新磁盘",
        mount_over_logs,
        unmount_logs,
    ),
    Fault(
        "log-directory-deeper",
        "log-agent-reads",
        SECTION,
        "the application on the appo host logs to a directory that is one level deeper",
        "appo 上的应用写入更深一层的日志目录",
        *logs_to("appo", f"paas_agent/apps/logs/{NAME}/prod/{NAME}.log"),
    ),
    Fault(
        "log-directory-other",
        "log-agent-reads",
        SECTION,
        "the application on the appt host logs to a directory that log_agent does not read",
        "appt 上的应用写入 log_agent 不读取的目录",
        *logs_to("appt", f"logs/saas/{NAME}.log"),
    ),
)
