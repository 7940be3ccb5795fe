"""A platform that lets visitors in by asking the PaaS whether they are logged in, as cmdb and job do."""

from __future__ import annotations

from configparser import RawConfigParser
from pathlib import Path
from urllib.parse import quote

import requests

from . import argument, say
from .server import Answer, Question, server

TIMEOUT_SECONDS = 10  # seconds


def configuration(path: Path) -> RawConfigParser:
    config = RawConfigParser()
    config.read(path, encoding="utf-8")
    return config


def main() -> None:
    """The web side: 200 for a visitor with a good bk_token, a redirect to the PaaS for everybody else."""
    config = configuration(argument("-c"))
    site = config["site"]
    scheme = site["bk_login_url"].partition("://")[0]

    def reply(question: Question) -> Answer:
        reason = refusal(site["check_url"], question.cookies.get("bk_token", ""))
        if not reason:
            return Answer(f"<html><head><title>{site['app_code']}</title></head></html>\n")
        if question.cookies.get("bk_token"):
            say(f"login check failed: {reason}")
        here = quote(f"{scheme}://{question.headers.get('host', '')}{question.path}", safe="")
        return Answer("", 302, headers={"Location": site["bk_login_url"] % (site["app_code"], here)})

    server(config["server"]["address"], config.getint("server", "web_port"), reply).serve_forever()


def refusal(check_url: str, token: str) -> str:
    """Why the visitor is not let in; empty for a good token."""
    if not token:
        return "no bk_token"
    try:
        answer = requests.get(check_url + token, timeout=TIMEOUT_SECONDS).json()
    except (requests.RequestException, ValueError) as error:
        return str(error)
    return "" if answer.get("result") else str(answer.get("message"))
