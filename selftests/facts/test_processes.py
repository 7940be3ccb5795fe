"""Processes are recognised by whole words of their command line."""

import pytest
from recorded import HOME, process, supervisord, uwsgi

from bkpaas.facts.process import command_line, processes
from bkpaas.facts.secrets import Secrets

INI = f"{HOME}/etc/uwsgi-open_paas-login.ini"


def parsed(*given):
    return processes(list(given), Secrets())


def test_the_processes_of_one_service():
    found = parsed(supervisord(9), *uwsgi("login", 100, 9), *uwsgi("paas", 200, 9))
    assert [p.pid for p in found.uwsgi("login")] == [100, 101, 102, 103]
    assert len(found.uwsgi()) == 8
    assert [p.pid for p in found.uwsgi_masters("login")] == [100]
    assert [p.pid for p in found.uwsgi_masters()] == [100, 200]
    assert [p.pid for p in found.supervisords()] == [9]
    assert found.descends(103, 9) and found.descends(9, 9)
    assert not found.descends(9, 103) and not found.descends(999, 9)
    assert [p.pid for p in found.children(9)] == [100, 200]
    assert found.get(100).service == "login" and found.get(9).service is None and found.get(5) is None


def test_orphans_and_a_second_generation_have_two_masters():
    found = parsed(*uwsgi("login", 100, 1), supervisord(9), *uwsgi("login", 300, 9))
    assert [(p.pid, p.ppid) for p in found.uwsgi_masters("login")] == [(100, 1), (300, 9)]


@pytest.mark.parametrize(
    "argv",
    [
        ("grep", "--color=auto", INI),
        ("tail", "-f", INI),
        ("vim", INI),
        ("/bin/bash", "-c", f"exec {HOME}/.envs/login/bin/uwsgi --ini {INI}"),
        (f"{HOME}/.envs/login/bin/uwsgi", "--ini", f"{HOME}/etc/uwsgi-open_paas-login.ini.bak"),
        (f"{HOME}/.envs/login/bin/uwsgi", "--ini", f"{HOME}/etc/uwsgi-cmdb.ini"),
        (f"{HOME}/.envs/login/bin/uwsgi",),
        (),
    ],
)
def test_what_only_names_the_file_is_no_service(argv):
    assert parsed(process(5, 1, *argv)).uwsgi() == ()


@pytest.mark.parametrize(
    "argv", [("uwsgi", "--ini", INI), ("/usr/bin/uwsgi", f"--ini={INI}"), ("uwsgi", "--die-on-term", INI)]
)
def test_ways_to_start_a_service(argv):
    assert [p.service for p in parsed(process(5, 1, *argv)).uwsgi()] == ["login"]


def test_supervisords_of_other_modules_and_tools_do_not_count():
    conf = f"{HOME}/etc/supervisor-open_paas.conf"
    found = parsed(
        process(1, 0, "/opt/py27/bin/python", "/opt/py27/bin/supervisord", "-c", f"{HOME}/etc/supervisor-consul.conf"),
        process(2, 0, "python", f"{HOME}/.envs/open_paas/bin/supervisorctl", "-c", conf),
        process(3, 0, "grep", "supervisord", "-c", conf),
        process(4, 0, "vim", conf),
        process(5, 0, "/usr/bin/supervisord", f"--configuration={conf}"),
        process(6, 0, "/usr/bin/python2.7", "/usr/bin/supervisord", "-n", "-c", conf),
    )  # fmt: skip
    assert [p.pid for p in found.supervisords()] == [5, 6]
    assert [p.pid for p in found.supervisords("supervisor-consul.conf")] == [1]


def test_nginx_masters():
    found = parsed(
        process(10, 1, "nginx: master process nginx", exe="/usr/sbin/nginx"),
        process(11, 10, "nginx: worker process", exe="/usr/sbin/nginx"),
        process(12, 1, "grep", "nginx: master process", exe="/bin/grep"),
        process(20, 1, "nginx", "-g", "daemon off;", exe="/usr/local/openresty/nginx/sbin/nginx (deleted)"),
        process(21, 20, "nginx", exe="/usr/local/openresty/nginx/sbin/nginx"),
    )
    assert [p.pid for p in found.nginx_masters()] == [10, 20]


def test_named():
    assert [
        p.pid for p in parsed(process(4, 1, "/usr/sbin/ntpd"), process(5, 1, "/usr/sbin/sshd")).named("ntpd")
    ] == [4]


@pytest.mark.parametrize(
    ("argv", "secret"),
    [
        (["mysqldump", "-uroot", "-pPl4nted1", "open_paas"], "Pl4nted1"),
        (["bash", "-c", "mysql -uroot -pPl4nted2 -e status"], "Pl4nted2"),
        (["mysql", "--password=Pl4nted3"], "Pl4nted3"),
        (["prog", "--db-password", "Pl4nted4", "--x"], "Pl4nted4"),
        (["redis-cli", "-a", "Pl4nted5", "ping"], "Pl4nted5"),
        (["/usr/bin/curl", "-u", "admin:Pl4nted6", "http://x/"], "Pl4nted6"),
        (["curl", "-H", "Authorization: Bearer Pl4nted7", "http://x/"], "Pl4nted7"),
        (["curl", "http://paas/login/?bk_token=Pl4nted8"], "Pl4nted8"),
        (["java", "-Dspring.redis.password=Pl4nted9", "-jar", "x.jar"], "Pl4nted9"),
        (["sshpass", "-pPl4ntedA", "ssh", "x"], "Pl4ntedA"),
        (["sudo", "mysql", "-uroot", "-pPl4ntedA"], "Pl4ntedA"),
        (["timeout", "5", "/usr/bin/redis-cli", "-a", "Pl4ntedA", "ping"], "Pl4ntedA"),
        (["bash", "-c", "cd /x && redis-cli -a Pl4ntedA ping"], "Pl4ntedA"),
        (["curl", "-uadmin:Pl4ntedA", "http://x"], "Pl4ntedA"),
        (["curl", "--user=admin:Pl4ntedA", "http://x"], "Pl4ntedA"),
        (["mongo", "-u", "x", "-pPl4ntedA"], "Pl4ntedA"),
        (["rabbitmqctl", "add_user", "u", "Pl4ntedA"], "Pl4ntedA"),
        (["htpasswd", "-nb", "u", "Pl4ntedA"], "Pl4ntedA"),
        (["consul", "agent", "-encrypt", "Pl4ntedA"], "Pl4ntedA"),
        (["x", "amqp://user:Pl4ntedB@10.0.0.1:5672/prod"], "Pl4ntedB"),
        (["x" * 295, "--token=Pl4ntedC"], "Pl4"),
    ],
)  # fmt: skip
def test_no_secret_of_a_command_line_is_kept(argv, secret):
    words = command_line(argv, Secrets())
    assert secret not in " ".join(words)
    assert words[0] == argv[0]


@pytest.mark.parametrize("argv", [["mysql", "-pPl4ntedA1"], ["sh", "-c", "sudo mysql -uroot -pPl4ntedA1"]])
def test_a_digest_glued_to_its_option_is_not_digested_again(argv):
    secrets = Secrets()
    words = command_line(argv, secrets)
    assert secrets.strings(list(words)) == list(words)


def test_command_lines_are_cut_but_long_words_hide_nothing_behind_them():
    argv = ["java", "-cp", "/a.jar:" * 200, "Main", "-f", "/data/bkce/paas_plugins/log_parser/conf/x.conf"]
    words = command_line(argv, Secrets())
    assert len(words[2]) == 300 and words[-1] == argv[-1]
    assert len(" ".join(command_line(["x"] * 5000, Secrets()))) <= 2000


def test_environ_without_the_login_of_a_proxy():
    values = {"http_proxy": "http://joe:Pl4nted1@10.0.0.8:3128", "BK_ENV": "production"}
    found = parsed(process(5, 1, "x", environ=values), process(6, 1, "x", environ=None))
    environ = found.get(5).environ
    assert environ["BK_ENV"] == "production"
    assert "Pl4nted1" not in environ["http_proxy"] and environ["http_proxy"].endswith("@10.0.0.8:3128")
    assert found.get(6).environ is None
