"""The runs that are judged for every change; the others by script/replay."""

SAMPLE = (
    "healthy-1",
    "disk-full",
    "login-to-the-wrong-service",
    "clock-ahead",
    "faq-fatal",
    "manage-missing",
    "firewall-drop",
    "saas-dead",
    "deploy-limits-reversed",
    "cc-down",
    "symptom-no-logs.zh",
    "symptom-login-redirect-loop.en",
    "host-down+faq-fatal",
)
"""A healthy run, a pair of faults, and a run for each section of the FAQ; the first in their packed file."""
