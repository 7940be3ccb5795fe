"""What goes wrong with a lab, told to the person who started it."""

from __future__ import annotations


class LabError(Exception):
    """The lab cannot do what was asked: what, why and the way out, in the words of the message."""
