"""Find the files of an inventory."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from bkpaas.errors import InventoryError
from bkpaas.inventory.deployment import Generation
from bkpaas.inventory.generation import Clue
from bkpaas.inventory.platform import INSTALL_ROOTS
from bkpaas.inventory.source import is_directory, names_in
from bkpaas.messages import Message, msg

_ENV: dict[Generation, tuple[str, ...]] = {
    "5.x": ("globals.env", "ports.env"),
    # Of bin/04-final; the last has the final word on what several of them say.
    "6.x": ("global.env", "paasagent.env", "paas_plugins.env", "paas.env"),
}
_MARKERS: dict[str, Generation] = {
    "bkcec": "5.x",
    "bkeec": "5.x",
    "globals.env": "5.x",
    "ports.env": "5.x",
    "bkcli": "6.x",
}
_HOMES = dict(zip(("bkcec", "bkeec"), INSTALL_ROOTS, strict=True))


class Files(Struct, frozen=True):
    """Hold the files of one inventory; at least one of config and overlay exists."""

    directory: Path
    config: Path | None = None
    overlay: Path | None = None
    names: frozenset[str] = frozenset()
    """What else lies in the directory; empty for an install.config alone."""
    final: frozenset[str] = frozenset()
    """What lies in bin/04-final."""

    def clues(self) -> list[Clue]:
        """Return the clues to the generation from the present files."""
        clues = [
            Clue(generation, name, str(self.directory / name))
            for name, generation in _MARKERS.items()
            if name in self.names
        ]
        if any(name.endswith(".env") for name in self.final):
            clues.append(Clue("6.x", "bin/04-final", str(self.directory / "bin/04-final")))
        return clues

    def env(self, generation: Generation) -> list[Path]:
        """Return the env files to read, in order."""
        directory = self.directory if generation == "5.x" else self.directory / "bin/04-final"
        present = self.names if generation == "5.x" else self.final
        return [directory / name for name in _ENV[generation] if name in present]

    def install_root(self, notes: list[Message]) -> str | None:
        """Return the install root by the name of the control script; None: detected on each host."""
        for name, install_root in _HOMES.items():
            if name in self.names:
                notes.append(
                    msg(
                        "install directory {path}, because {name} is in the inventory",
                        path=install_root,
                        name=name,
                    )
                )
                return install_root
        notes.append(
            msg(
                "install directory not in the inventory: looked up on each host. Set home: in deployment.yaml to fix it."
            )
        )
        return None


def find(path: Path) -> Files:
    """Return the files of an inventory. Raises InventoryError if path has none."""
    if is_directory(path):
        return _in_directory(path)
    if path.suffix in (".yaml", ".yml"):
        return _in_directory(path.parent, overlay=path.name)
    if path.name == "install.config":
        return _in_directory(path.parent)
    return Files(path.parent, config=path)


def _in_directory(directory: Path, overlay: str = "deployment.yaml") -> Files:
    names = names_in(directory)
    if "install.config" not in names and overlay not in names:
        raise InventoryError(
            str(directory),
            None,
            msg("holds neither install.config nor deployment.yaml"),
            msg("give a copy of /data/install, an install.config, or a directory with a deployment.yaml"),
        )
    return Files(
        directory,
        config=directory / "install.config" if "install.config" in names else None,
        overlay=directory / overlay if overlay in names else None,
        names=frozenset(names),
        final=frozenset(names_in(directory / "bin/04-final")),
    )
