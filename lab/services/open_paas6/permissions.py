"""Questions of paas to bkiam, with the exceptions of its client library."""

from __future__ import annotations

from types import SimpleNamespace

import requests

TIMEOUT = 10  # seconds


class AuthAPIError(Exception):
    """bkiam gave no answer, or refused."""


AuthAPIError.__module__ = "iam.exceptions"


def is_allowed(settings: SimpleNamespace, user: str, action: str) -> bool:
    """Return whether a user may do something. Raises AuthAPIError."""
    headers = {"X-Bk-App-Code": "bk_paas", "X-Bk-App-Secret": settings.ESB_TOKEN}
    question = {"system": "bk_paas", "subject": {"type": "user", "id": user}, "action": {"id": action}}
    try:
        answer = requests.post(
            f"http://{settings.HOST_IAM_NEW}/api/v1/policy/query",
            json=question | {"resources": []}, headers=headers, timeout=TIMEOUT,
        )  # fmt: skip
        answer.raise_for_status()
    except requests.RequestException:
        raise AuthAPIError("verify from iam server fail") from None
    content = answer.json()
    if content["code"]:
        raise AuthAPIError(content["message"])
    return bool(content["data"])
