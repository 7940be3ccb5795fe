"""A remedy has this host's real paths, ports and log files, and commands that can be pasted unchanged."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from bkpaas.catalogue.model import Text
from bkpaas.catalogue.scope import CONTROLLER, Subject
from bkpaas.catalogue.variables import render, render_usual
from bkpaas.facts import Process, Processes, Snapshot
from bkpaas.inventory.deployment import Connection
from bkpaas.messages import both

SNAPSHOT = Snapshot.load(Path(__file__).parents[1] / "snapshots/healthy.json")
DEPLOYMENT = SNAPSHOT.deployment
NGINX = Text(en="{nginx} -t", zh="{nginx} -t")


def filled(text, subject="paas-1", deployment=DEPLOYMENT, **found):
    hosts = tuple(subject.split("+")) if subject != "controller" else ()
    about = Subject(subject, hosts) if hosts else CONTROLLER
    return render(Text(en=text, zh=text), about, deployment, SNAPSHOT, found, "en")


def reached_by(connection):
    hosts = tuple(
        replace(host, connection=connection) if host.name == "paas-1" else host for host in DEPLOYMENT.hosts
    )
    return replace(DEPLOYMENT, hosts=hosts)


def test_several_services_have_a_log_each():
    logs = "/data/bkce/logs/open_paas"
    assert (
        filled("tail {service_logs}", service="esb login")
        == f"tail {logs}/esb_uwsgi.log {logs}/login_uwsgi.log"
    )
    assert filled("tail {service_logs}") == f"tail {logs}/SERVICE_uwsgi.log"


def test_nginx_files_are_those_that_were_read():
    assert filled("{nginx_folder}", "nginx-1") == "/data/bkce/etc/nginx"
    assert filled("{error_logs}", "nginx-1") == " ".join(SNAPSHOT.hosts["nginx-1"].nginx.error_logs)
    assert filled("{nginx_folder} {error_logs}", "controller").startswith(
        "/data/bkce/etc/nginx /data/bkce/logs/nginx/"
    )


@pytest.mark.parametrize(
    ("argv", "exe", "command"),
    [
        (("nginx: master process nginx",), "/usr/sbin/nginx", "/usr/sbin/nginx"),
        (("nginx: master process nginx -c /data/bkce/etc/nginx.conf",), "/opt/bin/nginx (deleted)", "/opt/bin/nginx -c /data/bkce/etc/nginx.conf"),
        (("/usr/sbin/nginx", "-p", "/srv/my nginx", "-g", "daemon off;"), "/usr/sbin/nginx", "/usr/sbin/nginx -p '/srv/my nginx'"),
    ],
)  # fmt: skip
def test_nginx_is_the_one_that_runs_with_the_files_it_was_started_with(argv, exe, command):
    master = Process(pid=7, ppid=1, argv=argv, exe=exe)
    worker = Process(pid=8, ppid=7, argv=("nginx: worker process",), exe=exe)
    facts = replace(SNAPSHOT.hosts["nginx-1"], processes=Processes(items=(master, worker)))
    snapshot = replace(SNAPSHOT, hosts={"nginx-1": facts})
    about = Subject("nginx-1", ("nginx-1",))
    assert render(NGINX, about, DEPLOYMENT, snapshot, {}, "en") == f"{command} -t"


def test_nginx_that_does_not_run_is_the_usual_one():
    facts = replace(SNAPSHOT.hosts["nginx-1"], processes=Processes(items=()))
    snapshot = replace(SNAPSHOT, hosts={"nginx-1": facts})
    assert render(NGINX, Subject("nginx-1", ("nginx-1",)), DEPLOYMENT, snapshot, {}, "en") == "nginx -t"


@pytest.mark.parametrize(
    ("connection", "command"),
    [
        (Connection("ssh://root@10.0.0.9"), "ssh -v root@10.0.0.9"),
        (Connection("ssh://10.0.0.9:2222"), "ssh -v -p 2222 10.0.0.9"),
        (
            Connection("ssh://ops@h", key="/k/my key", bastion="j@b:22", ssh_config="/c", known_hosts="/kh"),
            "ssh -v -F /c -o UserKnownHostsFile=/kh -i '/k/my key' -J j@b:22 ops@h",
        ),
        (Connection("docker://paas-1"), "docker exec paas-1"),
        (Connection("docker://ops@paas-1"), "docker exec -u ops paas-1"),
        (Connection("local://"), "sh -c"),
    ],
)  # fmt: skip
def test_the_login_is_tried_as_the_suite_does_it(connection, command):
    assert filled("{login} true", deployment=reached_by(connection)) == f"{command} true"


def test_the_site_has_its_scheme_and_port():
    assert filled("{site}/login/") == f"http://{DEPLOYMENT.domain}/login/"
    https = replace(DEPLOYMENT, scheme="https", port=8443, virtual_addresses=("10.0.0.200",))
    assert (
        filled("{site} {domain_address}", deployment=https) == f"https://{DEPLOYMENT.domain}:8443 10.0.0.200"
    )


def test_an_unknown_variable_stays_a_word_in_capitals():
    assert filled("{url} {strange}", "controller") == "URL STRANGE"
    assert render_usual("{sock} {pids}") == "/data/bkce/logs/open_paas/supervisor.sock PIDS"


def test_a_value_of_a_check_is_rendered_in_the_language_of_the_remedy():
    value = both(en="the clock", zh="时钟")
    text = Text(en="set {off}", zh="校准{off}")
    for language, expected in (("en", "set the clock"), ("zh", "校准时钟")):
        assert render(text, CONTROLLER, DEPLOYMENT, SNAPSHOT, {"off": value}, language) == expected
