"""Snapshots of healthy labs, and raw answers of one, for the tests of checks and parsers."""
