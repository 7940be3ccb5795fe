"""A browser session: log in on one paas host, then open the platform on another, as behind a load balancer."""

from __future__ import annotations

from lab.control import Lab
from lab.faults.actions import address
from lab.services.layout import SECRETS

SCRIPT = r"""
jar=$(mktemp); trap 'rm -f $jar' EXIT
csrf=$(curl -s -m 10 -c $jar {login} | sed -n "s/.*csrfmiddlewaretoken' value='\([^']*\)'.*/\1/p")
token=$(curl -s -m 10 -i -b $jar --data-urlencode csrfmiddlewaretoken=$csrf --data-urlencode username={user} \
    --data-urlencode password={password} {login} | sed -n 's/^Set-Cookie: bk_token=\([^;]*\);.*/\1/p')
[ -n "$token" ] || {{ echo "no bk_token from {login}" >&2; exit 1; }}
curl -s -m 10 -o /dev/null -w '%{{http_code}}' -b bk_token=$token {platform}
"""


def open_platform(lab: Lab, issuer: str, verifier: str) -> str:
    """Log in on the host `issuer`, open the platform on the host `verifier`; return the HTTP status of its page."""
    ports = lab.layout.ports
    return lab.run(
        verifier,
        SCRIPT.format(
            login=f"http://{address(lab, issuer)}:{ports['login']}/login/",
            platform=f"http://{address(lab, verifier)}:{ports['paas']}/platform/",
            user=SECRETS["PAAS_ADMIN_USER"],
            password=SECRETS["PAAS_ADMIN_PASS"],
        ),
        timeout=60,
    ).strip()


def try_to_log_in(lab: Lab, issuer: str) -> None:
    """Send the password of admin to login of a host as its page does, whatever comes of it."""
    script = SCRIPT.format(
        login=f"http://{address(lab, issuer)}:{lab.layout.ports['login']}/login/",
        platform="unused",
        user=SECRETS["PAAS_ADMIN_USER"],
        password=SECRETS["PAAS_ADMIN_PASS"],
    )
    lab.run(issuer, f"( {script} ) >/dev/null 2>&1 || true", timeout=60)


def be_refused(lab: Lab, issuer: str, verifier: str) -> None:
    """Open the platform until it redirects to the login page, which leaves a line in paas.log."""
    lab.wait(
        lambda: open_platform(lab, issuer, verifier) == "302", 10, f"{verifier} refuses a token of {issuer}"
    )
