"""Which faults are injected in a lab right now: broken.json, a list of names, the oldest first."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bkpaas.language import get_language
from bkpaas.messages import msg, to_text
from lab.control import Lab, Tell
from lab.errors import LabError

if TYPE_CHECKING:
    from lab.faults import Fault


def faults() -> dict[str, Fault]:
    """All faults by name."""
    from lab.faults import FAULTS  # the faults are written against Lab

    found: dict[str, Fault] = FAULTS
    return found


def names(lab: Lab) -> list[str]:
    """What is broken in the lab."""
    file = lab.state_dir / "broken.json"
    found: list[str] = json.loads(file.read_text("utf-8")) if file.exists() else []
    return found


def title(fault: Fault) -> str:
    """Return the title of a fault in the language of the command line."""
    return {"en": fault.title_en, "zh": fault.title_zh}[get_language()]


def inject(lab: Lab, name: str, tell: Tell) -> None:
    """Break the lab. Noted before it is done, so that a fault that got half way can be healed."""
    lab.started()
    fault, before = _fault(name), names(lab)
    if fault.layout not in ("a", lab.layout.name):
        raise LabError(
            msg(
                "{name} is a fault of layout {layout}: python -m lab up {layout}",
                name=name,
                layout=fault.layout,
            )
        )
    if name in before:
        raise LabError(msg("{name} is injected already", name=name))
    _note(lab, [*before, name])
    fault.break_(lab)
    tell(to_text(msg("{name}: {title}", name=name, title=title(fault))))
    tell(to_text(msg("expected root cause: {condition}", condition=fault.condition)))


def heal(lab: Lab, name: str | None, tell: Tell) -> None:
    """Undo a fault, or all, the newest first; returns when everything answers again, if nothing else is broken."""
    lab.started()
    before = names(lab)
    if name is not None and name not in before:
        raise LabError(
            msg("{name} is not injected: {injected}", name=name, injected=", ".join(before) or "-")
        )
    for each in [name] if name else before[::-1]:
        _fault(each).heal(lab)
        _note(lab, [one for one in names(lab) if one != each])
        tell(to_text(msg("{name} is healed", name=each)))
    if not names(lab):
        lab.wait_ready()


def _fault(name: str) -> Fault:
    if name not in faults():
        raise LabError(msg("no fault {name!r}; see python -m lab faults", name=name))
    return faults()[name]


def _note(lab: Lab, injected: list[str]) -> None:
    (lab.state_dir / "broken.json").write_text(json.dumps(injected) + "\n", "utf-8")
