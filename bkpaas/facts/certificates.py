"""Parse the certificates that the servers of the domain present to the controller."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from bkpaas.facts import raw
from bkpaas.facts.missing import Fact, Record
from bkpaas.facts.ranges import Time
from bkpaas.messages import Message

if TYPE_CHECKING:
    from cryptography.x509 import Certificate as Parsed


class Certificate(Record, frozen=True):
    """Represent the certificate of one address for the PaaS domain."""

    address: str
    """address:port."""
    names: tuple[str, ...] = ()
    """DNS names that it is for; the common name when it says no others."""
    issuer: str = ""
    begins: Time | None = None
    """Epoch seconds. None: it cannot be read."""
    ends: Time | None = None
    problem: Message | str | None = None
    """Why it does not verify, in OpenSSL's words; None: it does."""
    error_kind: str | None = None
    """There was no TLS connection: see Answer."""
    error_text: Message | str | None = None

    @property
    def received(self) -> bool:
        """Return whether a certificate was received."""
        return self.error_kind is None

    def covers(self, domain: str) -> bool:
        """Return whether it covers this name; a wildcard matches one label."""
        domain = domain.lower()
        return any(
            name == domain or (name.startswith("*.") and domain.partition(".")[2] == name[2:])
            for name in map(str.lower, self.names)
        )


class Certificates(Fact, frozen=True):
    """Hold the certificates: first that of the domain's address, then those of the nginx hosts."""

    items: tuple[Certificate, ...]


def certificates(section: Any) -> Certificates:
    """Parse the raw list of presented certificates."""
    return Certificates(items=tuple(_certificate(item) for item in raw.records(section)))


def _certificate(item: dict[str, Any]) -> Certificate:
    address = raw.text(item.get("address"), 100) or ""
    if item.get("error") is not None:
        error = raw.record(item["error"])
        kind = raw.text(error.get("kind"), 20) or "other"
        return Certificate(address, error_kind=kind, error_text=raw.text(error.get("text"), 300))
    problem = raw.text(item.get("problem"), 300)
    from cryptography import x509  # slow to import, and only a run that collects parses certificates

    try:
        certificate = x509.load_der_x509_certificate(
            base64.b64decode(raw.text(item.get("der"), 100_000) or "")
        )
        return Certificate(
            address=address,
            names=_names(certificate)[:100],
            issuer=certificate.issuer.rfc4514_string()[:200],
            begins=certificate.not_valid_before_utc.timestamp(),
            ends=certificate.not_valid_after_utc.timestamp(),
            problem=problem,
        )
    except (ValueError, binascii.Error):
        return Certificate(address, problem=problem)


def _names(certificate: Parsed) -> tuple[str, ...]:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    try:
        alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return tuple(alternatives.get_values_for_type(x509.DNSName))
    except (x509.ExtensionNotFound, ValueError):
        return tuple(
            str(name.value) for name in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        )
