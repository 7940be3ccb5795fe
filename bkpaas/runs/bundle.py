"""The support bundle: a snapshot and a record for someone outside of the site, without its names and addresses."""

from __future__ import annotations

import io
import platform
import re
import sys
import zipfile
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec

from bkpaas import __version__
from bkpaas.errors import SuiteError
from bkpaas.facts import Snapshot
from bkpaas.messages import msg
from bkpaas.record import Results, write_private
from bkpaas.runs.anonymous import Names, names_of, replaced, texts

README = """\
Support bundle of the BlueKing PaaS acceptance suite.

snapshot.json   what was collected; `pytest --from-snapshot snapshot.json` checks it again
results.json    the record of the run
versions.txt    the suite, Python and its libraries

Passwords, tokens and keys were replaced when they were read. Names and addresses of hosts, domains, users and files of
the inventory are replaced, each by the same other one in all files. Names of applications and paths below the
installation are not.
"""
_LIBRARIES = (
    "pytest",
    "asyncssh",
    "pytest-testinfra",
    "msgspec",
    "cryptography",
    "crossplane",
    "parso",
    "jinja2",
)


def write(results: Results, snapshot: Snapshot, path: Path) -> None:
    """Write the bundle, a zip file for its owner only. SuiteError: an original name would be left; nothing is written."""
    record, facts = msgspec.to_builtins(results), msgspec.to_builtins(snapshot)
    names = names_of(facts, record)
    facts, record = replaced(facts, names), replaced(record, names)
    _require_none_left(names, [facts, record])
    files = {
        "README.txt": README,
        "snapshot.json": msgspec.json.encode(facts).decode(),
        "results.json": msgspec.json.encode(record).decode(),
        "versions.txt": "\n".join(_versions()) + "\n",
    }
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    write_private(path, stream.getvalue())


def _require_none_left(names: Names, data: Any) -> None:
    if not names.replacements:
        return
    # looser than what is replaced: letters may surround an address or a domain
    words = [re.escape(word) for word in names.replacements if "." in word]
    dotted = re.compile(rf"(?<![\d.])(?:{'|'.join(words)})(?!\d)", re.I) if words else None
    patterns = [pattern for pattern in (names.pattern(), dotted) if pattern is not None]
    new = {text.lower() for text in names.replacements.values()}
    for text in texts(data):
        for match in (one for pattern in patterns for one in pattern.finditer(text)):
            if match[0].lower() not in new:
                raise SuiteError(msg("the bundle would contain the name {name}", name=match[0]))


def _versions() -> list[str]:
    lines = [f"bkpaas-acceptance {__version__}", f"python {sys.version.split()[0]}", platform.machine()]
    for name in _LIBRARIES:
        try:
            lines.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            lines.append(f"{name} -")
    return lines
