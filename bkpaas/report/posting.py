"""Post JSON to a service of the site, within limits of time and without a trace of the address."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from bkpaas.errors import SuiteError
from bkpaas.messages import Message, msg

CONNECT_SECONDS, ANSWER_SECONDS = 5.0, 10.0
ATTEMPTS = 3
PAUSE_SECONDS = 2.0
"""Between two attempts, and no longer: a run does not wait for a chat."""
ANSWER_BYTES = 4_096

Json = dict[str, Any]
Failure = tuple[Message | str, bool]
"""Why it did not arrive, and whether another attempt may help."""
AnswerCheck = Callable[[int, bytes], Failure | None]
"""Called with the status and the begin of the body of an answer; None: it was accepted."""


class NotSent(SuiteError):
    """The message did not arrive; the reason in words, without the address."""


def send(url: str, message: Json, check: AnswerCheck, pause: Callable[[float], None] = time.sleep) -> None:
    """Post the message; repeat if there was no answer or the service was busy. Raises NotSent."""
    for attempt in range(1, ATTEMPTS + 1):
        answer = _posted(url, message, check)
        if answer is None:
            return
        reason, again = answer
        if not again or attempt == ATTEMPTS:
            raise NotSent(reason)
        pause(PAUSE_SECONDS)


def _posted(url: str, message: Json, check: AnswerCheck) -> Failure | None:
    """Post in a thread that can be abandoned: requests limits the time between two bytes only."""
    silent = msg("no answer in time")
    failures: list[Failure | None] = []
    thread = threading.Thread(target=lambda: failures.append(_post(url, message, check)), daemon=True)
    thread.start()
    thread.join(CONNECT_SECONDS + ANSWER_SECONDS)
    return failures[0] if failures else (silent, True)


def _post(url: str, message: Json, check: AnswerCheck) -> Failure | None:
    import requests  # slow to import, and most runs send nothing
    from requests.utils import get_environ_proxies

    logger = logging.getLogger("urllib3")
    level = logger.level
    logger.setLevel(logging.CRITICAL)  # it writes the path of a request, which is the secret
    try:
        with requests.Session() as session:
            session.trust_env = False  # no .netrc; a proxy is taken from the environment all the same
            with session.post(
                url,
                data=json.dumps(message, ensure_ascii=False).encode("utf-8", "replace"),
                headers={"Content-Type": "application/json; charset=utf-8", "Accept-Encoding": "identity"},
                timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
                allow_redirects=False,
                stream=True,
                proxies=get_environ_proxies(url),
            ) as response:
                return check(response.status_code, response.raw.read(ANSWER_BYTES))
    except requests.exceptions.SSLError:
        return msg("no TLS connection"), False
    except requests.exceptions.ConnectionError:
        return msg("no connection"), True
    except requests.exceptions.Timeout:
        return msg("no answer in time"), True
    except Exception as error:  # its text may hold the address
        return type(error).__name__, False
    finally:
        logger.setLevel(level)
