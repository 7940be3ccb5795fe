"""The command behind script/messages."""

from __future__ import annotations

import argparse
import sys

from selftests.messages import catalogue
from selftests.messages.source import Scan, scan, source_files

DESCRIPTION = """\
Keep the Chinese catalogue (bkpaas/locale) in step with the messages of the code.

  script/messages update     after a text was added, changed or removed, and after a merge: adds new messages to
                             the .po without a translation, removes unused ones, writes the .mo
  script/messages check      list what is not translated or not in step; exit status 1 if there is something
  script/messages compile    write the .mo from the .po, then check
  script/messages extract    print a catalogue of all messages without translations"""


def main() -> int:
    """Run one command; the exit status is 1 if there is something left to do."""
    parser = argparse.ArgumentParser(
        prog="script/messages", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=sorted(COMMANDS), help="what to do, see above")
    command = parser.parse_args().command
    found = scan(source_files())
    problems = [*found.problems, *COMMANDS[command](found)]
    print("\n".join(problems) if problems else f"{len(found.entries)} messages", file=sys.stderr)
    return 1 if problems else 0


def extract(found: Scan) -> list[str]:
    """Print the template of a catalogue: every message of the code, none translated."""
    print(catalogue.po_text(found.entries.values(), {}))
    return []


def update(found: Scan) -> list[str]:
    """Write the .po and .mo files: new messages without a translation, no unused ones; print what was removed."""
    known = catalogue.read()
    gone = [
        f"removed: {template!r}: {known[key]}"
        for key in known.keys() - found.entries.keys()
        if (template := key[1])
    ]
    print("\n".join(gone), end="\n" if gone else "")
    catalogue.PO.write_text(catalogue.po_text(found.entries.values(), known), "utf-8")
    return compile_(found)


def compile_(found: Scan) -> list[str]:
    """Write the .mo file; return what the check then finds."""
    catalogue.MO.write_bytes(catalogue.mo_bytes(found.entries.values(), catalogue.read()))
    return check(found)


def check(found: Scan) -> list[str]:
    """Return what is not in step."""
    return sorted(catalogue.check(found.entries))


COMMANDS = {"extract": extract, "update": update, "compile": compile_, "check": check}

if __name__ == "__main__":
    sys.exit(main())
