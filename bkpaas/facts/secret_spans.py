"""Hide secrets that go over several words of a list, such as a command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bkpaas.facts.secret_shapes import DIGEST
from bkpaas.facts.secret_spellings import dense_positions

Span = tuple[int, int, str]
"""Start and end of a secret in a line, and its digest."""


def spans_of_digests(line: str, redacted: str, values: Mapping[str, str]) -> list[Span]:
    """Return where the secrets are in a line that its redacted form shows as digests.

    Args:
        values: the secret of each digest.
    """
    spans: list[Span] = []
    position = end = 0
    for match in DIGEST.finditer(redacted):
        value = values.get(match[0], match[0])
        start = position + match.start() - end
        if not line.startswith(value, start):  # redacting has also changed something else
            start = line.find(value, position)
        end = match.end()
        if start >= 0:
            position = start + len(value)
            spans.append((start, position, match[0]))
    return spans


def spans_of_spellings(line: str, digests: Mapping[str, str]) -> list[Span]:
    """Return where these compact spellings of known secrets are in a line, whatever blanks are within."""
    positions = dense_positions(line)
    dense = "".join(line[at] for at in positions)
    spans: list[Span] = []
    for spelling in sorted(digests, key=len, reverse=True):
        start = dense.find(spelling)
        while start >= 0:
            first, last = positions[start], positions[start + len(spelling) - 1]
            if all(last < begin or first >= stop for begin, stop, _ in spans):
                spans.append((first, last + 1, digests[spelling]))
            start = dense.find(spelling, start + len(spelling))
    return sorted(spans)


def hide_spans(words: Sequence[str], spans: Sequence[Span]) -> list[str]:
    """Return the words with these parts of `" ".join(words)` replaced; each word keeps its place."""
    shown_words: list[str] = []
    start = 0
    for word in words:
        end, shown, done = start + len(word), "", 0
        for first, last, digest in spans:
            if first < end and last > start:
                shown += word[done : max(first - start, done)] + digest
                done = min(last, end) - start
        shown_words.append(shown + word[done:])
        start = end + 1
    return shown_words
