"""Configuration files from templates, as the product's own installer makes them: __NAME__ is replaced."""

from __future__ import annotations

import re
from pathlib import Path

TREES = Path(__file__).with_name("trees")
PLACEHOLDER = re.compile(r"__([A-Z][0-9A-Z_]*?)__")


def fill(text: str, values: dict[str, str]) -> str:
    """KeyError for a placeholder without a value: a half-rendered file must not be written."""
    return PLACEHOLDER.sub(lambda match: values[match[1]], text)


def render(tree: str, home: Path, values: dict[str, str]) -> None:
    """Write every template of a tree: home/... below the installation's home, root/... below /.

    A file that is right already stays untouched: a newer file than its process would look like an edit.
    """
    for tree_name, target in (("home", home), ("root", Path("/"))):
        for template in sorted((TREES / tree / tree_name).rglob("*.tpl")):
            relative = template.relative_to(TREES / tree / tree_name).with_suffix("")
            path = target / fill(str(relative), values)
            path.parent.mkdir(parents=True, exist_ok=True)
            text = fill(template.read_text(encoding="utf-8"), values)
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                path.write_text(text, encoding="utf-8")
