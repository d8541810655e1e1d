"""Every category and code the zone can answer with is provoked by a message, and the answer is valid SIF."""

import re
from pathlib import Path

import pytest
from lxml import etree
from sif_zone import (
    SOURCE,
    District,
    ack,
    answer,
    control,
    event,
    message,
    of_objects,
    protocol,
    provision,
    register,
    request,
    response,
)

from sif_pipeline.reference.errors import CATEGORIES, answered, errors_page

TESTS = Path(__file__).resolve().parent
A, B = "A" * 32, "B" * 32
TO = {"source": "LIBRARY"}
TWO = "<SIF_Contexts><SIF_Context>SIF_Default</SIF_Context><SIF_Context>Trial</SIF_Context></SIF_Contexts>"
TRIAL = "<SIF_Contexts><SIF_Context>Trial</SIF_Context></SIF_Contexts>"
ASKED = [request(msg_id=A, **TO)]
FETCH = control("<SIF_GetMessage/>", **TO)
NO_QUERY = message(
    "<SIF_Request>|<SIF_Version>2.*</SIF_Version><SIF_MaxBufferSize>65536</SIF_MaxBufferSize></SIF_Request>", **TO
)


def packet(number=1, msg_id=A, destination="LIBRARY", **of):
    return response(msg_id, number, destination=destination, **of)


def service(name):
    return provision(more=f"<SIF_{name}><SIF_Service ServiceName='X'/></SIF_{name}>")


PROVOKED = {
    (1, 2): [b"<SIF_Message"],
    (1, 3): [message("<SIF_Ack>|</SIF_Ack><SIF_Ack/>")],
    (1, 4): [event(msg_id="x")],
    (1, 6): [NO_QUERY],
    (4, 2): ["deny SIF_Register", register()],
    (4, 3): [provision("StudentPicture")],
    (4, 4): [of_objects("SIF_Subscribe", "LEAInfo")],
    (4, 5): [request()],
    (4, 6): ["deny SIF_RespondAccess", response(A, content='<SIF_ObjectData><LEAInfo RefId="1"/></SIF_ObjectData>')],
    (4, 9): [event(source="STRANGER")],
    (4, 10): ["deny SIF_PublishAddAccess", event(action="Add")],
    (4, 11): ["deny SIF_PublishChangeAccess", event(action="Change")],
    (4, 12): ["deny SIF_PublishDeleteAccess", event(action="Delete")],
    (4, 13): [service("SubscribeService")],
    (4, 14): [service("RequestService")],
    (4, 15): [service("ProvideService")],
    (5, 2): [register(source="SIF-PIPELINE")],
    (5, 3): [register("Push", said="")],
    (5, 4): [register(versions=["1.1"])],
    (5, 6): [register(size="100")],
    (5, 7): ["zone encryption_level = 1", register("Push")],
    (5, 9): [register("Push"), control("<SIF_GetMessage/>")],
    (5, 10): [register("Push", said=protocol(accept_encoding="br, *;q=0"))],
    (6, 3): [of_objects("SIF_Provide", "no object")],
    (6, 4): [provision("StudentPersonal", **TO)],
    (7, 3): [of_objects("SIF_Subscribe", "no object")],
    (8, 3): [request("no object")],
    (8, 4): [request("SchoolInfo", **TO)],
    (8, 7): [register(versions=["2.3"]), request(versions=["2.6"], **TO)],
    (8, 8): [request(size=100, **TO)],
    (8, 10): [packet(msg_id=B)],
    (8, 11): [request(msg_id=A, size=4096, **TO), packet(content=f"<SIF_ObjectData>{'<A/>' * 1100}</SIF_ObjectData>")],
    (8, 12): [*ASKED, packet(2)],
    (8, 13): [request(msg_id=A, versions=["2.6"], **TO), packet(version="2.3")],
    (8, 14): [*ASKED, packet(destination="KITCHEN")],
    (8, 16): [*ASKED, "request state = 'timed_out'", packet()],
    (8, 18): [*ASKED, "request state = 'cancelled'", packet()],
    (9, 3): [message("<SIF_Event>|<SIF_ObjectData/></SIF_Event>")],
    (10, 1): ["zone suspended_at = now()", event()],
    (12, 1): [b"<a>" * 65 + b"</a>" * 65],
    (12, 2): [control("<SIF_Dance/>")],
    (12, 3): [event(version="3.3")],
    (12, 4): [event(more=TRIAL)],
    (12, 5): [event("Amelia", msg_id=A), event("Noah", msg_id=A)],
    (12, 6): [ack(A)],
    (12, 7): [request(more=TWO)],
    (13, 2): [*ASKED, control("<SIF_GetMessage/>"), ack(A, 2)],
    (13, 3): [event(msg_id=A), FETCH, ack(A, 2, **TO), ack(A, 1, **TO)],
    (13, 4): [event(msg_id=A), FETCH, ack(A, 2, **TO), ack(B, 3, **TO)],
    (14, 3): [message("<SIF_ServiceInput>|</SIF_ServiceInput>")],
    (14, 8): [message("<SIF_ServiceOutput>|</SIF_ServiceOutput>")],
    (14, 17): [message("<SIF_ServiceNotify>|</SIF_ServiceNotify>")],
}
"""What is sent, after what an operator did, for the last answer to have this category and code."""

ELSEWHERE = {
    **dict.fromkeys(
        ((3, 1), (3, 3), (3, 4), (3, 5), (3, 6)),
        "test_server_tls.py::test_each_authentication_level_lets_in_whom_the_standard_says_and_tells_the_others_why",
    ),
    (3, 1): "test_server_tls.py::test_a_source_id_is_held_against_the_certificate_and_never_the_other_way_round",
    (8, 17): "test_routing.py::test_a_request_that_an_operator_takes_off_is_over_and_cannot_be_put_back",
    (10, 3): "test_routing.py::test_a_request_that_no_secure_way_leads_to_comes_back_as_an_error",
}
"""What takes certificates, time or an operator is provoked by these tests."""


@pytest.fixture
def district(module_database_url):
    """Give a zone with a district's agent that provides students, and a library that reads them."""
    found = District(module_database_url)
    for kind in ("SIF_SubscribeAccess", "SIF_RequestAccess"):
        found.rule("LIBRARY", kind)
    assert found.send(register(), register(**TO), provision("StudentPersonal")) == [0, 0, 0]
    assert found.send(provision(subscribe=["StudentPersonal"], request=["StudentPersonal"], **TO)) == 0
    return found


def do(district, step):
    """Do what an operator does in a scenario; time is an operator too."""
    what, _, how = step.partition(" ")
    if what == "deny":
        district.rule(SOURCE, how, allowed=False)
    else:
        district.run(f"UPDATE {'outbox' if what == 'request' else 'inbox'}.{what} SET {how}")


@pytest.mark.parametrize("pair", PROVOKED)
def test_every_error_is_provoked_by_a_message_and_its_answer_is_valid_sif(district, official, pair):
    *before, last = PROVOKED[pair]
    for step in before:
        if isinstance(step, str):
            do(district, step)
        else:
            assert district.send(step) == 0
    (root,) = district.acks(last)
    official.assertValid(root)
    assert answer(etree.tostring(root)) == pair
    assert not {"Amelia", "Noah", "Dance", "STRANGER"} & set(re.findall(r"\w+", root.findtext(".//{*}SIF_Desc")))


def test_every_error_in_the_code_is_provoked_here_or_where_it_is_said():
    pairs = {(error.category, error.code) for error in answered()}
    assert pairs == {*PROVOKED, *ELSEWHERE}
    for test in ELSEWHERE.values():
        file, _, name = test.partition("::")
        assert f"def {name}(" in (TESTS / file).read_text()


def test_every_error_names_the_way_out_and_has_its_place_on_the_page():
    page = errors_page()
    for error in answered():
        assert error.sentence in page
        assert error.category in CATEGORIES
        assert error.sentence.endswith("."), error
