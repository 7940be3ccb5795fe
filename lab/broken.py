"""Which faults are injected in a lab right now: broken.json, a list of names, the oldest first."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bkpaas.lang import say
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


def inject(lab: Lab, name: str, tell: Tell) -> None:
    """Break the lab. Noted before it is done, so that a fault that got half way can be healed."""
    lab.started()
    fault, before = _fault(name), names(lab)
    if fault.layout not in ("a", lab.layout.name):
        raise LabError(
            say(
                en=f"{name} is a fault of layout {fault.layout}: ",
                zh=f"{name} 是布局 {fault.layout} 的故障：",
            )
            + f"python -m lab up {fault.layout}"
        )
    if name in before:
        raise LabError(say(en=f"{name} is injected already", zh=f"{name} 已经注入"))
    _note(lab, [*before, name])
    fault.break_(lab)
    tell(say(en=f"{name}: {fault.title_en}", zh=f"{name}：{fault.title_zh}"))
    tell(say(en="expected root cause: ", zh="预期根因：") + fault.condition)


def heal(lab: Lab, name: str | None, tell: Tell) -> None:
    """Undo a fault, or all, the newest first; returns when everything answers again, if nothing else is broken."""
    lab.started()
    before = names(lab)
    if name is not None and name not in before:
        raise LabError(
            say(en=f"{name} is not injected: ", zh=f"{name} 未注入：") + (", ".join(before) or "-")
        )
    for each in [name] if name else before[::-1]:
        _fault(each).heal(lab)
        _note(lab, [one for one in names(lab) if one != each])
        tell(say(en=f"{each} is healed", zh=f"{each} 已撤销"))
    if not names(lab):
        lab.wait_ready()


def _fault(name: str) -> Fault:
    if name not in faults():
        raise LabError(
            say(
                en=f"no fault {name!r}; see python -m lab faults",
                zh=f"没有故障 {name!r}；见 python -m lab faults",
            )
        )
    return faults()[name]


def _note(lab: Lab, injected: list[str]) -> None:
    (lab.state_dir / "broken.json").write_text(json.dumps(injected) + "\n", "utf-8")
