"""connect: of deployment.yaml: defaults, host specs by scheme, paths, and no password anywhere."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from testinfra.backend import BACKENDS

from bkpaas.errors import InventoryError
from bkpaas.inventory import Connection, load
from bkpaas.inventory.connections import SPECS

Site = Callable[..., Path]
Refusals = Callable[[Path], list[str]]

CONFIG = "10.0.1.1 paas,es\n10.0.1.2 appo\n"


def connection(site: Site, host: str = "", default: str = "", address: str = "10.0.1.1") -> Connection:
    text = f"hosts: [{{address: {address}, connect: {{{host}}}}}]\n" if host else "port: 80\n"
    text += f"connect: {{{default}}}\n" if default else ""
    return load(site({"install.config": CONFIG, "deployment.yaml": text})).host(address).connection


def test_every_scheme_is_one_of_testinfra() -> None:
    assert set(SPECS) <= set(BACKENDS)


def test_without_a_word_it_is_plain_ssh_to_the_address(site: Site) -> None:
    assert connection(site) == Connection("ssh://10.0.1.1")


def test_defaults_are_for_all_and_hosts_say_otherwise(site: Site) -> None:
    default = "user: ops, port: 2222, sudo: true, bastion: 'j@10.0.9.1:22,10.0.9.2'"
    assert connection(site, "port: 22, sudo: false", default) == Connection(
        "ssh://ops@10.0.1.1:22", bastion="j@10.0.9.1:22,10.0.9.2"
    )
    assert connection(site, "sudo_user: bk", default, "10.0.1.2") == Connection(
        "ssh://ops@10.0.1.2:2222", bastion="j@10.0.9.1:22,10.0.9.2", sudo=True, sudo_user="bk"
    )


def test_sudo_user_alone_means_sudo(site: Site) -> None:
    assert connection(site, "sudo_user: bk") == Connection("ssh://10.0.1.1", sudo=True, sudo_user="bk")


def test_sudo_false_of_a_host_drops_the_default_sudo_user(site: Site) -> None:
    assert connection(site, "sudo: false", "sudo_user: bk") == Connection("ssh://10.0.1.1")


def test_paths_start_where_the_file_is(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ops")
    found = connection(site, "key: ../keys/id, known_hosts: /etc/kh, ssh_config: ~/.ssh/config")
    here = os.path.realpath(site({}))
    assert found.key == os.path.join(os.path.dirname(here), "keys/id")
    assert found.known_hosts == "/etc/kh"
    assert found.ssh_config == "/home/ops/.ssh/config"


def test_paths_start_at_the_file_that_a_link_leads_to_its_directory(site: Site, tmp_path: Path) -> None:
    path = site(
        {
            "sub/real/deployment.yaml": "connect: {key: ../id}\n",
            "sub/real/install.config": CONFIG,
            "sub/id": "x",
        }
    )
    (tmp_path / "link").symlink_to(path / "sub/real")
    key = load(tmp_path / "link").hosts[0].connection.key
    assert key == os.path.realpath(path / "sub/id")


@pytest.mark.parametrize(("mode", "refused"), [(0o600, False), (0o400, False), (0o640, True), (0o604, True)])
def test_a_private_key_that_others_can_read_is_refused(site: Site, mode: int, refused: bool) -> None:
    path = site({"install.config": CONFIG, "deployment.yaml": "connect: {key: id}\n", "id": ""})
    (path / "id").chmod(mode)
    if not refused:
        load(path, visits=True)
        return
    with pytest.raises(InventoryError, match=f"is {mode:o}, so others can read") as caught:
        load(path, visits=True)
    assert "chmod 600" in str(caught.value)


def test_names_that_differ_between_the_files_are_named(site: Site) -> None:
    files = {
        "install.config": CONFIG,
        "globals.env": "export PAAS_FQDN='paas.old.test'\n",
        "deployment.yaml": "domain: paas.new.test\n",
    }
    notes = "\n".join(map(str, load(site(files)).notes))
    assert "domain is paas.new.test in deployment.yaml, but paas.old.test in the env files" in notes


def test_missing_key_is_noted(site: Site) -> None:
    path = site(
        {"install.config": CONFIG, "deployment.yaml": "connect: {key: id, known_hosts: kh}\n", "kh": ""}
    )
    notes = [note for note in map(str, load(path).notes) if note.endswith("does not exist")]
    assert notes == [f"{os.path.realpath(path)}/id does not exist"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("connect: {key: id}\n", ":1: key: {}/id does not exist"),
        ("connect:\n  known_hosts: kh\n", ":2: known_hosts: {}/kh does not exist"),
        ("connect:\n  ssh_config: none\n", ":2: ssh_config: {}/none does not exist"),
        ("scheme: https\nca_file: folder\n", ":2: ca_file: {}/folder is a directory"),
        ("hosts:\n- address: 10.0.1.1\n  connect:\n    key: id\n", ":4: key: {}/id does not exist"),
    ],
)
def test_a_visit_needs_its_files(site: Site, text: str, place: str) -> None:
    path = site({"install.config": CONFIG, "deployment.yaml": text, "folder/x": ""})
    load(path)  # to plan, nothing of it is needed
    with pytest.raises(InventoryError) as caught:
        load(path, visits=True)
    assert place.format(os.path.realpath(path)) in str(caught.value) and "correct the path" in str(
        caught.value
    )
    for name in ("id", "kh", "none"):
        (path / name).write_text("")
        (path / name).chmod(0o600)
    (path / "folder/x").unlink()
    (path / "folder").rmdir()
    (path / "folder").write_text("")
    load(path, visits=True)


TAKEN = {
    "ssh-alias": ("ssh://paas-one", "ssh://ops@paas-one:2222"),
    "ssh-user": ("ssh://root@paas-one", "ssh://root@paas-one:2222"),
    "ssh-port": ("ssh://paas-one:22", "ssh://ops@paas-one:22"),
    "ssh-all": ("ssh://root@10.0.9.1:22", "ssh://root@10.0.9.1:22"),
    "local": ("local://", "local://"),
    "docker": ("docker://Paas_1", "docker://Paas_1"),
    "docker-user": ("docker://root@paas-1", "docker://root@paas-1"),
    "podman": ("podman://paas-1", "podman://paas-1"),
    "kubectl": ("kubectl://paas-0", "kubectl://paas-0"),
    "kubectl-options": (
        "kubectl://paas-0?namespace=bk&container=paas&context=prod",
        "kubectl://paas-0?namespace=bk&container=paas&context=prod",
    ),
    "salt": ("salt://paas-1.example.com", "salt://paas-1.example.com"),
    "ansible": ("ansible://paas-1?force_ansible=True", "ansible://paas-1?force_ansible=True"),
}


@pytest.mark.parametrize("name", TAKEN)
def test_spec_is_taken(site: Site, name: str) -> None:
    spec, result = TAKEN[name]
    found = connection(site, f"spec: '{spec}'", "user: ops, port: 2222, key: id, sudo: true")
    assert (found.spec, found.sudo) == (result, True)
    assert bool(found.key) == spec.startswith("ssh://")


def test_paths_in_a_spec_start_where_the_file_is(site: Site) -> None:
    here = os.path.realpath(site({}))
    assert connection(site, "spec: 'ansible://a?ansible_inventory=hosts.ini'").spec == (
        f"ansible://a?ansible_inventory={here}/hosts.ini"
    )
    assert connection(site, "spec: 'kubectl://a?kubeconfig=/etc/k&namespace=b'").spec == (
        "kubectl://a?kubeconfig=/etc/k&namespace=b"
    )


UNKNOWN = "spec: is not a supported connection | begin with one of ssh://"
REFUSED = {
    "no-scheme": ("10.0.1.1", UNKNOWN),
    "user-and-host": ("root@10.0.1.1", UNKNOWN),
    "paramiko": ("paramiko://10.0.1.1", UNKNOWN),
    "winrm": ("winrm://10.0.1.1", UNKNOWN),
    "file": ("file:///etc/passwd", UNKNOWN),
    "ssh-password": (
        "ssh://root:s3cret@10.0.1.1",
        "spec: holds a password | remove it and log in with a key",
    ),
    "docker-password": ("docker://root:s3cret@a", "spec: holds a password"),
    "ssh-option": (
        "ssh://10.0.1.1?ssh_identity_file=x",
        "spec: has an option that ssh:// does not take | write user, key, sudo",
    ),
    "ssh-secret-option": ("ssh://10.0.1.1?password=s3cret", "spec: has an option that ssh:// does not take"),
    "ssh-empty": ("ssh://", "spec: is not a ssh:// connection | write it like ssh://root@10.0.1.1:22"),
    "ssh-path": ("ssh://10.0.1.1/etc", "spec: is not a ssh:// connection"),
    "ssh-port-word": ("ssh://10.0.1.1:ssh", "spec: is not a ssh:// connection"),
    "ssh-port-large": ("ssh://10.0.1.1:70000", "spec: is not a ssh:// connection"),
    "ssh-dash": ("ssh://-oProxyCommand", "spec: is not a ssh:// connection"),
    "ssh-two-users": ("ssh://a@b@c", "spec: is not a ssh:// connection"),
    "ssh-bracket": ("ssh://[::1", "spec: is not a ssh:// connection"),
    "local-with-host": ("local://paas-1", "spec: is not a local:// connection | write it like local://"),
    "docker-shell": ("docker://a;id", "spec: is not a docker:// connection"),
    "salt-everywhere": ("salt://*", "spec: is not a salt:// connection"),
    "salt-user": ("salt://root@a", "spec: is not a salt:// connection"),
    "kubectl-option": (
        "kubectl://a?sudo=True",
        "spec: has an option that kubectl:// does not take | kubectl:// takes",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_spec_is_refused(site: Site, refusals: Refusals, name: str) -> None:
    spec, reason = REFUSED[name]
    text = f"hosts:\n- address: 10.0.1.1\n  connect:\n    spec: '{spec}'\n"
    (refusal,) = refusals(site({"install.config": CONFIG, "deployment.yaml": text}))
    assert refusal.startswith(f"deployment.yaml:4: {reason}")
    assert "s3cret" not in refusal


CLASHES = {
    "user-said-twice": ("spec: 'ssh://root@a', user: ops", "user: is in spec: too | set it once"),
    "port-said-twice": ("spec: 'ssh://a:22', port: 22", "port: is in spec: too"),
    "key-for-docker": ("spec: 'docker://a', key: id", "key: is for ssh:// only | remove key:"),
    "bastion-for-local": ("spec: 'local://', bastion: a", "bastion: is for ssh:// only"),
}


@pytest.mark.parametrize("name", CLASHES)
def test_keys_that_contradict_the_spec(site: Site, refusals: Refusals, name: str) -> None:
    connect, reason = CLASHES[name]
    text = f"hosts:\n- address: 10.0.1.1\n  connect: {{{connect}}}\n"
    (refusal,) = refusals(site({"install.config": CONFIG, "deployment.yaml": text}))
    assert refusal.startswith(f"deployment.yaml:3: {reason}")


SAME = {
    "container-twice": ("docker://a", "docker://root@a", "docker://a"),
    "local-twice": ("local://", "local://", "local://"),
    "ssh-alias-twice": ("ssh://a", "ssh://root@a:22", "ssh://a"),
}


@pytest.mark.parametrize("name", SAME)
def test_two_hosts_cannot_be_one_machine(site: Site, refusals: Refusals, name: str) -> None:
    first, second, place = SAME[name]
    text = "hosts:\n"
    for address, spec in (("10.0.1.1", first), ("10.0.1.2", second)):
        text += f"- {{address: {address}, connect: {{spec: '{spec}'}}}}\n"
    (refusal,) = refusals(site({"install.config": CONFIG, "deployment.yaml": text}))
    assert refusal.startswith(
        f"deployment.yaml:3: 10.0.1.2 and 10.0.1.1 have the same connection target: {place} | "
    )


def test_spec_may_not_lead_to_another_listed_host(site: Site, refusals: Refusals) -> None:
    text = "hosts:\n- {address: 10.0.1.1, connect: {spec: 'ssh://root@10.0.1.2'}}\n"
    (refusal,) = refusals(site({"install.config": CONFIG, "deployment.yaml": text}))
    assert refusal.startswith(
        "deployment.yaml:2: 10.0.1.2 and 10.0.1.1 have the same connection target: ssh://10.0.1.2"
    )
