"""HTTPS with real certificates of a CA made for the test: who is let in, who is refused with what, and renewal."""

import socket
import ssl
import time
import warnings
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psycopg
import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from sif_server import IMPATIENT, REGISTER, answer, event, message, running, wait_until

from sif_pipeline.exceptions import ConfigurationError, UnknownZone
from sif_pipeline.zone import identity, tls


@dataclass
class Papers:
    """A folder of PEM files: the state's CA, the server's pair, and agents' certificates of all kinds."""

    folder: Path
    ca: trustme.CA

    def pem(self, name):
        return self.folder / f"{name}.pem"

    def issue(self, name, *hosts, ca=None, **options):
        """Write NAME.pem (key and chain) and NAME.crt (the certificate alone)."""
        made = (ca or self.ca).issue_cert(*hosts, **options)
        made.private_key_and_cert_chain_pem.write_to_path(self.pem(name))
        made.cert_chain_pems[0].write_to_path(self.folder / f"{name}.crt")
        return made

    def serve(self, *hosts, ca=None):
        """Write the server's pair anew, both files exchanged in one step each as a careful renewal does."""
        made = (ca or self.ca).issue_cert(*hosts)
        for name, pem in (("server.key", made.private_key_pem), ("server.crt", made.cert_chain_pems[0])):
            pem.write_to_path(self.folder / "new")
            (self.folder / "new").replace(self.folder / name)
        return made

    def fingerprint(self, name):
        return x509.load_pem_x509_certificate((self.folder / f"{name}.crt").read_bytes()).fingerprint(SHA256()).hex()

    def change(self):
        """Give the line that makes the test's server listen for HTTPS."""
        files = [str(self.folder / name) for name in ("server.crt", "server.key", "ca.pem")]
        return (
            "from pathlib import Path\ntls.LOOK_SECONDS = 0.1\n"
            "server.ZONE_REMEMBERED = 0.1\n"
            f"way = server.Way(tls.ServerTls(tls.Files(*map(Path, {files}))))"
        )


@pytest.fixture(scope="module")
def papers(tmp_path_factory):
    made = Papers(tmp_path_factory.mktemp("papers"), trustme.CA())
    made.ca.cert_pem.write_to_path(made.pem("ca"))
    made.serve("127.0.0.1", "localhost")
    made.issue("sis", "sis.example", common_name="sis.example")
    made.issue("here", "127.0.0.1", common_name="localhost")
    made.issue("other", "other.example", common_name="other.example")
    made.issue("expired", "old.example", not_after=datetime.now(UTC) - timedelta(days=1))
    made.issue("early", "early.example", not_before=datetime.now(UTC) + timedelta(days=1))
    made.issue("stranger", "sis.example", ca=trustme.CA(), common_name="sis.example")
    return made


@pytest.fixture(scope="module")
def server(module_database_url, papers):
    with running(module_database_url, papers.change(), scheme="https") as found:
        yield found


@pytest.fixture
def zone(server):
    """Give the server with a zone of the test's own."""
    return server.zone()


def named(found):
    """Give the name of a zone of the test's own: the newest."""
    return found.rows("SELECT name FROM inbox.zone ORDER BY zone_id DESC LIMIT 1")[0][0]


def let_in(found, papers, name, source_id=None):
    with psycopg.connect(found.database_url) as connection:
        return identity.add(connection, named(found), papers.folder / f"{name}.crt", source_id)


def require(found, authentication=None, encryption=None):
    with psycopg.connect(found.database_url) as connection:
        return identity.require(connection, named(found), authentication=authentication, encryption=encryption)


def agent(papers, name=None, version=None):
    """Make an HTTP client that trusts the state's CA and shows a certificate, or none."""
    context = ssl.create_default_context(cafile=papers.pem("ca"))
    if name:
        context.load_cert_chain(papers.pem(name))
    if version:
        context.minimum_version = context.maximum_version = version
    return httpx.Client(verify=context, timeout=60)


def said(found, papers, name=None, body=None):
    with agent(papers, name) as client:
        return answer(client.post(found.url, content=body or message(REGISTER)))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_messages_of_any_size_come_in_by_https(zone, papers, version):
    with agent(papers, "stranger", version) as client:
        assert answer(client.post(zone.url, content=message(REGISTER))) == 0
        for size in (0, 16_000, 17_000, 900_000):
            body = event(pad="x" * size)
            assert answer(client.post(zone.url, content=body)) == 0
            assert answer(client.post(zone.url, content=body)) == 7


def test_what_is_older_than_tls_1_2_and_what_is_not_tls_is_cut(server):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with connected(server) as link, pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
        context.wrap_socket(link)
    with connected(server) as link:
        link.sendall(b"POST / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"HTTP" not in link.recv(1000)
    wait_until(
        lambda: (
            {"unsupported protocol", "http request"}
            <= {line["reason"] for line in server.log() if line["event"] == "tls_refused"}
        )
    )


def connected(server):
    return closing(socket.create_connection(("127.0.0.1", server.port), timeout=60))


LEVELS = {
    (0, None): 0, (0, "sis"): 0, (0, "stranger"): 0, (0, "expired"): 0, (0, "early"): 0,
    (1, None): (3, 3), (1, "sis"): 0, (1, "stranger"): 0, (1, "expired"): (3, 6), (1, "early"): (3, 4),
    (1, "other"): (3, 5),
    (2, None): (3, 3), (2, "sis"): 0, (2, "stranger"): (3, 5), (2, "expired"): (3, 6), (2, "early"): (3, 4),
    (2, "other"): (3, 5),
    (3, None): (3, 3), (3, "sis"): (3, 4), (3, "here"): 0, (3, "stranger"): (3, 5),
}  # fmt: skip


def test_each_authentication_level_lets_in_whom_the_standard_says_and_tells_the_others_why(zone, papers):
    for name in ("sis", "here", "stranger", "expired", "early"):
        let_in(zone, papers, name)
    found = {}
    for level in range(4):
        require(zone, authentication=level)
        time.sleep(0.15)
        for case in LEVELS:
            if case[0] == level:
                found[case] = said(zone, papers, case[1])
    assert {case: is_ for case, is_ in found.items() if LEVELS[case] not in (is_, 7)} == {}


def test_a_refused_certificate_leaves_an_audit_entry_and_no_message(zone, papers):
    require(zone, authentication=2)
    assert said(zone, papers, "sis") == (3, 5)
    zone_id, name = zone.rows("SELECT zone_id, name FROM inbox.zone ORDER BY zone_id DESC LIMIT 1")[0]
    assert zone.rows(f"SELECT event FROM inbox.audit WHERE zone_id = {zone_id} ORDER BY audit_id") == [
        ("zone_security",),
        ("message_refused",),
    ]
    assert zone.rows(f"SELECT FROM inbox.message WHERE zone_id = {zone_id}") == []
    wait_until(lambda: [line["answer"] for line in zone.log() if line.get("zone") == name] == ["3/5"])


def test_a_source_id_is_held_against_the_certificate_and_never_the_other_way_round(zone, papers):
    let_in(zone, papers, "sis", "SIS")
    let_in(zone, papers, "other", "Transport")
    require(zone, authentication=2)
    assert said(zone, papers, "sis") == 0
    assert said(zone, papers, "sis", message(REGISTER, source="Transport")) == (3, 1)
    assert said(zone, papers, "other", message(REGISTER, source="SIS")) == (3, 1)
    assert said(zone, papers, "other", message(REGISTER, source="sis")) == (3, 1)
    assert said(zone, papers, "other", event(source="SIS")) == (3, 1)
    assert said(zone, papers, "other", message(REGISTER, source="Transport")) == 0


def test_a_certificate_of_one_zone_opens_no_other(zone, papers):
    let_in(zone, papers, "sis")
    second = zone.zone()
    require(second, authentication=1)
    assert said(second, papers, "sis") == (3, 5)
    assert said(zone, papers, "sis") == 0


def test_a_revoked_certificate_is_refused_within_seconds_on_an_open_connection_too(zone, papers):
    fingerprint = let_in(zone, papers, "sis")
    assert fingerprint == papers.fingerprint("sis")
    require(zone, authentication=1)
    with agent(papers, "sis") as client, psycopg.connect(zone.database_url) as connection:
        assert answer(client.post(zone.url, content=message(REGISTER))) == 0
        assert identity.revoke(connection, named(zone), fingerprint[:12].upper()) == fingerprint
        connection.commit()
        wait_until(lambda: answer(client.post(zone.url, content=event())) == (3, 5))
        with pytest.raises(ConfigurationError, match="No certificates"):
            identity.revoke(connection, named(zone), fingerprint)
    let_in(zone, papers, "sis")
    time.sleep(0.15)
    assert said(zone, papers, "sis", event()) == 0


def test_certificates_are_listed_with_whom_they_are_for_and_how_they_stand(zone, papers):
    let_in(zone, papers, "sis", "SIS")
    let_in(zone, papers, "expired")
    with psycopg.connect(zone.database_url) as connection:
        report = identity.certificates(connection, named(zone))
    rows = [dict(zip(report.columns, line, strict=True)) for line in report.lines]
    assert [(row["fingerprint"], row["agent"], row["state"]) for row in rows] == [
        (papers.fingerprint("sis"), "SIS", "taken"),
        (papers.fingerprint("expired"), None, "expired"),
    ]


def test_what_is_no_certificate_and_what_is_no_zone_is_said(zone, papers, tmp_path):
    broken = tmp_path / "broken.pem"
    for content in (b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b"\x30\x03abc"):
        broken.write_bytes(content)
        with (
            psycopg.connect(zone.database_url) as connection,
            pytest.raises(ConfigurationError, match="no certificate"),
        ):
            identity.add(connection, named(zone), broken, None)
    with psycopg.connect(zone.database_url) as connection:
        for act in (
            lambda: identity.add(connection, "nowhere", papers.folder / "sis.crt", None),
            lambda: identity.require(connection, "nowhere", authentication=1, encryption=None),
        ):
            with pytest.raises(UnknownZone):
                act()


def test_a_zone_that_asks_for_encryption_refuses_plain_http(module_database_url, papers):
    with running(module_database_url) as plain:
        own = plain.zone()
        assert answer(own.post(message(REGISTER))) == 0
        assert require(own, encryption=4) == (0, 4)
        assert answer(plain.zone().post(message(REGISTER))) == 0
        own = plain.zone()
        require(own, authentication=1)
        assert answer(own.post(message(REGISTER))) == (5, 7)


def test_behind_a_proxy_that_does_tls_encryption_is_given_and_certificates_are_not(module_database_url):
    with running(module_database_url, "way = server.Way(behind_tls=True)") as found:
        own = found.zone()
        require(own, encryption=4)
        assert answer(own.post(message(REGISTER))) == 0
        own = found.zone()
        require(own, authentication=1)
        forged = {"x-forwarded-proto": "https", "x-ssl-client-verify": "SUCCESS", "x-forwarded-client-cert": "By=x"}
        assert answer(own.post(message(REGISTER), headers=forged)) == (3, 3)


def test_slow_handshakes_are_cut(module_database_url, papers):
    change = f"{papers.change()}\ntls.HANDSHAKE_SECONDS = 1"
    with running(module_database_url, change, scheme="https") as impatient:
        start = time.monotonic()
        with connected(impatient) as silent, connected(impatient) as half:
            half.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
            for link in (silent, half):
                assert link.recv(100) == b""
        assert time.monotonic() - start > 0.8


def test_slow_senders_are_cut(module_database_url, papers):
    context = ssl.create_default_context(cafile=papers.pem("ca"))
    change = f"{papers.change()}\n{IMPATIENT}"
    with running(module_database_url, change, scheme="https") as impatient:
        start = time.monotonic()
        with connected(impatient) as link, context.wrap_socket(link, server_hostname="localhost") as secure:
            with suppress(OSError):  # a busy machine may have been cut by now
                secure.sendall(b"POST / HTTP/1.1\r\n")
            assert secure.recv(100).startswith(b"HTTP/1.1 408")
            assert secure.recv(100) == b""
        assert time.monotonic() - start > 0.5


def test_a_renewed_certificate_is_taken_up_and_a_broken_one_is_not(module_database_url, papers, tmp_path):
    own = replace(papers, folder=tmp_path)
    own.ca.cert_pem.write_to_path(own.pem("ca"))
    own.serve("127.0.0.1")

    def shown():
        with connected(found) as link, context.wrap_socket(link, server_hostname="127.0.0.1") as secure:
            return secure.getpeercert()["serialNumber"]

    with running(module_database_url, own.change(), scheme="https") as found:
        context = ssl.create_default_context(cafile=own.pem("ca"))
        first = shown()
        with httpx.Client(verify=context, timeout=60) as old:
            assert old.get(found.base + "/health").status_code == 200
            own.serve("127.0.0.1")
            wait_until(lambda: shown() != first)
            assert old.get(found.base + "/health").status_code == 200
        second = shown()

        def kept():
            return [line["event"] for line in found.log()].count("certificate_kept")

        before = kept()  # it may have looked when one of the two files was renewed already
        (tmp_path / "server.crt").write_text("nothing")
        wait_until(lambda: kept() > before)
        assert shown() == second
        own.serve("127.0.0.1")
        wait_until(lambda: shown() not in (first, second))
    assert [line["event"] for line in found.log()].count("certificate_renewed") >= 2


def test_a_ca_that_is_added_is_trusted_without_a_restart(module_database_url, papers, tmp_path):
    own, another = replace(papers, folder=tmp_path), trustme.CA()
    own.ca.cert_pem.write_to_path(own.pem("ca"))
    own.serve("127.0.0.1")
    own.issue("new", "sis.example", ca=another, common_name="sis.example")
    with running(module_database_url, own.change(), scheme="https") as found:
        zone = found.zone()
        let_in(zone, own, "new")
        require(zone, authentication=2)
        wait_until(lambda: said(zone, own, "new") == (3, 5))
        (tmp_path / "two.pem").write_bytes(own.ca.cert_pem.bytes() + another.cert_pem.bytes())
        (tmp_path / "two.pem").replace(own.pem("ca"))
        wait_until(lambda: said(zone, own, "new") in {0, 7})


def odd_certificate(ca, folder, name, extensions):
    """Write NAME.pem with a certificate that a careless or hostile CA could make."""
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.load_pem_x509_certificate(ca.cert_pem.bytes())
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "\u0160kola \u202e x" * 4)]))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    signing = load_pem_private_key(ca.private_key_pem.bytes(), None)
    made = builder.sign(signing, SHA256())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / f"{name}.pem").write_bytes(private + made.public_bytes(Encoding.PEM))
    (folder / f"{name}.crt").write_bytes(made.public_bytes(Encoding.PEM))


ODD = {
    "no-extensions": [],
    "names-of-no-kind": [x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.17"), b"\x30\x04\x82\x02\xc3\xa9")],
    "server-only": [x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])],
    "many-names": [x509.SubjectAlternativeName([x509.DNSName(f"host{i}.invalid") for i in range(1000)])],
}


@pytest.mark.parametrize("name", ODD)
def test_a_certificate_may_be_odd_as_long_as_it_is_one_of_the_zones(zone, papers, name):
    odd_certificate(papers.ca, papers.folder, name, ODD[name])
    require(zone, authentication=1)
    assert said(zone, papers, name) == (3, 5)
    let_in(zone, papers, name)
    wait_until(lambda: said(zone, papers, name) in (0, 7))
    require(zone, authentication=3)
    wait_until(lambda: said(zone, papers, name) == (3, 4))


def test_server_files_that_cannot_be_used_are_told_by_name(papers, tmp_path):
    whole = tls.Files(papers.folder / "server.crt", papers.folder / "server.key", papers.pem("ca"))
    missing, empty = tmp_path / "missing.pem", tmp_path / "empty.pem"
    empty.write_bytes(b"")
    other = papers.pem("sis")
    for files, words in (
        (replace(whole, certificate=missing), "missing.pem cannot be read"),
        (replace(whole, certificate=empty), "empty.pem holds no certificate"),
        (replace(whole, key=missing), "missing.pem cannot be read"),
        (replace(whole, key=papers.pem("ca")), "ca.pem holds no private key"),
        (replace(whole, key=other), "does not belong to the certificate"),
        (replace(whole, client_ca=empty), "empty.pem holds no certificate of a CA"),
    ):
        with pytest.raises(ConfigurationError, match=words):
            tls.ServerTls(files)


def test_agents_are_called_with_the_level_of_trust_that_is_asked_for(server, papers):
    files = tls.Files(papers.folder / "server.crt", papers.folder / "server.key", papers.pem("ca"))
    ours, nobodys = tls.ServerTls(files), None
    for level, own, host, good in (
        (0, nobodys, "localhost", True), (1, nobodys, "localhost", True), (2, nobodys, "localhost", False),
        (2, ours, "localhost", True), (2, ours, "elsewhere.example", True), (3, ours, "localhost", True),
        (3, ours, "elsewhere.example", False),
    ):  # fmt: skip
        context = tls.ssl_context_for(level, own)
        with connected(server) as link:
            try:
                context.wrap_socket(link, server_hostname=host).close()
                assert good, (level, host)
            except ssl.SSLCertVerificationError:
                assert not good, (level, host)


def test_gzip_answers_for_those_who_take_them_and_only_where_they_are_worth_it(server, zone, papers):
    ask = "<SIF_SystemControl>|<SIF_SystemControlData><SIF_GetAgentACL/></SIF_SystemControlData></SIF_SystemControl>"
    for accepted, packed in {
        "gzip;q=1.0, identity;q=0.5, *;q=0": True, "deflate, gzip": True, "gzip": True, "x-gzip": True,
        "GZIP ; q=0.1": True, "identity": False, "": False, "*": False, "gzip;q=0": False, "gzip;q=0.000": False,
        "notgzip": False, "gzip;q=0, identity": False,
    }.items():  # fmt: skip
        with agent(papers) as client:
            headers = {"accept-encoding": accepted}
            register = client.post(zone.url, content=message(REGISTER), headers=headers)
            acl = client.post(zone.url, content=message(ask), headers=headers)
            assert (answer(register), answer(acl)) == (0, 0)
            assert (accepted, acl.headers.get("content-encoding") == "gzip") == (accepted, packed)
            assert "SIF_AgentACL" in acl.text
            refused = client.post(zone.url, content=message("<SIF_Event>|</SIF_Event>"), headers=headers)
            assert refused.headers.get("content-encoding") is None


SECURED = (
    "<SIF_Security><SIF_SecureChannel><SIF_AuthenticationLevel>{}</SIF_AuthenticationLevel>"
    "<SIF_EncryptionLevel>4</SIF_EncryptionLevel></SIF_SecureChannel></SIF_Security>"
)


def control(command, **of):
    data = f"<SIF_SystemControlData><{command}/></SIF_SystemControlData>"
    return message(f"<SIF_SystemControl>|{data}</SIF_SystemControl>", **of)


def test_the_zone_status_tells_by_which_protocol_the_agent_is_connected(zone, papers):
    with agent(papers) as client:
        assert answer(client.post(zone.url, content=message(REGISTER))) == 0
        status = client.post(zone.url, content=control("SIF_GetZoneStatus")).text
    assert '<SIF_Protocol Type="HTTPS" Secure="Yes"><SIF_Property><SIF_Name>Accept-Encoding' in status


@pytest.mark.parametrize(
    ("level", "name", "fetched"), [(0, None, True), (2, "sis", True), (2, "stranger", False), (1, None, False)]
)
def test_what_asks_for_a_secured_channel_is_fetched_by_one_that_is_so_good(zone, papers, level, name, fetched):
    zone.allow("LIBRARY", "SIF_SubscribeAccess")
    subscribe = message('<SIF_Subscribe>|<SIF_Object ObjectName="LEAInfo"/></SIF_Subscribe>', source="LIBRARY")
    body = event().replace(b"<SIF_SourceId>", SECURED.format(level).encode() + b"<SIF_SourceId>")
    with agent(papers, name) as client:
        for sent in (message(REGISTER), message(REGISTER, source="LIBRARY"), subscribe, body):
            assert answer(client.post(zone.url, content=sent)) == 0
        got = client.post(zone.url, content=control("SIF_GetMessage", source="LIBRARY")).text
    assert ("LEAInfo RefId" in got, "<SIF_LogEntry " in got) == (fetched, not fetched)
