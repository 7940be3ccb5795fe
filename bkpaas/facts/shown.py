"""The settings whose values are kept as they are; every other value is kept as a digest."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Set
from typing import Any

from bkpaas.facts.secrets import Secrets

SHOWN = frozenset(
    (
        # what conditions judge or report
        *("BK_TOKEN_OFFSET_ERROR_TIME", "BK_COOKIE_DOMAIN", "HTTP_SCHEMA", "DATABASES"),
        *("EVENT_STATE_EXPIRE_SECONDS", "HISTORY_EVENT_STATE_EXPIRE_SECONDS"),
        *("ELASTICSEARCH_URLS", "ELASTICSEARCH_HOSTS", "ES_APP_LOG_INDEX_FMT"),
        # where the parts of the platform find each other
        *(
            "PAAS_DOMAIN",
            "PAAS_INNER_DOMAIN",
            "PAAS_HOST",
            "LOGIN_HOST",
            "ENGINE_HOST",
            "LOGIN_DOMAIN",
            "LOGIN_URL",
            "BK_DOMAIN",
        ),
        *(
            "HOST_CC",
            "HOST_CC_V3",
            "HOST_JOB",
            "HOST_GSE",
            "HOST_DATA",
            "HOST_FTA",
            "HOST_BK_LOGIN",
            "HOST_IAM",
        ),
        *("HOST_IAM_NEW", "HOST_BKAUTH", "BK_USERMGR_HOST", "REDIS_HOST", "REDIS_PORT", "REDIS_MASTER_NAME"),
        *("RABBITMQ_HOST", "RABBITMQ_PORT", "ALLOWED_HOSTS", "BK_CC_HOST", "BK_JOB_HOST", "USE_SENTINEL"),
        # how the services run
        *(
            "ENVIRONMENT",
            "BASE_DIR",
            "PROJECT_ROOT",
            "SITE_URL",
            "STATIC_URL",
            "STATIC_ROOT",
            "MEDIA_URL",
            "DEBUG",
        ),
        *(
            "TIME_ZONE",
            "USE_TZ",
            "LANGUAGE_CODE",
            "LOG_LEVEL",
            "LOGGING_DIR",
            "PAAS_LOGGING_DIR",
            "LOGIN_TYPE",
        ),
        *(
            "BK_COOKIE_NAME",
            "BK_COOKIE_AGE",
            "SESSION_COOKIE_NAME",
            "SESSION_COOKIE_AGE",
            "SESSION_COOKIE_DOMAIN",
        ),
        *("BK_INACTIVE_COOKIE_AGE", "BK_INACTIVE_UPDATE_INTERVEL", "CSRF_COOKIE_NAME", "CSRF_COOKIE_DOMAIN"),
        *(
            "SESSION_COOKIE_PATH",
            "CSRF_COOKIE_PATH",
            "HTTP_TIMEOUT",
            "EXECUTE_TIME_LIMIT",
            "BK_TOKEN_CACHE_TTL_SECONDS",
        ),
        # within DATABASES
        *("ENGINE", "NAME", "USER", "HOST", "PORT", "CONN_MAX_AGE", "CHARSET", "charset"),
    )
)
"""Names of settings, and of keys within them."""

_CONSUL = re.compile(r"[\w.-]+")
_CONSUL_END = ".service.consul"

Own = Callable[[str], str]
"""Replaces a host's own addresses and names in a text by LAN_IP."""


def no_own(text: str) -> str:
    """Return the text as it is."""
    return text


def replace_own_names(addresses: Iterable[str], hostname: str | None) -> Own:
    """Return what replaces these addresses and this name: with it settings of two hosts can be compared."""
    names = list(dict.fromkeys(filter(None, (hostname, (hostname or "").partition(".")[0]))))
    longest_first = [one for one in sorted(addresses, key=len, reverse=True) if one]

    def replace(text: str) -> str:
        for one in longest_first:
            if one in text:
                text = re.sub(re.escape(one), lambda match: match[0] if _within(match) else "LAN_IP", text)
        for one in names:
            if one in text:
                pattern = rf"(^|//){re.escape(one)}(?:(?P<end>[:/])|$)"
                text = re.sub(pattern, lambda match: f"{match[1]}LAN_IP{match['end'] or ''}", text)
        return text

    return replace


def _within(match: re.Match[str]) -> bool:
    """Return whether an address is a part of a longer one, such as 10.0.0.1 of 10.0.0.11."""
    around = match.string[: match.start()][-1:] + match.string[match.end() :][:1]
    return any(sign.isalnum() or sign in "._" for sign in around)


def is_plain(value: Any) -> bool:
    """Return whether a value cannot be a secret: true, false, nothing, empty, a template variable not replaced."""
    return (
        not value
        or isinstance(value, bool)
        or (isinstance(value, str) and bool(_PLACEHOLDER.fullmatch(value)))
    )


_PLACEHOLDER = re.compile(r"__[0-9A-Z_]+__")


def normalised(value: Any) -> str:
    """Return the text of a value in which 3306 and "3306" are equal."""
    plain = _texts(value)
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False, sort_keys=True)


def _texts(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _texts(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_texts(item) for item in value]
    if value is None or isinstance(value, bool):
        return value
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def allowed(value: Any, shown: Set[str], secrets: Secrets) -> Any:
    """Return a value that is shown, with digests for what stands in it under other names."""
    if isinstance(value, dict):
        return {key: _of_key(key, item, shown, secrets) for key, item in value.items()}
    if isinstance(value, list):
        return [allowed(item, shown, secrets) for item in value]
    return value


def _of_key(key: str, item: Any, shown: Set[str], secrets: Secrets) -> Any:
    if isinstance(item, dict) or is_plain(item) or key in shown:
        return allowed(item, shown, secrets)
    if isinstance(item, list) and any(isinstance(one, dict) for one in item):
        return [_of_key(key, one, shown, secrets) for one in item]
    return item if isinstance(item, str) and item.startswith("secret:") else secrets.conceal(normalised(item))


def consul_names(value: Any) -> list[str]:
    """Return the names of consul's services in a value."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if _CONSUL_END not in text:
        return []
    texts = (word.strip(".-") for word in _CONSUL.findall(text))
    return [word[: word.index(_CONSUL_END) + len(_CONSUL_END)] for word in texts if _CONSUL_END in word[1:]]
