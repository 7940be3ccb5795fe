"""The JSON Schema of results.json: `python -m bkpaas.report.schema > docs/results.schema.json`."""

from __future__ import annotations

from typing import Any

import msgspec

from bkpaas.record import Results


def schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of the record, made from its types."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "results.json of the BlueKing PaaS acceptance suite, schema 1",
        **msgspec.json.schema(Results),
    }


def text() -> str:
    """Return the schema as the file has it."""
    return msgspec.json.format(msgspec.json.encode(schema()), indent=1).decode() + "\n"


if __name__ == "__main__":
    print(text(), end="")
