"""The authority of a site that trusts itself only, and the certificates that it gives out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

AUTHORITY, AUTHORITY_KEY = "ca.crt", "ca.key"
CERTIFICATE, KEY = "bk_domain.crt", "bk_domain.key"
"""Named as the product's installer names them."""
DAYS = 365


def create_authority(directory: Path, names: Iterable[str]) -> None:
    """Make an authority, and its certificate for these names, in the directory."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("Lab site CA")
    may = dict.fromkeys(
        ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
        False,
    )
    usage = x509.KeyUsage(**may, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False)
    builder = _builder(name, key.public_key(), datetime.now(timezone.utc) + timedelta(days=DAYS))
    builder = builder.issuer_name(name).add_extension(x509.BasicConstraints(True, 0), critical=True)
    identity = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = builder.add_extension(usage, critical=True).add_extension(identity, critical=False)
    directory.mkdir()
    _write_key(directory / AUTHORITY_KEY, key)
    (directory / AUTHORITY).write_bytes(_pem(builder.sign(key, hashes.SHA256())))
    site_key = ec.generate_private_key(ec.SECP256R1())
    _write_key(directory / KEY, site_key)
    (directory / CERTIFICATE).write_text(issue(directory, names), "ascii")


def issue(directory: Path, names: Iterable[str], *, days: float = DAYS) -> str:
    """A certificate (PEM) of the directory's authority for these names and the site's key; it ends in so many days,
    which may be over already."""
    authority = x509.load_pem_x509_certificate((directory / AUTHORITY).read_bytes())
    key = _read_key(directory / AUTHORITY_KEY)
    names = tuple(names)
    holder = _read_key(directory / KEY).public_key()
    builder = _builder(_name(names[0]), holder, datetime.now(timezone.utc) + timedelta(days=days))
    builder = builder.issuer_name(authority.subject)
    builder = builder.add_extension(x509.BasicConstraints(False, None), critical=True)
    alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    builder = builder.add_extension(alternatives, critical=False).add_extension(issuer, critical=False)
    return _pem(builder.sign(key, hashes.SHA256())).decode("ascii")


def _builder(subject: x509.Name, key: ec.EllipticCurvePublicKey, until: datetime) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(until - timedelta(days=2 * DAYS))
        .not_valid_after(until)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _write_key(file: Path, key: ec.EllipticCurvePrivateKey) -> None:
    file.touch(0o600)
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def _read_key(file: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(file.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key
