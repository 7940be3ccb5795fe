"""Keep compiled templates in __pycache__: compiling those of the page takes longer than filling them."""

from __future__ import annotations

import contextlib
import io
from functools import cache
from hashlib import sha256
from pathlib import Path

from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

from bkpaas import python_cache

_HERE = Path(__file__).parent
_DIGEST_BYTES = 32


class TemplateCache(BytecodeCache):
    """Store the code of each template with a digest of the module that sets up jinja2, which decides the code too.

    jinja2 adds its version, that of Python and a digest of the template.
    """

    def load_bytecode(self, bucket: Bucket) -> None:
        """Load the code of a template, if it was stored and is of today."""
        with contextlib.suppress(OSError):
            data = _path(bucket).read_bytes()
            if data[:_DIGEST_BYTES] == _digest():
                bucket.load_bytecode(io.BytesIO(data[_DIGEST_BYTES:]))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Store the code of a template."""
        file = io.BytesIO()
        bucket.write_bytecode(file)
        python_cache.write(_path(bucket), _digest() + file.getvalue())


def _path(bucket: Bucket) -> Path:
    return python_cache.path(_HERE / f"template-{bucket.key}", ".code")


@cache
def _digest() -> bytes:
    return sha256((_HERE / "html.py").read_bytes()).digest()
