"""The wiring: everything else lives in bkpaas/."""

pytest_plugins = ("bkpaas.plugin.early", "bkpaas.plugin.command")
