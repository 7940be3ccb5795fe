"""Certificates of the lab's authority, as a browser judges them."""

from __future__ import annotations

import ssl
import stat
from pathlib import Path

import pytest

from lab import certificates


def shake_hands(directory: Path, name: str) -> None:
    """A TLS handshake in memory, both sides; ssl.SSLError as a browser would refuse."""
    browser = ssl.create_default_context(cafile=str(directory / certificates.AUTHORITY))
    browser.verify_flags |= ssl.VERIFY_X509_STRICT
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(directory / certificates.CERTIFICATE, directory / certificates.KEY)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = browser.wrap_bio(back, there, server_hostname=name)
    theirs = server.wrap_bio(there, back, server_side=True)
    for side in (ours, theirs, ours, theirs):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue


@pytest.fixture
def site(tmp_path: Path) -> Path:
    certificates.create_authority(tmp_path / "tls", ["paas.bk.test", "job.bk.test"])
    return tmp_path / "tls"


def test_every_name_of_the_site_is_vouched_for(site: Path) -> None:
    shake_hands(site, "paas.bk.test")
    shake_hands(site, "job.bk.test")


def test_keys_are_private(site: Path) -> None:
    for name in (certificates.KEY, certificates.AUTHORITY_KEY):
        assert stat.S_IMODE((site / name).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("names", "days", "reason"),
    [(["paas.other.test"], 1, "Hostname mismatch"), (["paas.bk.test"], -1, "certificate has expired")],
)
def test_a_wrong_certificate_is_refused(site: Path, names: list[str], days: int, reason: str) -> None:
    (site / certificates.CERTIFICATE).write_text(certificates.issue(site, names, days=days))
    with pytest.raises(ssl.SSLCertVerificationError, match=reason):
        shake_hands(site, "paas.bk.test")
