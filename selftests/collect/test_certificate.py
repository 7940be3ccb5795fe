"""Certificates as the controller meets them: real ones, over real connections, read into facts."""

import base64
import contextlib
import datetime
import socket
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from bkpaas.collect.certificate import fetch_certificate, try_connection, verify_option
from bkpaas.facts.certificates import Certificate, certificates
from lab import certificates as authority
from selftests.collect.servers import Server, answering, closing, refusing, serving, silent

DOMAIN = "paas.bk.test"


@pytest.fixture
def site(tmp_path):
    authority.create_authority(tmp_path / "tls", [DOMAIN, "job.bk.test"])
    return tmp_path / "tls"


def ask(site, certificate=None, ca="ca.crt", name=DOMAIN):
    """The fact of what a server with this certificate (PEM; None: the site's own) presents."""
    file = site / "presented.crt"
    file.write_text(certificate or (site / authority.CERTIFICATE).read_text())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, site / authority.KEY)

    def behave(connection: socket.socket, server: Server) -> None:
        with contextlib.suppress(ssl.SSLError, OSError):
            context.wrap_socket(connection, server_side=True).recv(1)

    with serving(behave) as server:
        answer = fetch_certificate("127.0.0.1", server.port, name, str(site / ca), 5)
    [fact] = certificates([answer]).items
    return fact


def test_a_good_certificate_verifies_and_is_read(site):
    found = ask(site)
    assert (found.problem, found.error_kind, found.names) == (None, None, (DOMAIN, "job.bk.test"))
    assert found.issuer == "CN=Lab site CA" and found.covers(DOMAIN) and not found.covers("bk.test")
    assert abs(found.ends - datetime.datetime.now().timestamp() - authority.DAYS * 86400) < 3600
    assert found.begins < datetime.datetime.now().timestamp()


def test_a_wildcard_is_for_one_label(site):
    found = ask(site, authority.issue(site, ["*.bk.test"]))
    assert found.problem is None and found.covers(DOMAIN)
    assert not found.covers("a.paas.bk.test") and not found.covers("bk.test")


@pytest.mark.parametrize(
    ("names", "days", "problem"),
    [([DOMAIN], -1, "expired"), (["www.bk.test"], 5, "mismatch"), (["*.other.test"], 5, "mismatch")],
)
def test_a_refused_certificate_is_read_all_the_same(site, names, days, problem):
    found = ask(site, authority.issue(site, names, days=days))
    assert problem in found.problem and found.names == tuple(names) and found.received


def test_an_unknown_authority_is_named(site, tmp_path):
    authority.create_authority(tmp_path / "other", [DOMAIN])
    found = ask(site, ca="../other/ca.crt")
    assert "unable to get local issuer" in found.problem or "self-signed" in found.problem
    assert found.issuer == "CN=Lab site CA"


def test_a_certificate_without_other_names_has_its_common_name():
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, DOMAIN)])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(7).not_valid_before(now).not_valid_after(now)
    der = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)
    [found] = certificates([{"address": "a:1", "der": base64.b64encode(der).decode()}]).items
    assert found.names == (DOMAIN,)


@pytest.mark.parametrize("der", ["", "bm90aGluZw==", "!", None, 5, "x" * 200_000])
def test_what_is_no_certificate_has_no_dates(der):
    [found] = certificates([{"address": "a:1", "der": der}]).items
    assert (found.names, found.begins, found.ends, found.error_kind) == ((), None, None, None)


def test_rubbish_harms_nothing():
    assert certificates(None).items == certificates(["x", 1]).items == ()
    assert certificates([{"error": 5}]).items == (Certificate("", error_kind="other"),)


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [(answering(b"HTTP/1.1 400 Bad\r\n\r\n"), "tls"), (silent, "timeout"), (closing, "tls")],
)
def test_no_handshake_is_an_error_with_its_kind(site, behaviour, kind):
    with serving(behaviour) as server:
        answer = fetch_certificate("127.0.0.1", server.port, DOMAIN, str(site / "ca.crt"), 0.3)
    assert answer["error"]["kind"] in (kind, "reset") and not answer["der"]


def test_no_listener():
    with refusing() as url:
        port = int(url.rstrip("/").rpartition(":")[2])
        assert fetch_certificate("127.0.0.1", port, DOMAIN, None, 2)["error"]["kind"] == "refused"
        assert try_connection("127.0.0.1", port, 2)["error"]["kind"] == "refused"
    with serving(silent) as server:
        assert try_connection("127.0.0.1", server.port, 2)["error"] is None


def test_the_systems_store_is_trusted_without_a_file(monkeypatch, tmp_path):
    assert verify_option("site.pem") == "site.pem"
    store = tmp_path / "store.pem"
    store.write_text("")
    monkeypatch.setenv("SSL_CERT_FILE", str(store))
    assert verify_option(None) == str(store)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert verify_option(None) == str(tmp_path)
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "none"))
    assert verify_option(None) is True
