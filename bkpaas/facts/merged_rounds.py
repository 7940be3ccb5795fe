"""Merge the answers of both rounds of a host, and build nouns of facts from sections of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from bkpaas.facts import raw
from bkpaas.facts.file import Files
from bkpaas.facts.missing import Fact, Missing
from bkpaas.facts.secrets import Secrets
from bkpaas.facts.shapes import Round, not_answered
from bkpaas.messages import Message, joined, msg

T = TypeVar("T", bound=Fact)


def built(build: Callable[[], T | Missing]) -> T | Missing:
    """Run a parser; return Missing if it raises unexpectedly."""
    try:
        return build()
    except Exception as error:
        return Missing(msg("the answer cannot be read (suite error): {error}", error=type(error).__name__))


class MergedRounds:
    """Hold the two rounds of a host, the first and the second."""

    def __init__(self, rounds: list[Round], secrets: Secrets) -> None:
        self.rounds, self.secrets = rounds, secrets
        self.round_1, self.round_2 = rounds

    def noun(self, build: Callable[[], T | Missing], *sections: str) -> T | Missing:
        """Build a noun from sections of round 1, which must be complete."""
        for section in sections:
            if section in self.round_1.errors:
                return Missing(self.round_1.errors[section])
            if section not in self.round_1.values:
                return Missing(not_answered(section))
        return built(build)

    def both_rounds(
        self, build: Callable[[dict[str, Any], dict[str, Any] | None, Secrets], T], section: str
    ) -> T | Missing:
        """Build a noun from a section of round 1 and, where it was asked again, of round 2.

        Round 2 alone has it where only round 1 showed that the host is of another generation than the inventory.
        """
        then = self.round_2.values.get(section)
        if section not in self.round_1.values and then is not None:
            return built(lambda: build(then, then, self.secrets))
        return self.noun(lambda: build(self.round_1.values[section], then, self.secrets), section)

    def merged(
        self, section: str, build: Callable[[dict[str, Any], dict[str, Message | str]], T | Missing]
    ) -> T | Missing:
        """Build a noun from a section of both rounds; for the same name round 2 is newer.

        build: called with {name: answer} and {name: reason without an answer}.
        """
        if not any(section in one.values for one in self.rounds):
            reasons = [one.errors[section] for one in self.rounds if section in one.errors]
            return Missing(reasons[0] if reasons else not_answered(section))
        merged: dict[str, Any] = {}
        errors: dict[str, Message | str] = {}
        for one in self.rounds:
            values, refused = one.values.get(section, {}), named_errors(one, section)
            merged = {name: item for name, item in {**merged, **values}.items() if name not in refused}
            errors = {name: error for name, error in errors.items() if name not in values} | refused
        return built(lambda: build(merged, errors))

    def files_noun(self, prefix: str, build: Callable[[Files], T | Missing]) -> T | Missing:
        """Build a noun from the files with this prefix; they must have been queried."""
        files = self.entries("files")
        entries = [entry for name, group in files.items() if name.startswith(prefix) for entry in group]
        if not entries:
            return Missing(not_answered(prefix))
        errors = [raw.reason(entry.get("error")) for entry in entries if "mode" not in entry]
        if len(errors) == len(entries) and any(errors):
            return Missing(
                joined("; ", dict.fromkeys(error for error in errors if error), context="as in English")
            )
        return built(lambda: build(files))

    def entries(self, section: str) -> Files:
        """Return the entries by name, the newer one of the same path; failed queries are entries too."""
        merged: Files = {}
        for one in self.rounds:
            newer = {name: list(entries) for name, entries in one.values.get(section, {}).items()}
            for name, error in named_errors(one, section).items():
                if name not in newer:
                    newer[name] = [{"path": name, "type": "other", "error": error}]
            for name, entries in newer.items():
                new = {entry["path"]: entry for entry in entries}
                kept = [entry for entry in merged.get(name, []) if entry["path"] not in new]
                merged[name] = [*kept, *new.values()]
        return merged


def named_errors(one: Round, section: str) -> dict[str, Message | str]:
    """Return {name: reason} of the names of a section without an answer in a round."""
    prefix = f"{section}:"
    return {
        key[len(prefix) :]: error
        for key, error in one.errors.items()
        if key.startswith(prefix) and key[len(prefix) :] not in one.values.get(section, {})
    }
