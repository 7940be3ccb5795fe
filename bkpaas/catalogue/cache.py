"""Keep the checked catalogue in __pycache__, like Python its bytecode: its files take longer to read than all modules.

The cache is used only if it was made from the same content of all files that decide what the catalogue is. It is
written under the same conditions as bytecode, and nothing depends on whether it can be written.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

import msgspec

from bkpaas import python_cache
from bkpaas.catalogue.load import CONDITIONS, FOLDER, SECTIONS, Catalogue, load_catalogue
from bkpaas.catalogue.validate import validate

_DIGEST_BYTES = 32
_FOLDERS = (FOLDER, FOLDER / CONDITIONS, FOLDER / SECTIONS, FOLDER.parent / "inventory")
"""The folders of the files, and of the code that reads and checks them."""


def checked_catalogue() -> Catalogue:
    """Return the catalogue of the suite, from the cache if that is of today. Raises CatalogueError."""
    digest, path = _digest(), cache_path()
    with contextlib.suppress(OSError, msgspec.MsgspecError):
        data = path.read_bytes()
        if data[:_DIGEST_BYTES] == digest:
            return msgspec.msgpack.decode(data[_DIGEST_BYTES:], type=Catalogue)
    catalogue = load_catalogue()
    validate(catalogue, FOLDER)
    python_cache.write(path, digest + msgspec.msgpack.encode(catalogue))
    return catalogue


def cache_path() -> Path:
    """Return the file of the cache: in __pycache__, or below PYTHONPYCACHEPREFIX."""
    return python_cache.path(FOLDER / "catalogue", ".msgpack")


def _digest() -> bytes:
    """Return a digest of all files that decide what the catalogue is, and of the library that writes the cache."""
    digest = hashlib.sha256(msgspec.__version__.encode())
    for folder in _FOLDERS:
        for name in sorted(os.listdir(folder)):
            if name.endswith((".toml", ".py")):
                with open(
                    f"{folder}/{name}", "rb", buffering=0
                ) as file:  # a Path for each file takes twice as long
                    content = file.read()
                digest.update(f"{folder.name}/{name}\0{len(content)}\0".encode())
                digest.update(content)
    return digest.digest()
