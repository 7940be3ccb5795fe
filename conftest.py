"""The wiring: everything else lives in bkpaas/."""

pytest_plugins = (
    "bkpaas.suite.early",
    "bkpaas.suite.options",
    "bkpaas.suite.session",
    "bkpaas.suite.cases",
    "bkpaas.suite.site",
    "bkpaas.suite.verdicts",
)
