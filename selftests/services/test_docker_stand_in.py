"""The stand-in of docker, as far as it can be tested without a lab."""

from __future__ import annotations

import json

import pytest

from lab.services.programs import docker, dockerd

IMAGE = {"Id": "sha256:00", "Cmd": ["/bin/uwsgi", "--ini", "x.ini"], "WorkingDir": "/", "Files": {}}


@pytest.fixture
def daemon(tmp_path, monkeypatch):
    settings = tmp_path / "daemon.json"
    settings.write_text(json.dumps({"data-root": str(tmp_path / "root")}))
    monkeypatch.setattr(dockerd, "SETTINGS", settings)
    (tmp_path / "root/image").mkdir(parents=True)
    (tmp_path / "root/image/images.json").write_text(json.dumps({"bk-paas-login:1": IMAGE}))
    return dockerd.Daemon()


def body(memory=0, binds=()):
    return {"Image": "bk-paas-login:1", "HostConfig": {"Memory": memory, "Binds": list(binds)}}


def test_the_state_is_in_files_that_only_root_reads(daemon):
    one = daemon.create("bk-paas-login", body())
    folder = daemon.root / "containers" / one["ID"]
    assert (folder / "config.v2.json").stat().st_mode & 0o777 == 0o600
    assert json.loads((folder / "hostconfig.json").read_text())["RestartPolicy"] == {"Name": "no"}
    assert dockerd.Daemon().find("bk-paas-login")["ID"] == one["ID"]


def test_a_missing_source_becomes_a_directory(daemon, tmp_path):
    daemon.create("bk-paas-login", body(binds=[f"{tmp_path}/gone.ini:/x.ini"]))
    assert (tmp_path / "gone.ini").is_dir()


def test_512_without_a_unit_is_refused(daemon):
    assert (docker.memory("512"), docker.memory("512m")) == (512, 512 << 20)
    with pytest.raises(dockerd.Refused, match="Minimum memory limit allowed is 6MB"):
        daemon.create("bk-paas-login", body(memory=512))


def test_what_is_listed_and_what_is_not_there(daemon):
    daemon.create("bk-paas-login", body())
    assert [one["Names"] for one in daemon.listed(True, ["bk-"])] == [["/bk-paas-login"]]
    assert daemon.listed(True, ["other"]) == daemon.listed(False, []) == []
    with pytest.raises(dockerd.Refused, match="No such container: nosuch"):
        daemon.find("nosuch")


def test_the_part_of_templates_that_operators_use():
    values = {"Names": "bk-paas-login", "State": {"Pid": 7}}
    assert docker.shown("{{json .State}}", values) == '{"Pid": 7}'
    assert docker.shown("{{.Names}} {{ .State.Pid }}", values) == "bk-paas-login 7"
    assert docker.shown("json", values) == "json"
