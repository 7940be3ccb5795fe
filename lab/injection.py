"""Inject faults into a lab and remove them."""

from __future__ import annotations

from bkpaas.language import get_language
from bkpaas.messages import msg, to_text
from lab.control import Lab, Notify
from lab.errors import LabError
from lab.faults import FAULTS, Fault
from lab.injected import names, write_names

__all__ = ["faults", "heal", "inject", "names", "title"]


def faults() -> dict[str, Fault]:
    """Return all faults by name."""
    return FAULTS


def title(fault: Fault) -> str:
    """Return the title of a fault in the language of the command line."""
    return {"en": fault.title_en, "zh": fault.title_zh}[get_language()]


def inject(lab: Lab, name: str, notify: Notify) -> None:
    """Inject a fault. Its name is recorded first, so that an interrupted injection can be healed."""
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
    write_names(lab, [*before, name])
    fault.break_(lab)
    notify(to_text(msg("{name}: {title}", name=name, title=title(fault))))
    notify(to_text(msg("expected root cause: {condition}", condition=fault.condition)))


def heal(lab: Lab, name: str | None, notify: Notify) -> None:
    """Remove a fault, or all, the newest first; wait until everything answers, if no other fault is injected."""
    lab.started()
    before = names(lab)
    if name is not None and name not in before:
        raise LabError(
            msg("{name} is not injected: {injected}", name=name, injected=", ".join(before) or "-")
        )
    for each in [name] if name else before[::-1]:
        _fault(each).heal(lab)
        write_names(lab, [one for one in names(lab) if one != each])
        notify(to_text(msg("{name} is healed", name=each)))
    if not names(lab):
        lab.wait_ready()


def _fault(name: str) -> Fault:
    if name not in faults():
        raise LabError(msg("no fault {name!r}; see python -m lab faults", name=name))
    return faults()[name]
