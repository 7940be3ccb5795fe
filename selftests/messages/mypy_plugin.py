"""A plugin of mypy: report a Message that is formatted into a string, which raises TypeError when it runs.

mypy itself accepts any object in an f-string. A branch that runs only when a check fails would show it first there.
"""

from __future__ import annotations

from collections.abc import Callable

from mypy.nodes import CallExpr, MemberExpr, StrExpr
from mypy.plugin import MethodContext, Plugin
from mypy.types import Instance, Type, UnionType, get_proper_type

MESSAGE = "bkpaas.messages.Message"


class MessagePlugin(Plugin):
    """Check every f-string and every str.format(); mypy turns the first into the second."""

    def get_method_hook(self, fullname: str) -> Callable[[MethodContext], Type] | None:
        """Return the hook of str.format."""
        return _check_format if fullname == "builtins.str.format" else None


def _check_format(context: MethodContext) -> Type:
    formatted = [type_ for types in context.arg_types for type_ in types if _is_message(type_)]
    if formatted and not _converted(context):
        context.api.fail(
            "A Message in an f-string: make it a parameter of msg(), or render it", context.context
        )
    return context.default_return_type


def _is_message(type_: Type) -> bool:
    proper = get_proper_type(type_)
    if isinstance(proper, UnionType):
        return any(_is_message(item) for item in proper.items)
    return isinstance(proper, Instance) and proper.type.has_base(MESSAGE)


def _converted(context: MethodContext) -> bool:
    """Return whether this is an f-string with !s or !r."""
    call = context.context
    template = (
        call.callee.expr if isinstance(call, CallExpr) and isinstance(call.callee, MemberExpr) else None
    )
    return isinstance(template, StrExpr) and template.value.startswith("{!")


def plugin(version: str) -> type[Plugin]:
    """Return the plugin, for mypy."""
    return MessagePlugin
