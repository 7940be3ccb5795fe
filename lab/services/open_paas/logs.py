"""The log files of a service, in the form and the places of the original."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path

FORM = "%(levelname)s [%(asctime)s] %(pathname)s %(lineno)d %(funcName)s %(process)d %(thread)d \n \t %(message)s \n"


def open_logs(service: str, time_zone: str, *others: str) -> logging.Logger:
    """The service's logger, writing <service>.log; `others` are log files that exist and may stay empty."""
    os.environ["TZ"] = time_zone
    time.tzset()
    directory = Path(os.environ["PAAS_LOGGING_DIR"])
    for name in others:
        (directory / name).touch()
    handler = logging.FileHandler(directory / f"{service}.log", encoding="utf-8")
    handler.setFormatter(logging.Formatter(FORM, "%Y-%m-%d %H:%M:%S"))
    logger = logging.getLogger(service)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    return logger
