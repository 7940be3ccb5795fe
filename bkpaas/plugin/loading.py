"""Load the deployment that the command line names, with its waivers."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import msgspec
import pytest

from bkpaas import inventory
from bkpaas.errors import InventoryError
from bkpaas.inventory.deployment import Deployment


class _Conditions(Collection[str]):
    """What a waiver may name: the catalogue, and whatever a site's own tests, which are not read yet, will add.

    The catalogue takes longer to import than an inventory to read, and only waivers need it.
    """

    def __contains__(self, condition: object) -> bool:
        from bkpaas.catalogue.registry import CONDITIONS, CUSTOM_PREFIX, current_id

        return current_id(str(condition)) in CONDITIONS or str(condition).startswith(CUSTOM_PREFIX)

    def __iter__(self) -> Iterator[str]:
        from bkpaas.catalogue.registry import CONDITIONS

        return iter(CONDITIONS)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def load_deployment(path: str, limit: str | None, *, visits: bool) -> Deployment:
    """Return the deployment of an inventory. UsageError: it cannot be used. visits: its hosts are contacted."""
    try:
        return inventory.load(Path(path), limit=limit, conditions=_Conditions(), visits=visits)
    except InventoryError as error:
        raise pytest.UsageError(str(error)) from None


def with_waivers(deployment: Deployment, file: str | None) -> Deployment:
    """Return the deployment with the waivers of --waivers added to its own."""
    if file is None:
        return deployment
    try:
        more = inventory.load_waivers(Path(file), deployment.hosts, _Conditions())
    except InventoryError as error:
        raise pytest.UsageError(str(error)) from None
    return msgspec.structs.replace(deployment, waivers=(*deployment.waivers, *more))
