"""Read which source a compiled Python file was made from: what a process has loaded, when it compiled the file.

Python 2 writes NAME.pyc next to NAME.py, Python 3 __pycache__/NAME.cpython-XY.pyc. The header has the time of the
source at the moment of the import (Python 3 also its size). The strings and numbers of the code stand in it in clear,
so that a value that was changed since can be named. Nothing is unmarshalled or executed.

Source: CPython Lib/py_compile.py, Python/marshal.c, PEP 552.
"""

from __future__ import annotations

import ast
import binascii
import re
import struct
from collections.abc import Iterator
from typing import Any

from bkpaas.facts import python2
from bkpaas.facts.missing import Record
from bkpaas.facts.ranges import HostTime

_NAME = re.compile(rb"[A-Z][A-Z0-9_]{3,60}")
_HASHED = 1
"""Flag of PEP 552: the header has a hash of the source in place of its time."""
_SHORTEST = 4
"""Of a string that is looked for: a shorter one is found by chance."""
_LONGEST = 255
_SMALLEST = 256
"""Of a number that is looked for."""
_MOST = 5
_SHORTEST_COMMENT = 8
"""In bytes, of comments that were added: a shorter change may be one of a value that is not looked for."""


class Compiled(Record, frozen=True):
    """Represent the compiled form of one source file."""

    source: str
    """The path of the source."""
    compiled: HostTime
    """When the compiled file was written."""
    source_mtime: int
    """Of the source when it was compiled, in whole seconds modulo 2^32."""
    source_size: int | None = None
    """None: Python 2 does not record it."""
    changed: tuple[str, ...] = ()
    """Settings of the source whose value is not in the compiled code, and names that are only there."""
    commented: bool = False
    """The source has become longer by lines that are comments, and none of its settings was changed."""


def source_of(path: str) -> str | None:
    """Return the path of the source of a compiled file."""
    folder, _, name = path.rpartition("/")
    if folder.endswith("/__pycache__"):
        stem = name.split(".")[0]
        return f"{folder.removesuffix('/__pycache__')}/{stem}.py"
    return path[:-1] if path.endswith(".pyc") else None


def compiled(path: str, mtime: float, text: str, source: str | None) -> Compiled | None:
    """Parse a compiled file; None if it is not one, or does not record the time of its source.

    text: the file in base64. source: the present text of the source, None if it was not read.
    """
    name = source_of(path)
    try:
        data = binascii.a2b_base64(text)
    except binascii.Error:
        return None
    if name is None or len(data) < 16 or data[2:4] != b"\r\n":
        return None
    python3 = "/__pycache__/" in path
    if python3 and struct.unpack("<I", data[4:8])[0] & _HASHED:
        return None
    changed = () if source is None else tuple(_changed(source, data[16 if python3 else 8 :]))[:_MOST]
    stamp, size = struct.unpack("<II", data[8:16] if python3 else data[4:12])
    return Compiled(
        source=name,
        compiled=mtime,
        source_mtime=stamp,
        source_size=size if python3 else None,
        changed=changed,
        commented=python3 and source is not None and not changed and _has_comments_of(source, size),
    )


def _has_comments_of(source: str, size: int) -> bool:
    """Return whether a source without some lines of comments that follow each other has a size in bytes."""
    more = len(source.encode("utf-8", "replace")) - size
    if more < _SHORTEST_COMMENT:
        return False
    for end, sizes in _comments(source):
        total = 0
        for length in reversed(sizes[:end]):
            total += length
            if total == more:
                return True
    return False


def _comments(source: str) -> Iterator[tuple[int, list[int]]]:
    """Yield the sizes of the lines of each run of comments, and how many of them end the part to be looked at."""
    sizes: list[int] = []
    for line in [*source.splitlines(keepends=True), ""]:
        if line.lstrip().startswith("#"):
            sizes.append(len(line.encode("utf-8", "replace")))
            yield len(sizes), sizes
        else:
            sizes = []


def _changed(source: str, code: bytes) -> Iterator[str]:
    module, error = python2.parse(source.lstrip("\ufeff"))
    if error is not None:
        return
    names = set(re.findall(rb"\w+", source.encode("utf-8", "replace")))
    for name, value in _assignments(module):
        if name.encode() not in code or (value is not None and not _is_in(value, code)):
            yield name
    for match in _NAME.finditer(code):
        if _is_whole(match, code) and match[0] not in names:
            yield match[0].decode()


def _assignments(node: Any) -> Iterator[tuple[str, object]]:
    """Yield (name, constant) of the assignments to upper-case names; None for what is not one constant."""
    for child in node.children:
        if child.type == "expr_stmt" and len(child.children) == 3 and child.children[1].value == "=":
            target, _, value = child.children
            if target.type == "name" and target.value.isupper():
                yield target.value, _constant(value)
                for leaf in () if value.type in ("string", "number") else python2.leaves(value):
                    if leaf.type == "string" and value.type == "atom":
                        yield target.value, _constant(leaf)
        elif child.type in ("simple_stmt", "suite"):
            yield from _assignments(child)


def _constant(node: Any) -> object:
    if node.type not in ("string", "number"):
        return None
    try:
        value: object = ast.literal_eval(node.value)
    except (ValueError, SyntaxError):
        return None
    return value


def _is_in(value: object, code: bytes) -> bool:
    if isinstance(value, str | bytes):
        data = value.encode("utf-8", "replace") if isinstance(value, str) else value
        return not _SHORTEST <= len(data) <= _LONGEST or data in code
    if isinstance(value, int) and not isinstance(value, bool) and _SMALLEST <= value < 2**31:
        return struct.pack("<i", value) in code
    return True


def _is_whole(match: re.Match[bytes], code: bytes) -> bool:
    """Return whether a match is a whole string of the code: its length stands before it."""
    at, length = match.start(), len(match[0])
    return (at >= 2 and code[at - 1] == length and code[at - 2] & 0x7F in b"zZ") or (
        at >= 5 and struct.unpack("<I", code[at - 4 : at])[0] == length and code[at - 5] & 0x7F in b"tsaAR"
    )
