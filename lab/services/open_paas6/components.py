"""Calls of ESB through nginx's internal server, as login makes them."""

from __future__ import annotations

from logging import Logger
from types import SimpleNamespace
from typing import Any

import requests

TIMEOUT = 30  # seconds


class NoAnswer(Exception):
    """ESB refused, or gave no answer at all."""


class Esb:
    """ESB as login sees it."""

    def __init__(self, settings: SimpleNamespace, logger: Logger) -> None:
        self.base = f"http://{settings.PAAS_INNER_DOMAIN}/api/c/compapi"
        self.application = {"bk_app_code": "bk_paas", "bk_app_secret": settings.ESB_TOKEN}
        self.logger = logger

    def call(self, method: str, path: str, **params: str) -> Any:
        """Return the data of a component. Raises NoAnswer, after a line in login.log."""
        url = f"{self.base}{path}"
        content = {**params, **self.application, "bk_username": "admin"}
        where = {"params": content} if method == "get" else {"data": content}
        try:
            answer = requests.request(method, url, timeout=TIMEOUT, **where).json()
        except (requests.RequestException, ValueError) as error:
            self.logger.error(f"call esb api error! http_{method} {url}, error: {error}")
            raise NoAnswer(str(error)) from error
        if not answer.get("result"):
            hidden = {key: f"{value[:3]}******" for key, value in content.items() if "pass" in key}
            self.logger.error(
                f"call esb api error! http_{method} {url}, data: {hidden}, code: {answer.get('code')},"
                f" message: {answer.get('message')}"
            )
            raise NoAnswer(str(answer.get("message")))
        return answer["data"]
