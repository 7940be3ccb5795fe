"""Read and check the inventory, which describes the deployment of a site.

load(path, limit=None) -> Deployment, load_waivers(path, ...) for those of another file; everything else here serves it.
"""

from bkpaas.inventory.deployment import (
    Connection,
    Deployment,
    Generation,
    Host,
    Limits,
    Thresholds,
    Waiver,
)
from bkpaas.inventory.loader import load
from bkpaas.inventory.problems import InventoryErrors
from bkpaas.inventory.waivers import load_waivers

__all__ = [
    "Connection",
    "Deployment",
    "Generation",
    "Host",
    "InventoryErrors",
    "Limits",
    "Thresholds",
    "Waiver",
    "load",
    "load_waivers",
]
