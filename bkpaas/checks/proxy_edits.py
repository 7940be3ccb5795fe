"""Edits of remedies that except the platform from an HTTP proxy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from os.path import basename

from bkpaas.checks.edits import Edit, append_line
from bkpaas.facts import ProxySetting

_NAMES = re.compile(r"[\w.,:/* -]+")


def proxy_exceptions(
    places: Iterable[str], settings: Iterable[ProxySetting], needed: Iterable[str]
) -> Iterator[Edit | None]:
    """Yield the edits that except names from the proxies of files; None for a file that is not one of a shell.

    places: file:line of each proxy.
    """
    own = list(settings)
    for path in dict.fromkeys(place.rpartition(":")[0] for place in places):
        in_file = [one for one in own if one.location.rpartition(":")[0] == path]
        before = [one.value for one in in_file if one.name == "no_proxy"]
        value = ",".join(dict.fromkeys([*before, *needed]))
        if not in_file or not _NAMES.fullmatch(value):
            yield None
        elif basename(path) == ".curlrc":
            yield append_line(path, f'noproxy = "{value}"')
        elif path == "/etc/environment" or basename(path) == ".wgetrc":
            yield append_line(path, f"no_proxy={value}")
        else:
            yield append_line(path, " ".join(("export", f'no_proxy="{value}"')))
