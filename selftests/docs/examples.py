"""Shell code of the examples, from every kind of file."""

from __future__ import annotations

import io
import re
import textwrap
from typing import Any

from dockerfile_parse import DockerfileParser
from ruamel.yaml import YAML

from docs.pages import EXAMPLES


def read(name: str) -> str:
    return (EXAMPLES / name).read_text("utf-8")


def yaml(name: str) -> Any:
    return YAML(typ="safe").load(read(name))


def gitlab() -> str:
    job = yaml("gitlab-ci.yml")["bkpaas-nightly"]
    return "\n".join([*job["before_script"], *job["script"], *job["after_script"]])


def github() -> str:
    steps = yaml("github-workflow.yml")["jobs"]["nightly"]["steps"]
    return "\n".join(step["run"] for step in steps if "run" in step)


def jenkins() -> str:
    """Its sh steps in turn."""
    found = re.findall(r"\bsh (?:'''(.*?)'''|'([^'\n]*)')", read("Jenkinsfile"), re.DOTALL)
    return "\n".join(textwrap.dedent(long) or short for long, short in found)


def unit(name: str) -> dict[str, dict[str, list[str]]]:
    """{section: {key: values}} of a unit of systemd, continued lines joined."""
    sections: dict[str, dict[str, list[str]]] = {}
    for line in re.sub(r"\\\n\s*", " ", read(name)).splitlines():
        if line.startswith("["):
            section = sections.setdefault(line.strip("[]"), {})
        elif line and line[0] not in "#;":
            key, equals, value = line.partition("=")
            assert equals and re.fullmatch("[A-Z][A-Za-z]+", key), line
            section.setdefault(key, []).append(value)
    return sections


def service() -> str:
    (command,) = unit("bkpaas-nightly.service")["Service"]["ExecStart"]
    return command


def cron() -> tuple[dict[str, str], list[list[str]]]:
    """(variables, [[minute, hour, day, month, weekday, account, command]]) of a file for /etc/cron.d."""
    variables, jobs = {}, []
    for line in read("bkpaas.cron").splitlines():
        if variable := re.fullmatch(r"([A-Z_]+)=(.*)", line):
            variables[variable[1]] = variable[2]
        elif line and not line.startswith("#"):
            jobs.append(line.split(maxsplit=6))
    return variables, jobs


def container() -> list[dict[str, str]]:
    """[{"instruction": "RUN", "value": ...}]"""
    parser = DockerfileParser(fileobj=io.BytesIO(read("Containerfile").encode()), env_replace=False)
    return [
        {"instruction": one["instruction"], "value": one["value"]}
        for one in parser.structure
        if one["instruction"] != "COMMENT"
    ]


SHELL = {
    "gitlab-ci.yml": gitlab,
    "github-workflow.yml": github,
    "Jenkinsfile": jenkins,
    "nightly.sh": lambda: read("nightly.sh"),
    "acceptance.sh": lambda: read("acceptance.sh"),
    "bkpaas.cron": lambda: "\n".join(job[6] for job in cron()[1]),
    "Containerfile": lambda: "\n".join(one["value"] for one in container() if one["instruction"] == "RUN"),
}
"""By file; the text that a shell is given."""
