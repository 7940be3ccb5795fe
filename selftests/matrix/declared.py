"""The trials of a whole matrix in addition to the single faults."""

from __future__ import annotations

PAIRS: tuple[tuple[str, str], ...] = (
    ("clock-ahead", "timezone-differs"),
    ("orphans-fatal", "agent-nginx-not-listening"),
    ("database-password-changed", "log-list-differs"),
    ("firewall-drop", "domain-hosts-override"),
    ("program-stopped", "program-stopped-second"),
    ("sock-mode", "login-environment-missing"),
    ("upstream-stale", "agent-stopped"),
    ("agent-port-taken", "cookie-domain-wrong"),
    ("cc-down", "saas-dead"),
    ("rabbit-killed", "database-stopped"),
    ("domain-cut-off-from-appo", "domain-hijacked"),
    ("login-secret-differs", "deploy-limits-reversed"),
    ("disk-full", "http-proxy"),
    ("host-down", "faq-fatal"),
    ("faq-fatal", "domain-cut-off-from-job"),
    ("es-host-down", "domain-cut-off-from-job"),
    ("unit-stopped", "application-without-server"),
    ("unit-disabled", "paasagent-stopped"),
    ("unit-port-held", "filebeat-stopped"),
    ("container-killed", "docker-application-without-server"),
    ("container-old-image", "container-usermgr-killed"),
    ("container-paused", "docker-disabled"),
)
"""Independent of each other: on two hosts, on one (sock-mode, rabbit-killed), or the same fault on two hosts. The last
six are of generations 6.x."""

SYMPTOM_FAULTS: dict[str, str] = {
    "foundations": "disk-full",
    "login-no-response": "login-to-the-wrong-service",
    "login-validity-illegal": "clock-ahead",
    "fatal-exited-too-quickly": "faq-fatal",
    "password-reset": "manage-missing",
    "login-502": "firewall-drop",
    "appt-502": "saas-dead",
    "deploy-timeout": "deploy-limits-reversed",
    "platform-healthy": "cc-down",
    "no-logs": "log-list-differs",
    "login-redirect-loop": "domain-cut-off-from-appo",
}
"""By section of the FAQ, the fault that its marker is tried on."""
