"""The nginx of another product, on a host of the platform."""

from __future__ import annotations

OTHER_CONF = "/etc/nginx-other.conf"


def other_nginx() -> str:
    """Return the command that starts the nginx of another product, with a dead upstream of its own."""
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")  # which a master gives to its own account
    own = " ".join(f"{kind}_temp_path /var/tmp/nginx-other-{kind};" for kind in kinds)
    server = "server { listen 8099; location / { proxy_pass http://127.0.0.1:9; } }"
    text = f"pid /run/nginx-other.pid; events {{}} http {{ access_log off; {own} {server} }}"
    return f"echo '{text}' > {OTHER_CONF} && /usr/sbin/nginx -c {OTHER_CONF}"
