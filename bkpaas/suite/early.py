"""The former name of bkpaas.plugin.early.

An environment that was installed before names this module as its pytest plugin, until script/test, script/demo or
pip installs the project again.
"""

from __future__ import annotations

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Load the plugin under its present name."""
    pluginmanager.import_plugin("bkpaas.plugin.early")
