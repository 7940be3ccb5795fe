"""supervisord of open_paas, its socket and the programs that it manages."""

from __future__ import annotations

from lab.control import Lab
from lab.faults.actions import (
    await_states,
    edit,
    host,
    keep,
    restart_open_paas,
    restore,
    signal_processes,
    start_supervisord,
    supervisorctl,
)
from lab.faults.fault import Act, Fault

SECTION = "fatal-exited-too-quickly"
SUPERVISORD = "/.*/supervisord -c .*/supervisor-open_paas.conf"


def paas(lab: Lab) -> str:
    return host(lab, "paas")


def socket(lab: Lab) -> str:
    return f"{lab.layout.home}/logs/open_paas/supervisor.sock"


def ini(lab: Lab, service: str) -> str:
    return f"{lab.layout.home}/etc/uwsgi-open_paas-{service}.ini"


def conf(lab: Lab) -> str:
    return f"{lab.layout.home}/etc/supervisor-open_paas.conf"


def cleaned_up(lab: Lab) -> None:
    restart_open_paas(lab, paas(lab))


def remove_socket(lab: Lab) -> None:
    lab.run(paas(lab), f"rm {socket(lab)}")


def start_over_lost_socket(lab: Lab) -> None:
    remove_socket(lab)
    start_supervisord(lab, paas(lab))
    await_states(lab, paas(lab), "FATAL")


def second_supervisord_stopped_all(lab: Lab) -> None:
    remove_socket(lab)
    start_supervisord(lab, paas(lab))
    supervisorctl(lab, paas(lab), "stop all")
    await_states(lab, paas(lab), "STOPPED")


def kill_supervisord(lab: Lab) -> None:
    signal_processes(lab, paas(lab), "KILL", SUPERVISORD)
    lab.run(paas(lab), f"while pgrep -f '^{SUPERVISORD}' >/dev/null; do sleep 0.05; done")


def start_over_orphans(lab: Lab) -> None:
    kill_supervisord(lab)
    start_supervisord(lab, paas(lab))
    await_states(lab, paas(lab), "FATAL")


def stop_program(lab: Lab) -> None:
    supervisorctl(lab, paas(lab), "stop esb")
    await_states(lab, paas(lab), "STOPPED", "esb")


def lose_program(lab: Lab) -> None:
    """esb was restarted without its uwsgi: supervisord cannot start it."""
    lab.run(paas(lab), f"mv {program_of_esb(lab)} {program_of_esb(lab)}.old")
    lab.run(
        paas(lab), f"{lab.layout.home}/.envs/open_paas/bin/supervisorctl -c {conf(lab)} restart esb || true"
    )
    lab.wait(
        lambda: "RUNNING" not in supervisorctl(lab, paas(lab), "status esb || true"), 40, "esb does not run"
    )


def find_program(lab: Lab) -> None:
    lab.run(
        paas(lab), f"[ ! -e {program_of_esb(lab)}.old ] || mv {program_of_esb(lab)}.old {program_of_esb(lab)}"
    )
    start_program(lab)


def program_of_esb(lab: Lab) -> str:
    return f"{lab.layout.home}/.envs/esb/bin/uwsgi"


def start_program(lab: Lab) -> None:
    supervisorctl(lab, paas(lab), "start esb")
    await_states(lab, paas(lab), "RUNNING", "esb")


def crash_and_crash(lab: Lab) -> None:
    """esb ends as soon as it starts, and supervisord was told never to mind."""
    name = paas(lab)
    edit(lab, name, ini(lab, "esb"), "s/^\\(chdir = .*\\)$/\\1_old/")
    edit(lab, name, conf(lab), "/^\\[program:esb\\]/a startsecs=0")
    supervisorctl(lab, name, "update")
    first = supervisorctl(lab, name, "pid esb")
    lab.wait(lambda: supervisorctl(lab, name, "pid esb") != first, 20, "esb gets another pid")


def crash_no_more(lab: Lab) -> None:
    name = paas(lab)
    restore(lab, name, ini(lab, "esb"))
    restore(lab, name, conf(lab))
    supervisorctl(lab, name, "update")
    await_states(lab, name, "RUNNING")


def forget_program(lab: Lab) -> None:
    """supervisor's file has no section for esb any more."""
    edit(lab, paas(lab), conf(lab), "/^\\[program:esb\\]/,/^$/d")
    supervisorctl(lab, paas(lab), "update")


def remember_program(lab: Lab) -> None:
    restore(lab, paas(lab), conf(lab))
    supervisorctl(lab, paas(lab), "update")
    await_states(lab, paas(lab), "RUNNING")


def pid_file(lab: Lab) -> str:
    return f"{lab.layout.home}/logs/open_paas/supervisord.pid"


def other_pid(lab: Lab) -> None:
    keep(lab, paas(lab), pid_file(lab))
    lab.run(paas(lab), f"echo 4711 > {pid_file(lab)}")


def on_second(arguments: str, state: str) -> Act:
    def act(lab: Lab) -> None:
        supervisorctl(lab, host(lab, "paas", 1), arguments)
        await_states(lab, host(lab, "paas", 1), state, arguments.split()[-1])

    return act


FAULTS = (
    Fault(
        "sock-removed",
        "supervisor-sock",
        SECTION,
        "supervisor.sock was removed while everything runs",
        "一切正常运行时 supervisor.sock 被删除",
        remove_socket,
        cleaned_up,
    ),
    Fault(
        "sock-path-edited",
        "supervisor-sock",
        SECTION,
        "the path of supervisor.sock was changed in the file, and supervisord not restarted",
        "修改了文件中 supervisor.sock 的路径，没有重启 supervisord",
        lambda lab: edit(lab, paas(lab), conf(lab), "s#supervisor.sock#supervisor-new.sock#"),
        lambda lab: restore(lab, paas(lab), conf(lab)),
    ),
    Fault(
        "faq-fatal",
        "supervisor-proc",
        SECTION,
        "supervisor.sock was removed and open_paas started again: four times FATAL, the old processes serve on",
        "supervisor.sock 被删除后又启动 open_paas：四个 FATAL，旧进程仍在服务",
        start_over_lost_socket,
        cleaned_up,
    ),
    Fault(
        "two-supervisord",
        "supervisor-proc",
        SECTION,
        "a second supervisord has the socket and all its programs stopped; the first serves",
        "第二个 supervisord 占有 socket，且其程序全部停止；第一个仍在服务",
        second_supervisord_stopped_all,
        cleaned_up,
    ),
    Fault(
        "sock-mode",
        "supervisor-sock",
        SECTION,
        "supervisor.sock may be used by everybody",
        "supervisor.sock 的权限对所有人开放",
        lambda lab: lab.run(paas(lab), f"chmod 0777 {socket(lab)}"),
        lambda lab: lab.run(paas(lab), f"chmod 0700 {socket(lab)}"),
    ),
    Fault(
        "supervisord-killed",
        "supervisor-proc",
        SECTION,
        "supervisord was killed, its programs serve on without a parent",
        "supervisord 被杀死，其程序成为孤儿进程继续服务",
        kill_supervisord,
        cleaned_up,
    ),
    Fault(
        "orphans-fatal",
        "uwsgi-orphans",
        SECTION,
        "supervisord was killed and started again: FATAL, since the orphans hold the ports",
        "supervisord 被杀死后又启动：孤儿进程占用端口，状态 FATAL",
        start_over_orphans,
        cleaned_up,
    ),
    Fault(
        "program-stopped",
        "supervisor-status",
        SECTION,
        "esb was stopped",
        "esb 被停止",
        stop_program,
        start_program,
    ),
    Fault(
        "program-lost",
        "supervisor-status",
        SECTION,
        "the uwsgi of esb is gone, and esb was restarted",
        "esb 的 uwsgi 不存在，且 esb 已被重启",
        lose_program,
        find_program,
    ),
    Fault(
        "crash-loop",
        "supervisor-status",
        SECTION,
        "esb exits immediately and is restarted each time: RUNNING, always with another pid",
        "esb 不断退出并被重新拉起：状态 RUNNING，但每次 pid 不同",
        crash_and_crash,
        crash_no_more,
    ),
    Fault(
        "program-forgotten",
        "supervisor-status",
        SECTION,
        "esb is missing in supervisor's file",
        "supervisor 的配置中缺少 esb",
        forget_program,
        remember_program,
    ),
    Fault(
        "program-stopped-second",
        "supervisor-status",
        SECTION,
        "esb was stopped on the second paas host",
        "第二台 paas 上的 esb 被停止",
        on_second("stop esb", "STOPPED"),
        on_second("start esb", "RUNNING"),
    ),
    Fault(
        "supervisord-pid-stale",
        "supervisor-proc",
        SECTION,
        "supervisord's pid file names another process",
        "supervisord 的 pid 文件内容不对",
        other_pid,
        lambda lab: restore(lab, paas(lab), pid_file(lab)),
    ),
    Fault(
        "sock-owner",
        "supervisor-sock",
        SECTION,
        "supervisor.sock belongs to another user than supervisord runs as",
        "supervisor.sock 的属主不是 supervisord 的运行用户",
        lambda lab: lab.run(paas(lab), f"chown nobody {socket(lab)}"),
        lambda lab: lab.run(paas(lab), f"chown root {socket(lab)}"),
    ),
)
