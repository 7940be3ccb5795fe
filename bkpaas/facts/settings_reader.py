"""Read the assignments of settings files in order, as Python runs them, without executing anything."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from os.path import basename, dirname
from typing import Any

from bkpaas.facts import namespace, python2
from bkpaas.facts.calls import ENVIRONMENT, Environment
from bkpaas.facts.literals import Unknown, evaluate
from bkpaas.facts.secrets import Secrets
from bkpaas.facts.setting_value import Value, ValueMaker
from bkpaas.facts.shown import Own
from bkpaas.messages import Message, msg

_PLACEHOLDER = re.compile(r"__[0-9A-Z_]+__")
_DEEPEST = 4
"""So many files that import each other are followed."""
_CHANGES = ("update", "append", "extend", "setdefault", "pop", "clear", "insert", "remove")


class SettingsReader:
    """Read the assignments of files in order; values of earlier files are visible in later ones."""

    def __init__(
        self,
        secrets: Secrets,
        own: Own,
        shown: Set[str],
        environment: Environment | None = None,
        modules: Mapping[str, str] | None = None,
    ) -> None:
        """Create a reader.

        environment: of the service's process. modules: the text of the other files of the directories, by path.
        """
        self.maker = ValueMaker(secrets, own, shown)
        self.environment = environment
        self.variables: set[str] = set()
        """Names of variables of the environment that are not known."""
        self.names: dict[str, Any] = {ENVIRONMENT: self._variable}
        self.modules = dict(modules or {})
        self.listed = {dirname(path) for path in self.modules}
        """Directories of which all modules are known."""
        self.values: dict[str, Value] = {}
        self.problems: list[Message | str] = []
        self.placeholders: list[str] = []
        self.unfollowed: str | None = None
        """file:line of the last statement that may set any name."""
        self.scope = namespace.Scope()
        self.depth = 0

    @property
    def file(self) -> str:
        return self.maker.file

    def _variable(self, name: str) -> str | None:
        """Return a variable of the service's process. Raises KeyError if it is not known."""
        try:
            if self.environment is None:
                raise KeyError(name)
            return self.environment(name)
        except KeyError:
            if re.fullmatch(r"[A-Za-z_]\w{0,100}", name):
                self.variables.add(name)
            raise

    def read(self, file: str, text: str) -> None:
        """Read one file."""
        self.modules[file] = text
        self.maker.file = file
        self.names["__file__"] = file
        self.scope = namespace.Scope()
        module, error_line = python2.parse(text.lstrip("\ufeff"))
        if error_line is not None:
            self.problems.append(msg("{location}: syntax error", location=f"{file}:{error_line}"))
        self._block(module, certain=True)
        for leaf in python2.leaves(module):
            if leaf.type in ("string", "name") and leaf.parent.type != "simple_stmt":
                placeholders = _PLACEHOLDER.findall(leaf.value)
                self.placeholders.extend(f"{file}:{leaf.start_pos[0]}: {name}" for name in placeholders)

    def _block(self, node: Any, certain: bool) -> None:
        for child in node.children:
            if child.type == "expr_stmt":
                self._assignment(child, certain)
            elif child.type == "try_stmt" and (imported := self._guarded_import(child)) is not None:
                self._import(imported, certain)
            elif child.type in ("simple_stmt", "suite", "with_stmt"):
                self._block(child, certain)
            elif child.type in ("try_stmt", "for_stmt", "while_stmt"):
                for name in namespace.loop_names(child):
                    self._unknown(name, child.start_pos[0])
                self._block(child, certain=False)
            elif child.type == "if_stmt":
                self._branches(child, certain)
            elif child.type == "error_node":
                self._broken(child)
            else:
                self._other(child, certain)

    def _other(self, node: Any, certain: bool) -> None:
        """Read a statement that is not an assignment: an import, a call, a deletion, a definition."""
        line = node.start_pos[0]
        if node.type in ("import_from", "import_name"):
            self._import(node, certain)
        elif node.type == "funcdef":
            self.scope.define(node)
        elif node.type == "del_stmt":
            for name in namespace.names(node):
                self._unknown(name, line)
        elif node.type in ("power", "atom_expr"):
            self._call(node, certain)
        elif node.type == "exec_stmt" and namespace.exec_writes(node):
            self._lose(line)

    def _call(self, node: Any, certain: bool) -> None:
        """Read a call that is a statement."""
        line = node.start_pos[0]
        write = self.scope.write(node)
        if write is namespace.ANYTHING:
            assigned = self._assigned(node) if certain else None
            if assigned is None:
                self._lose(line)
            for name, value in (assigned or {}).items():
                self._store(name, line, value)
        elif write:
            for name in write:
                self._unknown(name, line)
        elif (root := node.children[0]).type == "name" and namespace.method_of(node) in _CHANGES:
            self._change(root.value, node, certain)

    def _assigned(self, node: Any) -> dict[str, Any] | None:
        """Return the names that `globals().update(...)` or `setattr(module, "NAME", value)` sets, if known."""
        try:
            return namespace.given(node, lambda child: evaluate(child, self.names))
        except (Unknown, LookupError, TypeError, ValueError, AttributeError):
            return None

    def _change(self, root: str, node: Any, certain: bool) -> None:
        """Read `NAME["key"].update(...)` and other methods that change a value."""
        before = {name: repr(value) for name, value in self._containers()}
        done = certain and root in self.names
        if done:
            try:
                namespace.change(node, lambda child: evaluate(child, self.names))
            except (Unknown, LookupError, TypeError, ValueError, AttributeError):
                done = False
        if not done:
            self._unknown(root, node.start_pos[0])
            return
        self._changed(before, node.start_pos[0])

    def _containers(self) -> Iterator[tuple[str, Any]]:
        for name, value in self.names.items():
            if isinstance(value, dict | list) and name.isupper():
                yield name, value

    def _changed(self, before: dict[str, str], line: int) -> None:
        """Make the values again whose containers were changed, under any of their names."""
        for name, value in list(self._containers()):
            if name in self.values and before.get(name) != repr(value):
                self.values[name] = self.maker.plain(name, line, value)

    def _guarded_import(self, node: Any) -> Any | None:
        """Return the import of `try: from x import * except ImportError: pass` if the file of x is known."""
        suite = node.children[2]
        statements = [one for one in suite.children if one.type == "simple_stmt"] or [suite]
        imports = [one.children[0] for one in statements if one.type == "simple_stmt"]
        if len(imports) != 1 or imports[0].type != "import_from":
            return None
        return imports[0] if self._file_of(imports[0]) is not None else None

    def _file_of(self, node: Any) -> str | None:
        """Return the file that an import reads, "" if it is known not to exist, None if that is unknown."""
        module = namespace.imported_module(node)
        here = dirname(self.file)
        package, _, name = module.rpartition(".")
        if package and package.rpartition(".")[2] != basename(here):
            return None
        path = f"{here}/{name}.py"
        if path in self.modules:
            return path
        return "" if here in self.listed else None

    def _import(self, node: Any, certain: bool) -> None:
        line = node.start_pos[0]
        if not namespace.is_star(node):
            for name in namespace.imported_names(node):
                if not (name in self.names and self._file_of(node)):
                    self._unknown(name, line)
            return
        path = self._file_of(node)
        if path == "" and namespace.within_try(node):
            return
        if not path or self.depth >= _DEEPEST:
            self._lose(line)
            return
        self.depth += 1
        here, scope = self.file, self.scope
        self.maker.file, self.scope = path, namespace.Scope()
        self._block(python2.parse(self.modules[path].lstrip("\ufeff"))[0], certain)
        self.maker.file, self.scope = here, scope
        self.depth -= 1

    def _branches(self, node: Any, certain: bool) -> None:
        """Read the branch that is taken, or all possible branches if that is unknown."""
        for index, word in enumerate(node.children):
            if getattr(word, "value", None) not in ("if", "elif", "else"):
                continue
            taken: bool | None = True
            if word.value != "else":
                taken = self._truth(node.children[index + 1])
            suite = node.children[index + (2 if word.value == "else" else 3)]
            if taken is not False:
                certain = certain and taken is True
                self._block(_Only(suite), certain)
            if taken:
                return

    def _truth(self, test: Any) -> bool | None:
        try:
            return bool(evaluate(test, self.names))
        except Unknown:
            return None

    def _assignment(self, statement: Any, certain: bool) -> None:
        line = statement.start_pos[0]
        for target, source, operator in _targets(statement):
            if target.type in ("power", "atom_expr"):
                self._item(target, source, line, certain and operator == "=")
            elif target.type == "name":
                value = self._evaluated(target, source, operator) if certain else None
                self.scope.alias(target.value, source)
                self._set(target, source, value)
            else:
                for name in namespace.names(target):
                    self._unknown(name, line)

    def _item(self, target: Any, source: Any, line: int, certain: bool) -> None:
        """Read `NAME["key"] = ...`, `globals()["NAME"] = ...` and `module.NAME = ...`."""
        root, last = target.children[0], target.children[-1]
        if self.scope.is_namespace(target, upto=1):
            name = self._key(last)
            value = self._evaluated(None, source, "=") if certain else None
            if name is None:
                self._lose(line)
            elif value is None:
                self._unknown(name, line)
            else:
                self._store(name, line, value[0])
        elif root.type == "name":
            before = {name: repr(value) for name, value in self._containers()}
            try:
                if not certain or root.value not in self.names:
                    raise Unknown
                container = namespace.container(target, lambda child: evaluate(child, self.names))
                container[evaluate(last.children[1], self.names)] = evaluate(source, self.names)
            except (Unknown, LookupError, TypeError, ValueError, AttributeError):
                self._set(root, source, None)
                return
            self._changed(before, line)

    def _key(self, trailer: Any) -> str | None:
        """Return the name in `["NAME"]` or `.NAME`, None if it is computed from something unknown."""
        if trailer.children[0].value == ".":
            return str(trailer.children[1].value)
        try:
            return str(evaluate(trailer.children[1], self.names))
        except Unknown:
            return None

    def _evaluated(self, target: Any, source: Any, operator: str) -> tuple[Any] | None:
        try:
            value = evaluate(source, self.names)
            if operator == "+=":
                return (self.names[target.value] + value,)
            return (value,) if operator == "=" else None
        except (Unknown, KeyError, TypeError):
            return None

    def _set(self, target: Any, source: Any, value: tuple[Any] | None) -> None:
        """Remember a name with its value in a tuple, None when the value cannot be told."""
        name = target.value
        if value is None:
            self.names.pop(name, None)
        else:
            self.names[name] = value[0]
        if name.isupper():
            self.values[name] = self.maker.value(name, target.start_pos[0], source, value)

    def _store(self, name: str, line: int, value: Any) -> None:
        """Remember a name that is set by other means than an assignment."""
        self.names[name] = value
        if name.isupper():
            self.values[name] = self.maker.plain(name, line, value)

    def _unknown(self, name: str, line: int) -> None:
        """Forget the value of a name that a statement may have set."""
        self.names.pop(name, None)
        if name.isupper():
            self.values[name] = Value(kind="unknown", file=self.file, line=line)

    def _lose(self, line: int) -> None:
        """Forget all values, since a statement may have set any name."""
        self.unfollowed = f"{self.file}:{line}"
        for name in [name for name in self.names if name not in (ENVIRONMENT, "__file__")]:
            self.names.pop(name)
        for name in self.values:
            self.values[name] = Value(kind="unknown", file=self.file, line=line)

    def _broken(self, node: Any) -> None:
        """Read an assignment inside of a syntax error."""
        leaves = list(python2.leaves(node))
        if (
            len(leaves) < 2
            or leaves[0].type != "name"
            or leaves[1].value != "="
            or not leaves[0].value.isupper()
        ):
            return
        name, line = leaves[0].value, leaves[0].start_pos[0]
        after = leaves[-1].get_next_leaf()
        while after is not None and after.start_pos[0] == line and after.type != "newline":
            leaves.append(after)
            after = after.get_next_leaf()
        self.names.pop(name, None)
        text = self.maker.text(name, leaves[2:])
        self.values[name] = Value(kind="broken", file=self.file, line=line, source=text)


class _Only:
    """Wrap a node as the only child of another."""

    def __init__(self, child: Any) -> None:
        self.children = (child,)


def _targets(statement: Any) -> Iterator[tuple[Any, Any, str]]:
    """Yield target, source and operator of `A = B = 1`, `A, B = 1, 2`, `A += 1` and `A: int = 1`."""
    first, *rest = statement.children
    if rest and rest[0].type == "annassign":
        if len(rest[0].children) == 4:
            yield first, rest[0].children[3], "="
        return
    source = statement.children[-1]
    for target, operator in zip(statement.children[0:-1:2], statement.children[1::2], strict=True):
        if target.type == "testlist_star_expr" and source.type == "testlist_star_expr":
            pairs = zip(target.children[0::2], source.children[0::2], strict=False)
            yield from ((name, value, "=") for name, value in pairs)
        else:
            yield target, source, operator.value
