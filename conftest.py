"""The wiring: everything else lives in bkpaas/."""

pytest_plugins = (
    "bkpaas.plugin.early",
    "bkpaas.plugin.plain_assertions",
    "bkpaas.plugin.options",
    "bkpaas.plugin.session",
    "bkpaas.plugin.selection",
    "bkpaas.plugin.fixtures",
    "bkpaas.plugin.verdicts",
    "bkpaas.plugin.protocol",
    "bkpaas.plugin.read_facts",
)
