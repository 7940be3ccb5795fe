"""The generation, 5.x or 6.x, is detected from the files, with a note that names the sign."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bkpaas.inventory import load

Site = Callable[..., Path]
Refusals = Callable[[Path], list[str]]

PLAIN = "10.0.1.1 paas,nginx\n"

DETECTED = {
    "globals-env": ({"globals.env": ""}, PLAIN, "5.x", "globals.env"),
    "ports-env": ({"ports.env": ""}, PLAIN, "5.x", "ports.env"),
    "bkcec": ({"bkcec": ""}, PLAIN, "5.x", "bkcec"),
    "bkeec": ({"bkeec": ""}, PLAIN, "5.x", "bkeec"),
    "bkcli": ({"bkcli": ""}, PLAIN, "6.x", "bkcli"),
    "final-env": ({"bin/04-final/paas.env": ""}, PLAIN, "6.x", "bin/04-final"),
    "files-before-words": ({"bkcec": ""}, "10.0.1.1 paas,es7\n", "5.x", "bkcec"),
    "deployment-yaml-before-files": (
        {"bkcec": "", "deployment.yaml": 'generation: "6.x"\n'},
        PLAIN,
        "6.x",
        "generation:",
    ),
    "word-es": ({}, "10.0.1.1 paas\n10.0.1.2 es\n", "5.x", "'es'"),
    "word-bkdata": ({}, "10.0.1.1 paas,bkdata(monitor)\n", "5.x", "'bkdata(monitor)'"),
    "word-es7": ({}, "10.0.1.1 paas,es7\n", "6.x", "'es7'"),
    "word-usermgr": ({}, "10.0.1.1 paas,usermgr\n", "6.x", "'usermgr'"),
    "group-of-5x": ({}, "[bkce-basic]\n" + PLAIN, "5.x", "[bkce-basic]"),
    "group-of-6x": ({}, "[basic]\n" + PLAIN, "6.x", "[basic]"),
    "comment-behind-roles": ({}, "10.0.1.1 paas#x\n", "5.x", "a comment behind the roles"),
    "full-width": ({}, "10.0.1.1 paas，nginx\n", "5.x", "full-width punctuation"),
}


@pytest.mark.parametrize("name", DETECTED)
def test_detected_by(site: Site, name: str) -> None:
    files, config, generation, what = DETECTED[name]
    deployment = load(site({"install.config": config, **files}))
    assert deployment.generation == generation
    (note,) = [note for note in map(str, deployment.notes) if note.startswith("generation ")]
    assert note.startswith(f"generation {generation}, because of {what} (")


def test_words_in_comments_are_ignored(site: Site) -> None:
    deployment = load(site({"install.config": "# es7 [basic]\n10.0.1.1 paas # es7\n"}))
    assert deployment.generation == "5.x"


def test_no_sign(site: Site) -> None:
    deployment = load(site({"install.config": PLAIN}))
    assert deployment.generation == "5.x"
    assert any("nothing in the inventory shows another" in note for note in map(str, deployment.notes))


def test_6x_words_make_5x_punctuation_an_error(site: Site, refusals: Refusals) -> None:
    (refusal,) = refusals(site({"install.config": "10.0.1.1 paas,es7 # x\n"}))
    assert refusal.startswith("install.config:1: a comment behind the roles, which 6.x does not allow")


CONTRADICTIONS = {
    "words": ({}, "10.0.1.1 paas,es\n10.0.1.2 es7\n", "install.config:2: 'es7' belongs to 6.x, but 'es' ("),
    "files": ({"globals.env": "", "bkcli": ""}, PLAIN, "bkcli: bkcli belongs to 6.x, but globals.env ("),
    "env": (
        {"ports.env": "", "bin/04-final/global.env": ""},
        PLAIN,
        "04-final: bin/04-final belongs to 6.x, but ports.env (",
    ),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_contradiction_is_refused(site: Site, refusals: Refusals, name: str) -> None:
    files, config, reason = CONTRADICTIONS[name]
    (refusal,) = refusals(site({"install.config": config, **files}))
    assert refusal.startswith(reason)
    assert refusal.endswith("or set generation: in deployment.yaml")


@pytest.mark.parametrize("given", [".", "install.config", "deployment.yaml"])
def test_directory_and_its_files_mean_the_same(site: Site, given: str) -> None:
    path = site(
        {
            "install.config": PLAIN,
            "globals.env": "PAAS_FQDN=p.example.com\n",
            "deployment.yaml": "port: 8080\n",
        }
    )
    deployment = load(path / given)
    assert (deployment.domain, deployment.port) == ("p.example.com", 8080)
    assert deployment.source == str(path / given)


def test_install_config_of_another_name_is_read_alone(site: Site) -> None:
    path = site(
        {"hosts.config": PLAIN, "globals.env": "PAAS_FQDN=p.example.com\n", "deployment.yaml": "port: 8080\n"}
    )
    deployment = load(path / "hosts.config")
    assert (deployment.domain, deployment.port) == ("paas.bk.com", 80)


def test_yaml_of_another_name_takes_the_place_of_deployment_yaml(site: Site) -> None:
    path = site({"install.config": PLAIN, "deployment.yaml": "port: 8080\n", "site-b.yml": "port: 8090\n"})
    assert load(path / "site-b.yml").port == 8090


def test_note_names_the_files_that_were_read(site: Site) -> None:
    path = site({"install.config": PLAIN, "globals.env": "", "utils.fc": "exit 1\n"})
    (note,) = [note for note in map(str, load(path).notes) if note.startswith("read: ")]
    assert note == f"read: {path}/install.config, {path}/globals.env"
