"""The type of the fixture `host_facts`."""

from collections.abc import Callable

from bkpaas.facts import HostView

HostLookup = Callable[[str], HostView]
"""Returns the facts of a host by its name."""
