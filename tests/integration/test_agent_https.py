"""Agents of our own over HTTPS: their certificates, the zone's, and those that are wrong.

The server has a database of its own: of several servers of one database a single one delivers, and all need the same
certificates.
"""

import pytest
import trustme

from sif_pipeline.agent import Line, ZoneRefuses, ZoneSilent
from sif_pipeline.agent.listener import Address
from sif_pipeline.testing import pulling, pushing, sample_objects, zone_server

STUDENTS = sample_objects("StudentPersonal")


def joined(agent, **more):
    assert {answer.words for answer in agent.join(**more)} == {"status 0"}
    return agent


@pytest.fixture(scope="module")
def papers(tmp_path_factory):
    """Write the PEM files of a state, an agent, and one whom nobody knows."""
    folder, ca = tmp_path_factory.mktemp("papers"), trustme.CA()
    ca.cert_pem.write_to_path(folder / "ca.pem")
    for name, by in (("server", ca), ("sis", ca), ("stranger", trustme.CA())):
        made = by.issue_cert("127.0.0.1", "localhost", common_name="localhost")
        made.private_key_pem.write_to_path(folder / f"{name}.key")
        made.cert_chain_pems[0].write_to_path(folder / f"{name}.crt")
    return folder


@pytest.fixture(scope="module")
def secure_server(module_database_url, papers):
    options = ["--certificate", papers / "server.crt", "--key", papers / "server.key", "--client-ca", papers / "ca.pem"]
    with zone_server(module_database_url, [str(option) for option in options], secure=True) as found:
        yield found


def line(zone, papers, name=None):
    return Line(
        zone.url,
        certificate=papers / f"{name}.crt" if name else None,
        key=papers / f"{name}.key" if name else None,
        authorities=papers / "ca.pem",
    )


def test_an_agent_shows_who_it_is_by_certificate(secure_server, papers):
    zone = secure_server.zone()
    zone.let_in(papers / "sis.crt", "SIS")
    zone.require(authentication=2, encryption=4)
    with pulling(line(zone, papers, "sis"), "SIS", holds={"StudentPersonal": []}) as agent:
        joined(agent)
        assert agent.event("Add", "StudentPersonal", STUDENTS[0]).code == 0
    with pulling(line(zone, papers, "sis"), "SOMEBODY-ELSE") as agent:
        assert agent.register().error[0] in (3, 4)
    with pulling(line(zone, papers), "SIS") as agent:
        assert agent.ping().error == (3, 3)
    with pulling(line(zone, papers, "stranger"), "SIS") as agent:
        assert agent.ping().error[0] == 3


def test_a_zone_whose_certificate_nobody_vouches_for_gets_no_message(secure_server, papers):
    zone = secure_server.zone()
    with pulling(Line(zone.url, patience=0.2), "SIS") as agent, pytest.raises(ZoneSilent):
        agent.register()


def test_a_push_agent_is_reached_by_https_and_sees_who_calls(secure_server, papers):
    zone = secure_server.zone()
    zone.allow("READER", "subscribe", "request")
    address = Address(
        certificate=papers / "server.crt", key=papers / "server.key", authorities=papers / "ca.pem", host="127.0.0.1"
    )
    with (
        pulling(line(zone, papers), "SIS", holds={"StudentPersonal": []}) as sis,
        pushing(line(zone, papers), "READER", address=address) as listening,
    ):
        joined(sis)
        joined(listening, subscribes=["StudentPersonal"])
        assert listening.push_url.startswith("https://")
        sis.event("Add", "StudentPersonal", STUDENTS[0])
        listening.wait_for(1)


def test_a_zone_that_is_none_is_refused_over_https_too(secure_server, papers):
    zone = secure_server.zone()
    with pulling(Line(zone.url + "x", authorities=papers / "ca.pem"), "SIS") as agent, pytest.raises(ZoneRefuses):
        agent.register()
