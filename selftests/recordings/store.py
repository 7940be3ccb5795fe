"""Read and write recordings: one JSON document for each run, one compressed file for each layout.

A recording names no type of the product, so that it outlives changes of the code. A text in two languages is
{"en": ..., "zh": ...}. Its keys:

name: of the trial; for a symptom with its language, such as `symptom-no-logs.en`
layout: of the lab
words: the arguments of the command line that select conditions
language: of the run
login_user: given with --login-user, or null
inventory: {file name: text}
certificates: {path: text} of the authorities that the inventory names
started: epoch seconds of the controller's clock
plans: {host: {"1": plan, "2": plan or null}} as they were sent
visits: {host: {"first", "second", "error", "clock", "seconds"}}
controller: what `probe` returned
login: the outcome of the login trial, or null
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from bkpaas.language import LANGUAGES
from bkpaas.messages import Message, both

Recording = dict[str, Any]

HERE = Path(__file__).parent
PACKED = HERE / "packed"
EXPECTED = HERE / "expected"
LAYOUTS = ("a", "b", "c", "d", "e", "f")
KEY = b"The key of all recordings: 32 B."
"""Of the digests of secrets. It protects nothing: the secrets are those of the lab."""
ELSEWHERE = "/opt/bkpaas-acceptance"
"""Stands in a recording for the directory of the repository."""
SUFFIX = ".jsonl.xz"
NAMES = ".names"
"""Of the file that lists the recordings in a packed one, in order."""
_FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": 64 * 2**20}]
"""A dictionary that holds some dozens of runs, since most answers of a layout are nearly equal."""


def neutral(value: Any) -> Any:
    """Return the value with each text in two languages as an object."""
    if (
        isinstance(value, dict)
        and value.keys() & {"template"}
        and not value.keys() - set(Message.__struct_fields__)
    ):
        message = msgspec.convert(value, Message)
        return {language: message.render(language) for language in LANGUAGES}
    if isinstance(value, dict):
        return {key: neutral(item) for key, item in value.items()}
    return [neutral(item) for item in value] if isinstance(value, list | tuple) else value


def product(value: Any) -> Any:
    """Return the value with each text in two languages as a message: the inverse of `neutral`."""
    if isinstance(value, dict):
        if value.keys() == {"en", "zh"}:
            return both(en=value["en"], zh=value["zh"])
        return {key: product(item) for key, item in value.items()}
    return [product(item) for item in value] if isinstance(value, list) else value


def stored(value: Any) -> str:
    """Return JSON in one line, its keys in their order; half of a surrogate pair stays an escape."""
    return json.dumps(value, separators=(",", ":"))


def canonical(value: Any) -> str:
    """Return JSON in one line, its keys sorted: equal texts for equal values."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def write_lines(path: Path, values: Iterable[Any]) -> None:
    """Write the values as compressed JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    with lzma.open(partial, "wt", encoding="ascii", format=lzma.FORMAT_XZ, filters=_FILTERS) as stream:
        for value in values:
            stream.write(stored(value) + "\n")
    partial.replace(path)


def read_lines(path: Path) -> Iterator[Any]:
    """Read compressed JSON lines one after the other."""
    with lzma.open(path, "rt", encoding="ascii") as stream:
        for line in stream:
            yield json.loads(line)


def names(layout: str, directory: Path) -> list[str]:
    """Return the names of the packed recordings of a layout, in order."""
    file = directory / f"{layout}{NAMES}"
    return file.read_text("ascii").split() if file.exists() else []


def packed_layouts(directory: Path) -> list[str]:
    """Return the layouts that have a packed file, in order."""
    return [layout for layout in LAYOUTS if (directory / f"{layout}{SUFFIX}").exists()]
