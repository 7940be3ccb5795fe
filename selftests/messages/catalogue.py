"""Read, write, compile and check the Chinese catalogue."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from bkpaas.messages import DOMAIN, LOCALE_DIRECTORY, LOCALES
from selftests.messages.source import Entry, Key, placeholders

PO = LOCALE_DIRECTORY / LOCALES["zh"] / "LC_MESSAGES" / f"{DOMAIN}.po"
MO = PO.with_suffix(".mo")
COMMENT = """\
# The Chinese of the messages in the code: one msgstr for each msgid, with the same {placeholders}.
# Edit the msgstr lines, then run script/messages update."""


class _Stable(Catalog):
    """A catalogue whose header has no dates and no version, so that equal texts make equal files."""

    mime_headers = [  # noqa: RUF012 (a property of Catalog)
        ("Language", LOCALES["zh"]),
        ("MIME-Version", "1.0"),
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Transfer-Encoding", "8bit"),
        ("Plural-Forms", "nplurals=1; plural=0;"),
    ]


def read(file: Path = PO) -> dict[Key, str]:
    """Return the translations by context and template; an empty one is not translated yet."""
    if not file.exists():
        return {}
    with file.open("rb") as stream:
        catalogue = read_po(stream, locale=LOCALES["zh"], abort_invalid=True)
    return {_key(message): _string(message) for message in catalogue if message.id}


def flagged(file: Path = PO) -> list[str]:
    """Return the templates that are fuzzy or obsolete."""
    with file.open("rb") as stream:
        catalogue = read_po(stream, locale=LOCALES["zh"], abort_invalid=True)
    messages = [
        *(message for message in catalogue if message.id and message.fuzzy),
        *catalogue.obsolete.values(),
    ]
    return [_key(message)[1] for message in messages]


def po_text(entries: Iterable[Entry], translations: Mapping[Key, str]) -> str:
    """Return the text of the .po file."""
    stream = io.BytesIO()
    write_po(stream, _catalogue(entries, translations), width=0, include_lineno=False)
    return stream.getvalue().decode("utf-8")


def mo_bytes(entries: Iterable[Entry], translations: Mapping[Key, str]) -> bytes:
    """Return the content of the .mo file."""
    stream = io.BytesIO()
    write_mo(stream, _catalogue(entries, translations))
    return stream.getvalue()


def check(entries: Mapping[Key, Entry], file: Path = PO) -> Iterator[str]:
    """Yield what is wrong with the catalogue for these messages."""
    translations = read(file)
    for key in entries.keys() - translations.keys():
        yield f"not in {file.name}: {key[1]!r}"
    for key in translations.keys() - entries.keys():
        yield f"in {file.name}, but not in the code: {key[1]!r}"
    yield from (f"fuzzy or obsolete: {template!r}" for template in flagged(file))
    for key in entries.keys() & translations.keys():
        if not translations[key]:
            yield f"not translated: {key[1]!r}"
        else:
            yield from _check_translation(entries[key], translations[key])
    if file.read_text("utf-8") != po_text(entries.values(), translations):
        yield f"{file.name} is not as script/messages update writes it"
    compiled = file.with_suffix(".mo")
    if not compiled.exists() or compiled.read_bytes() != mo_bytes(entries.values(), translations):
        yield f"{compiled.name} is not compiled from {file.name}"


def _check_translation(entry: Entry, translation: str) -> Iterator[str]:
    english = placeholders(entry.plural or entry.template)
    try:
        chinese = placeholders(translation)
    except ValueError as error:
        yield f"{error} in the Chinese of {entry.template!r}"
        return
    for name, spec, conversion in sorted(english ^ chinese):
        side = "English" if (name, spec, conversion) in english else "Chinese"
        shown = "{" + name + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "") + "}"
        yield f"only the {side} has {shown}: {entry.template!r}"


def _catalogue(entries: Iterable[Entry], translations: Mapping[Key, str]) -> Catalog:
    catalogue = _Stable(locale=LOCALES["zh"], domain=DOMAIN, header_comment=COMMENT, fuzzy=False)
    for entry in entries:
        translation = translations.get(entry.key, "")
        catalogue.add(
            (entry.template, entry.plural) if entry.plural else entry.template,
            (translation,) if entry.plural else translation,
            locations=[(file, 0) for file in entry.files],
            context=entry.context,
        )
    return catalogue


def _key(message: object) -> Key:
    template = message.id[0] if isinstance(message.id, tuple) else message.id  # type: ignore[attr-defined]
    return message.context, template  # type: ignore[attr-defined]


def _string(message: object) -> str:
    string = message.string  # type: ignore[attr-defined]
    return str((string[0] if isinstance(string, (tuple, list)) else string) or "")
