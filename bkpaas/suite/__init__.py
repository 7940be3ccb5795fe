"""The suite inside pytest: what a condition's test is made of, and how its outcome becomes a verdict."""

from bkpaas.suite.cases import Finding, condition

__all__ = ["Finding", "condition"]
