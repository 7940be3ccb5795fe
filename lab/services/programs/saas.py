"""bk_framework, the one application that is deployed: answers, and writes a log line now and then."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable
from typing import Any

import uwsgi

BEAT_SIGNAL = 1
BEAT_SECONDS = 60
PAGE = b"<html><head><title>bk_framework</title></head><body><h1>bk_framework</h1></body></html>\n"


HANDLER = logging.FileHandler(os.environ["LOG_FILE"])  # keeps the file open, as the applications do
HANDLER.setFormatter(
    logging.Formatter("%(levelname)s [%(asctime)s] bk_framework %(process)d %(message)s", "%Y-%m-%d %H:%M:%S")
)
LOGGER = logging.getLogger("bk_framework")
LOGGER.setLevel(logging.INFO)
LOGGER.addHandler(HANDLER)
log = LOGGER.info


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    log(f"{environ['REQUEST_METHOD']} {environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}")
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
    return [PAGE]


log("application started")
uwsgi.register_signal(BEAT_SIGNAL, "", lambda number: log("heartbeat"))
uwsgi.add_timer(BEAT_SIGNAL, BEAT_SECONDS)
