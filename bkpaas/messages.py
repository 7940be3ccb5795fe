"""Messages: texts made by code, kept as data and rendered in the reader's language at the end.

    msg("{path} is {mode}, must be srwx------", path=path, mode=mode)
    plural("{count} host", "{count} hosts", count=len(hosts))
    lines([first, second])
    series(names)

English stands in the code, Chinese in locale/zh_CN/LC_MESSAGES/bkpaas.po. `script/messages` keeps both in step.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterable
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from bkpaas.language import LANGUAGES, Language, get_language

DOMAIN = "bkpaas"
LOCALE_DIRECTORY = Path(__file__).with_name("locale")
LOCALES: dict[Language, str] = {"zh": "zh_CN"}
"""The locale of each language that has a catalogue; English needs none."""

TEMPLATE_CHARACTERS = 4_000
PARAMETERS = 50
"""The most parameters of one message."""
PARAMETER_CHARACTERS = 20_000
ITEMS = 1_000
"""The most items of one list."""
LIST_CHARACTERS = 500_000
"""The longest text of a list's items together."""
DEPTH = 10
"""The deepest nesting of messages."""
TEXT_CHARACTERS = 1_000_000
"""The longest text that a message may render to."""

_LARGEST_INT = 2**63 - 1  # of JSON as msgspec writes it
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SPEC = re.compile(r"[<>^]?[+]?0?(?P<width>\d{0,2}),?(?:\.\d)?[a-zA-Z%]?")
_NUMBER_CHARACTERS = 30
_PADDING = 99
"""What a format spec can add."""
_CUT = "…"

Field = tuple[str, str, str, str]
"""A piece of a template: literal text, then the name, format spec and conversion of a placeholder, or empty."""


class Message(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A text as data: an English template and its parameters, or a list of items.

    A message is never falsy, whatever its text is: use `Message | None` and compare with None.
    It is not a string. It refuses `+` and f-strings: make it a parameter of another message.

    Raises ValueError if the template or a limit of this module is violated; msgspec turns this into a
    ValidationError when a message is read from a file, or raises RecursionError at some hundred levels.
    """

    template: str
    """English; the separator if there are items."""
    parameters: dict[str, Message | str | int | float | bool | None] = {}
    context: str | None = None
    """Tells apart two templates with equal English and different Chinese."""
    plural: str | None = None
    """English for every `count` but 1."""
    items: tuple[Message | str | int | float | bool | None, ...] | None = None
    chinese: str | None = None
    """The Chinese template of a text that is not in the catalogue: see both()."""

    def __post_init__(self) -> None:
        _check(self)

    def render(self, language: Language) -> str:
        """Return the text in one language; English if the translation cannot be rendered."""
        for template_in in (_translated, _english):
            try:
                return _filled_in(self, template_in(self, language), language)
            except Exception:  # a wrong translation, or a parameter that its format does not fit
                continue
        values = ", ".join(f"{name}={_rendered(value, language)}" for name, value in self.parameters.items())
        return f"{self.template} ({values})"

    def __hash__(self) -> int:
        return hash(
            (
                self.template,
                frozenset(self.parameters.items()),
                self.context,
                self.plural,
                self.items,
                self.chinese,
            )
        )

    def __str__(self) -> str:
        """Return the English text, for logs and debuggers; what a person reads is rendered."""
        return self.render("en")

    if not TYPE_CHECKING:  # mypy refuses what is not there; f-strings take selftests/messages/mypy_plugin.py

        def __add__(self, _):
            raise TypeError("a Message cannot be added to: use lines([...]) or a parameter of another msg()")

        __radd__ = __add__

        def __format__(self, _):
            raise TypeError("a Message cannot be formatted: make it a parameter of another msg()")


Value = Message | str | int | float | bool | None


def msg(template: str, /, *, context: str | None = None, **parameters: object) -> Message:
    """Return a message.

    template: a literal, with a `{name}` for each parameter; `{{` and `}}` are braces.
    context: a literal, where the same English has another Chinese elsewhere.
    parameters: messages, strings and numbers; anything else is stored as its string. Strings are redacted.
    """
    return Message(template, _values(parameters), context) if parameters else _plain(template, context)


@lru_cache(maxsize=1024)
def _plain(template: str, context: str | None) -> Message:
    return Message(template, context=context)


def plural(
    singular: str, plural: str, /, *, count: int, context: str | None = None, **parameters: object
) -> Message:
    """Return a message whose English depends on count; both templates may use `{count}`."""
    return Message(singular, _values({"count": count, **parameters}), context, plural)


def joined(separator: str, items: Iterable[object], *, context: str | None = None) -> Message:
    """Return the items with a separator between them, which is translated as a template is.

    Items beyond ITEMS or LIST_CHARACTERS are left out, and the list ends in an ellipsis.
    """
    values: list[Value] = []
    characters = 0
    for item in items:
        value = to_value(item)
        characters += _size(value)[1] + len(separator)
        if values and characters > LIST_CHARACTERS:
            values.append(_CUT)
            break
        values.append(value)
    if len(values) > ITEMS:
        values[ITEMS - 1 :] = [_CUT]
    return Message(separator, context=context, items=tuple(values))


def lines(items: Iterable[object]) -> Message:
    """Return the items, one a line."""
    return joined("\n", items)


def series(items: Iterable[object]) -> Message:
    """Return the items as a list within a sentence: `a, b` in English, with enumeration commas in Chinese."""
    return joined(", ", items, context="series")


def both(*, en: str, zh: str) -> Message:
    """Return a text that is data in both languages, of a condition for example, and so not in the catalogue."""
    if en == zh:
        return Message("{en}", _values({"en": en}))
    return Message("{en}", _values({"en": en, "zh": zh}), chinese="{zh}")


def redacted(text: Message | str, redact: Callable[[str], str]) -> Message | str:
    """Return a text with another redaction of its parameters."""
    if isinstance(text, str):
        return redact(text)
    items = text.items and tuple(_redacted_value(item, redact) for item in text.items)
    parameters = {name: _redacted_value(value, redact) for name, value in text.parameters.items()}
    return replace(text, parameters=parameters, items=items)


def _redacted_value(value: Value, redact: Callable[[str], str]) -> Value:
    return redacted(value, redact) if isinstance(value, (Message, str)) else value


def to_text(message: Message | str) -> str:
    """Return a text in the language of this program's output; for command lines that print it right away."""
    return message.render(get_language()) if isinstance(message, Message) else message


_redact: Callable[[str], str] | None = None


def set_redactor(redactor: Callable[[str], str] | None) -> None:
    """Set what every string parameter of a new message goes through; None: nothing.

    Collection sets it, since a host's secrets are known from then on.
    """
    global _redact
    _redact = redactor


def _values(parameters: dict[str, object]) -> dict[str, Value]:
    return {name: to_value(value) for name, value in parameters.items()}


def to_value(value: object) -> Value:
    """Return a parameter as JSON can hold it, strings redacted and within PARAMETER_CHARACTERS."""
    if value is None or isinstance(value, (Message, bool, float)):
        return value
    if isinstance(value, int) and abs(value) <= _LARGEST_INT:
        return int(value)
    whole = str(value)
    if _redact is not None:
        whole = _redact(whole)
    if not whole.isascii():
        try:
            whole.encode()
        except UnicodeEncodeError:  # a lone surrogate, of a file name for example
            whole = whole.encode("utf-8", "backslashreplace").decode()
    return whole if len(whole) <= PARAMETER_CHARACTERS else whole[: PARAMETER_CHARACTERS - 1] + _CUT


@lru_cache(maxsize=4096)
def fields(template: str) -> tuple[Field, ...]:
    """Return the pieces of a template.

    Raises ValueError for anything but plain names, short format specs and the conversions r and s. A template
    may come from a file: attributes, indexes and large widths would let it read memory or fill it.
    """
    pieces = []
    for literal, name, spec, conversion in string.Formatter().parse(template):
        if name is not None and not _NAME.fullmatch(name):
            raise ValueError(f"not a placeholder: {name[:60]!r}")
        if not _SPEC.fullmatch(spec or "") or conversion not in (None, "r", "s"):
            raise ValueError(f"not a format of a placeholder: {spec!r:.60}")
        pieces.append((literal, name or "", spec or "", conversion or ""))
    return tuple(pieces)


def _check(message: Message) -> None:
    if not message.template or len(message.template) > TEMPLATE_CHARACTERS:
        raise ValueError(f"a template has 1 to {TEMPLATE_CHARACTERS} characters")
    if len(message.plural or "") > TEMPLATE_CHARACTERS or len(message.chinese or "") > TEMPLATE_CHARACTERS:
        raise ValueError(f"a template has 1 to {TEMPLATE_CHARACTERS} characters")
    if len(message.parameters) > PARAMETERS or len(message.items or ()) > ITEMS:
        raise ValueError(f"a message has at most {PARAMETERS} parameters, a list {ITEMS} items")
    if message.items is not None and (message.parameters or message.plural):
        raise ValueError("a list has no parameters and no plural")
    count = message.parameters.get("count")
    if message.plural is not None and (not isinstance(count, int) or isinstance(count, bool)):
        raise ValueError("a plural needs a whole number as count")
    for value in (*message.parameters.values(), *(message.items or ())):
        if isinstance(value, str) and len(value) > PARAMETER_CHARACTERS:
            raise ValueError(f"a parameter has at most {PARAMETER_CHARACTERS} characters")
    depth, characters = _size(message)
    if depth > DEPTH or characters > TEXT_CHARACTERS:
        raise ValueError(f"a message has at most {DEPTH} levels and {TEXT_CHARACTERS} characters")


def _size(value: Value) -> tuple[int, int]:
    """Return how deep a value nests, and an upper bound of the characters of its text."""
    if not isinstance(value, Message):
        return 0, len(value) if isinstance(value, str) else _NUMBER_CHARACTERS
    depth, characters = 0, 0
    sizes: dict[str, int] = {}
    for name, parameter in value.parameters.items():
        below, sizes[name] = _size(parameter)
        depth = below if below > depth else depth
    for item in value.items or ():
        below, length = _size(item)
        depth = below if below > depth else depth
        characters += length + len(value.template)
    if value.items is not None:
        return depth + 1, characters
    for template in filter(None, (value.template, value.plural, value.chinese)):
        characters += len(template)
        for _, name, spec, _ in fields(template):
            if name:
                if name not in sizes:
                    raise ValueError(f"the placeholder {name[:60]!r} has no parameter")
                characters += sizes[name] + (_PADDING if spec else 0)
    return depth + 1, characters


def _filled_in(message: Message, template: str, language: Language) -> str:
    if message.items is not None:
        return template.join(str(_rendered(item, language)) for item in message.items)
    values = {name: _rendered(value, language) for name, value in message.parameters.items()}
    return _filled(template, values)


def _filled(template: str, values: dict[str, Any]) -> str:
    done = []
    for literal, name, spec, conversion in fields(template):
        done.append(literal)
        if name:
            value = values[name]
            value = repr(value) if conversion == "r" else str(value) if conversion == "s" else value
            done.append(format(value, spec))
    return "".join(done)


def _english(message: Message, _: Language) -> str:
    many = message.plural is not None and message.parameters.get("count") != 1
    return (message.plural or message.template) if many else message.template


def _translated(message: Message, language: Language) -> str:
    if message.chinese is not None:
        return message.chinese if language == "zh" else message.template
    catalogue, context = _catalogue(language), message.context
    if message.plural is not None:
        count = message.parameters["count"]
        assert isinstance(count, int)
        if context is not None:
            return catalogue.npgettext(context, message.template, message.plural, count)
        return catalogue.ngettext(message.template, message.plural, count)
    return catalogue.pgettext(context, message.template) if context else catalogue.gettext(message.template)


@lru_cache(maxsize=len(LANGUAGES))
def _catalogue(language: Language) -> NullTranslations:
    """Return the translations of a language; none, which means English, if they cannot be read."""
    if language not in LOCALES:
        return NullTranslations()
    try:
        with (LOCALE_DIRECTORY / LOCALES[language] / "LC_MESSAGES" / f"{DOMAIN}.mo").open("rb") as file:
            return GNUTranslations(file)
    except Exception:
        return NullTranslations()


def _rendered(value: Value, language: Language) -> Any:
    return value.render(language) if isinstance(value, Message) else value
