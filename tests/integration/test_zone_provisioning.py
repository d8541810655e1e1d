"""Agents come, declare what they do, and go, as the standard has it; what is refused leaves nothing."""

import psycopg
import pytest
from lxml import etree
from sif_zone import (
    SOURCE,
    STUDENT,
    District,
    control,
    event,
    message,
    new_id,
    of_objects,
    protocol,
    provision,
    register,
    request,
    response,
)

from sif_pipeline.exceptions import UnknownZone
from sif_pipeline.sif.naming import of_the_standard
from sif_pipeline.zone import access
from sif_pipeline.zone.provisioning import LONGEST_URL
from warehouse.base import objects

LEAVE = "<SIF_Unregister>|</SIF_Unregister>"


@pytest.fixture
def district(module_database_url):
    return District(module_database_url)


@pytest.fixture
def registered(district):
    assert district.send(register()) == 0
    return district


def test_a_registration_is_written_down(district):
    said = (
        protocol("https://sis.example.org/sif", "HTTPS", "Yes", "gzip;q=1.0, deflate;q=0.7, identity;q=0.5, *;q=0")
        + "<SIF_NodeVendor>Vendor</SIF_NodeVendor><SIF_NodeVersion>1.0</SIF_NodeVersion><SIF_Application>"
        "<SIF_Vendor>V</SIF_Vendor><SIF_Product>SIS</SIF_Product><SIF_Version>9</SIF_Version></SIF_Application>"
    )
    body = register("Push", ("2.6", "2.*", "1.1"), said=said).replace(
        b"<SIF_Mode>Push</SIF_Mode>", b"<SIF_Mode>Push</SIF_Mode><EventBundleSupport>Yes</EventBundleSupport>"
    )
    assert district.send(body) == 0
    assert district.rows(
        "SELECT source_id, name, sif_version, versions, mode, max_buffer_size, push_url, secure, accepts_gzip,"
        " takes_bundles, vendor, application, is_asleep, unregistered_at FROM inbox.agent"
    ) == [
        (
            SOURCE, "SIS", "2.6", ["2.6", "2.*", "1.1"], "Push", 65536, "https://sis.example.org/sif", True, True,
            True, "Vendor 1.0", "SIS 9", False, None,
        )
    ]  # fmt: skip


def test_registering_again_renews_what_the_agent_said_and_keeps_what_it_declared(district):
    assert district.send(register("Push"), provision("LEAInfo"), register("Pull", version="2.3")) == [0, 0, 0]
    agents = "SELECT sif_version, mode, push_url, secure, unregistered_at FROM inbox.agent"
    assert district.rows(agents) == [("2.3", "Pull", None, None, None)]
    assert district.rows("SELECT object_name FROM inbox.provision") == [("LEAInfo",)]
    assert set(district.rows("SELECT state, loaded_at IS NOT NULL FROM inbox.message")) == {("done", True)}


def test_a_registration_is_answered_with_the_access_list(district):
    root = district.acks(register())[0]
    access_lists = {
        part.tag.rpartition("}")[2]: [o.get("ObjectName") for o in part] for part in root.find(".//{*}SIF_AgentACL")
    }
    every = list(objects())
    assert access_lists == {
        "SIF_ProvideAccess": [*every, "SIF_LogEntry"], "SIF_SubscribeAccess": ["SIF_LogEntry"],
        "SIF_PublishAddAccess": [*every, "SIF_LogEntry"], "SIF_PublishChangeAccess": every,
        "SIF_PublishDeleteAccess": every, "SIF_RequestAccess": ["SIF_ZoneStatus", "SIF_AgentACL"],
        "SIF_RespondAccess": every,
    }  # fmt: skip


def test_a_registration_that_came_again_is_answered_with_the_access_list_too(district):
    body = register()
    first, again = district.acks(body, body)
    assert [root.findtext(".//{*}SIF_Code") for root in (first, again)] == ["0", "7"]
    assert etree.tostring(again.find(".//{*}SIF_AgentACL")) == etree.tostring(first.find(".//{*}SIF_AgentACL"))


def test_a_registration_that_changes_the_way_to_the_agent_is_audited(district):
    push = [register("Push", said=protocol(f"http://{host}/secret")) for host in ("old.example", "new.example")]
    assert district.send(register(), push[0], push[0], push[1], register(), register()) == [0, 0, 7, 0, 0, 0]
    assert district.rows("SELECT source_id, detail FROM inbox.audit WHERE event = 'agent_redirected'") == [
        (SOURCE, "Pull to Push by http to old.example"),
        (SOURCE, "Push by http to old.example to Push by http to new.example"),
        (SOURCE, "Push by http to new.example to Pull"),
    ]


def test_a_registration_that_changes_only_the_path_is_audited_without_it(district):
    push = [register("Push", said=protocol(f"http://sis.example/{path}")) for path in ("secret", "other")]
    assert district.send(*push) == [0, 0]
    assert district.rows("SELECT detail FROM inbox.audit WHERE event = 'agent_redirected'") == [
        ("Push by http to sis.example to Push by http to sis.example",)
    ]


def test_odd_values_in_a_registration_are_cut_to_what_the_standard_allows(district):
    name = "\u202eX\U0001f600 'DROP TABLE" * 9
    odd = register(size="9" * 10, versions=("2.6", "two", "x" * 99)).replace(b">SIS<", f">{name}<".encode())
    assert district.send(odd) == 0
    assert district.rows("SELECT length(name), max_buffer_size, versions FROM inbox.agent") == [
        (64, 2**32 - 1, ["2.6"])
    ]


REFUSED = {
    "no version": (register(versions=()), (1, 6)),
    "no version in common": (register(versions=("1.1", "1.5r1", "3.0")), (5, 4)),
    "no buffer": (register(size=""), (1, 4)),
    "small buffer": (register(size="2047"), (5, 6)),
    "no mode": (register("Both"), (1, 4)),
    "push without a protocol": (register("Push", said=""), (5, 3)),
    "push without an address": (register("Push", said=protocol("")), (5, 3)),
    "push by another protocol": (register("Push", said=protocol("ftp://x/", "FTP")), (5, 3)),
    "push to no address at all": (register("Push", said=protocol("http://[/")), (5, 3)),
    "push to an odd port": (register("Push", said=protocol("http://x:port/")), (5, 3)),
    "push to nowhere": (register("Push", said=protocol("http:///x")), (5, 3)),
    "push to a long address": (register("Push", said=protocol("http://x/" + "x" * 256)), (5, 3)),
    "push with another encoding only": (register("Push", said=protocol(accept_encoding="deflate, *;q=0")), (5, 10)),
    "the zone's own name": (register(source="SIF-PIPELINE"), (5, 2)),
    "no usable name": (register(source="../x"), (5, 2)),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_agent_the_zone_cannot_work_with_is_refused_and_may_mend_it(district, case):
    body, expected = REFUSED[case]
    assert district.send(body) == expected
    assert district.rows("SELECT FROM inbox.agent") == []
    assert district.rows("SELECT FROM inbox.message") == []
    assert district.send(register()) == 0


def test_an_address_that_is_too_long_is_told_the_length(district):
    longest = "http://x/" + "x" * (LONGEST_URL - 9)
    (ack,) = district.acks(register("Push", said=protocol(longest + "x")))
    assert ack.findtext(".//{*}SIF_Desc") == "SIF_URL is longer than 256 characters; register a shorter address."
    assert district.send(register("Push", said=protocol(longest))) == 0


@pytest.mark.parametrize(
    ("encodings", "gzip"),
    [
        ("gzip", True),
        ("x-gzip;q=0.5", True),
        ("deflate", False),
        ("identity", False),
        ("*", False),
        ("gzip;q=0", False),
    ],
)
def test_push_agents_get_gzip_only_when_they_name_it(district, encodings, gzip):
    assert district.send(register("Push", said=protocol(accept_encoding=encodings))) == 0
    assert district.rows("SELECT accepts_gzip FROM inbox.agent") == [(gzip,)]


def test_a_zone_that_asks_for_security_pushes_by_https_only(district):
    district.run("UPDATE inbox.zone SET encryption_level = 1")
    assert district.send(register("Push"), register("Push", said=protocol("https://x/", "HTTPS", "Yes"))) == [(5, 7), 0]
    assert district.send(register("Pull")) == 0


def test_an_agent_may_be_kept_from_registering(district):
    district.rule(SOURCE, access.REGISTER, allowed=False)
    assert district.send(register(), register(source="OTHER")) == [(4, 2), 0]
    district.rule("*", access.REGISTER, allowed=False)
    district.rule(SOURCE, access.REGISTER)
    assert district.send(register(), register(source="THIRD")) == [0, (4, 2)]


def declared(district):
    return district.rows("SELECT source_id, kind, object_name FROM inbox.provision ORDER BY 1, 2, 3")


def test_a_provision_replaces_everything_before_it(registered):
    assert registered.send(
        provision("LEAInfo", "SchoolInfo", publish=["LEAInfo"], respond=["LEAInfo"]), provision("StudentPersonal")
    ) == [0, 0]
    assert declared(registered) == [(SOURCE, "SIF_ProvideObjects", "StudentPersonal")]
    assert registered.send(provision()) == 0
    assert declared(registered) == []


PROVISIONS = {
    "to provide what is not collected": (provision("LEAInfo", "StudentPicture"), (4, 3)),
    "to subscribe": (provision("LEAInfo", subscribe=["LEAInfo"]), (4, 4)),
    "to request": (provision("LEAInfo", request=["LEAInfo"]), (4, 5)),
    "to respond with what is not collected": (provision("LEAInfo", respond=["StudentPicture"]), (4, 6)),
    "to publish what is not collected": (provision("LEAInfo", publish=["StudentPicture"]), (4, 10)),
    "to provide a service": (
        provision("LEAInfo", more='<SIF_ProvideService><SIF_Service ServiceName="X"/></SIF_ProvideService>'),
        (4, 15),
    ),
    "to use a service": (
        provision("LEAInfo", more='<SIF_RequestService><SIF_Service ServiceName="X"/></SIF_RequestService>'),
        (4, 14),
    ),
    "to hear of a service": (
        provision("LEAInfo", more='<SIF_SubscribeService><SIF_Service ServiceName="X"/></SIF_SubscribeService>'),
        (4, 13),
    ),
}


@pytest.mark.parametrize("case", PROVISIONS)
def test_a_provision_without_a_right_fails_whole(registered, case):
    body, expected = PROVISIONS[case]
    assert registered.send(provision("SchoolInfo"), body) == [0, expected]
    assert declared(registered) == [(SOURCE, "SIF_ProvideObjects", "SchoolInfo")]


SAID = {
    "every object of the list that the standard has": (
        provision("LEAInfo", "StudentPicture", "W4"),
        "may not provide StudentPicture, W4;",
    ),
    "others by their place": (
        provision("LEAInfo", "StudentPersonnal", "W4", "AmeliaJones"),
        "may not provide W4, 2 objects that SIF US does not have (at place 2, 4 of its list);",
    ),
    "of the first right that is missing": (
        provision("LEAInfo", subscribe=["SchoolInfo", "LEAInfo"], request=["TermInfo"]),
        "may not subscribe to SchoolInfo, LEAInfo;",
    ),
    "object by object": (of_objects("SIF_Subscribe", "TermInfo"), "may not subscribe to TermInfo;"),
    "in a request": (request("SchoolInfo"), "may not request SchoolInfo;"),
    "in a request for nothing of SIF": (request("AmeliaJones"), "may not request 1 object that SIF US does not have;"),
    "without a name": (of_objects("SIF_Provide", "LEAInfo", "x y"), "SIF_Object 2 of its list has no usable"),
    "in another context": (
        of_objects("SIF_Provide", "LEAInfo", "TermInfo").replace(
            b'"TermInfo"/>', b'"TermInfo"><SIF_Contexts><SIF_Context>X</SIF_Context></SIF_Contexts></SIF_Object>'
        ),
        "SIF_Default only; name no other for TermInfo.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SAID)
def test_what_is_refused_is_named_by_the_words_of_the_standard(registered, case):
    body, words = SAID[case]
    said = registered.acks(body)[0].findtext(".//{*}SIF_Desc")
    assert words in said
    assert not {"AmeliaJones", "StudentPersonnal", "x y"} & set(said.replace(";", " ").split())


def test_a_refusal_of_very_many_objects_stays_a_sentence(registered):
    names = sorted(of_the_standard() - set(objects()))
    said = registered.acks(provision(*names, *(f"Own{n}" for n in range(500))))[0].findtext(".//{*}SIF_Desc")
    assert ", ".join(names[:10]) in said
    assert f"{len(names) - 11} more, 500 objects that SIF US does not have (at place" in said  # SIF_LogEntry it may
    assert said.endswith("lists what it may.")
    assert len(said) < 1024


def test_of_an_event_or_response_what_may_not_be_sent_is_named(registered):
    for kind in ("SIF_PublishAddAccess", "SIF_RespondAccess"):
        registered.rule(SOURCE, kind, "StudentPersonal", allowed=False)
    answers = response("A" * 32, content=f'<SIF_ObjectData><{STUDENT}/><LEAInfo RefId="1"/></SIF_ObjectData>')
    said = [root.findtext(".//{*}SIF_Desc") for root in registered.acks(event(), answers)]
    assert "may not publish Add of StudentPersonal;" in said[0]
    assert "may not respond with StudentPersonal;" in said[1]


def test_who_provides_already_is_not_named_but_what(registered):
    assert registered.send(register(source="OTHER"), provision("LEAInfo", "TermInfo")) == [0, 0]
    body = provision("SchoolInfo", "TermInfo", "LEAInfo", source="OTHER")
    said = registered.acks(body)[0].findtext(".//{*}SIF_Desc")
    assert said == "Another agent of the zone provides LEAInfo, TermInfo; of an object only one can."


def test_a_request_that_nobody_answers_names_its_object(registered):
    registered.rule(SOURCE, "SIF_RequestAccess")
    said = [root.findtext(".//{*}SIF_Desc") for root in registered.acks(request("TermInfo"), request("StudentPicture"))]
    assert said[0].startswith("No agent of the zone provides TermInfo;")
    assert said[1].startswith("This zone knows nothing of what is asked for, StudentPicture;")


def test_a_provision_that_failed_may_be_sent_again_as_it_is(registered):
    body = provision("LEAInfo", subscribe=["LEAInfo"])
    assert registered.send(body) == (4, 4)
    registered.rule(SOURCE, "SIF_SubscribeAccess", "LEAInfo")
    assert registered.send(body, body) == [0, 7]
    assert declared(registered) == [
        (SOURCE, "SIF_ProvideObjects", "LEAInfo"), (SOURCE, "SIF_SubscribeObjects", "LEAInfo"),
    ]  # fmt: skip


def test_an_object_has_one_provider(registered):
    assert registered.send(register(source="OTHER"), provision("LEAInfo"), provision("LEAInfo")) == [0, 0, 0]
    assert registered.send(provision("SchoolInfo", "LEAInfo", source="OTHER")) == (6, 4)
    assert registered.send(of_objects("SIF_Provide", "LEAInfo", source="OTHER")) == (6, 4)
    assert registered.send(message(LEAVE), provision("SchoolInfo", "LEAInfo", source="OTHER")) == [0, 0]


def test_of_agents_that_want_to_provide_an_object_at_once_one_does(district):
    names = [f"SIS-{n}" for n in range(6)]
    assert district.send(*(register(source=name) for name in names)) == [0] * 6
    answers = district.send(*(provision("LEAInfo", source=name) for name in names), together=True)
    assert sorted(answers, key=str) == [(6, 4)] * 5 + [0]
    assert len(declared(district)) == 1


def test_the_older_messages_add_and_take_away_one_by_one(registered):
    registered.rule(SOURCE, "SIF_SubscribeAccess", "*")
    steps = [
        of_objects("SIF_Provide", "LEAInfo", "SchoolInfo"), of_objects("SIF_Provide", "LEAInfo"),
        of_objects("SIF_Unprovide", "SchoolInfo"), of_objects("SIF_Subscribe", "LEAInfo", "SchoolInfo"),
        of_objects("SIF_Unsubscribe", "LEAInfo"), of_objects("SIF_Unsubscribe", "LEAInfo"),
    ]  # fmt: skip
    assert registered.send(*steps) == [0] * 6
    assert declared(registered) == [
        (SOURCE, "SIF_ProvideObjects", "LEAInfo"), (SOURCE, "SIF_SubscribeObjects", "SchoolInfo"),
    ]  # fmt: skip


OLDER = {
    "to provide what is not collected": (of_objects("SIF_Provide", "StudentPicture"), (4, 3)),
    "to subscribe": (of_objects("SIF_Subscribe", "LEAInfo"), (4, 4)),
    "to provide nothing": (of_objects("SIF_Provide"), (6, 3)),
    "to withdraw nothing": (of_objects("SIF_Unprovide"), (6, 3)),
    "to provide what is no object": (of_objects("SIF_Provide", "x y"), (6, 3)),
    "to subscribe to nothing": (of_objects("SIF_Subscribe"), (7, 3)),
    "to subscribe to what is no object": (of_objects("SIF_Subscribe", ""), (7, 3)),
    "to unsubscribe from nothing": (of_objects("SIF_Unsubscribe"), (7, 3)),
    "to provide in another context": (
        of_objects("SIF_Provide", "LEAInfo").replace(
            b'"LEAInfo"/>', b'"LEAInfo"><SIF_Contexts><SIF_Context>X</SIF_Context></SIF_Contexts></SIF_Object>'
        ),
        (12, 4),
    ),
}


@pytest.mark.parametrize("case", OLDER)
def test_the_older_messages_are_held_against_the_same_rights(registered, case):
    body, expected = OLDER[case]
    assert registered.send(body) == expected
    assert declared(registered) == []


def test_an_agent_that_leaves_gives_up_what_it_declared_and_what_waits_for_it(registered):
    registered.rule("OTHER", "SIF_SubscribeAccess")
    other = {"source": "OTHER"}
    assert (
        registered.send(register(**other), of_objects("SIF_Subscribe", "StudentPersonal", **other), event()) == [0] * 3
    )
    assert registered.rows("SELECT source_id, state FROM outbox.message") == [("OTHER", "queued")]
    assert registered.send(message(LEAVE, **other)) == 0
    assert registered.rows("SELECT source_id, state FROM outbox.message") == [("OTHER", "dropped")]
    assert declared(registered) == []
    assert registered.send(event(**other), register(**other), control("<SIF_GetMessage/>", **other)) == [(4, 9), 0, 9]


def test_everything_but_registering_and_pings_is_for_registered_agents(district):
    for body in (
        provision("LEAInfo"), of_objects("SIF_Provide", "LEAInfo"), message(LEAVE), event(), request(),
        *(control(f"<{command}/>") for command in ("SIF_Sleep", "SIF_Wakeup", "SIF_GetZoneStatus", "SIF_GetAgentACL")),
        *(message(f"<{kind}>|</{kind}>") for kind in ("SIF_ServiceInput", "SIF_ServiceNotify", "SIF_Response")),
    ):  # fmt: skip
        assert district.send(body) == (4, 9)
    assert district.send(control("<SIF_Ping/>")) == 0
    assert district.rows("SELECT FROM inbox.message") == []


def test_who_may_no_longer_read_is_unsubscribed_at_once(registered):
    assert registered.rule("*", "SIF_SubscribeAccess") == 0
    assert registered.send(register(source="OTHER")) == 0
    assert registered.send(provision(subscribe=["LEAInfo", "SchoolInfo"])) == 0
    assert registered.send(provision(subscribe=["LEAInfo"], source="OTHER")) == 0
    assert registered.rule(SOURCE, "SIF_SubscribeAccess", "LEAInfo", allowed=False) == 1
    assert declared(registered) == [
        (SOURCE, "SIF_SubscribeObjects", "SchoolInfo"), ("OTHER", "SIF_SubscribeObjects", "LEAInfo"),
    ]  # fmt: skip
    assert registered.rule("*", "SIF_SubscribeAccess", allowed=False) == 2
    assert registered.rows("SELECT event, source_id, detail FROM inbox.audit WHERE event LIKE 'access%'") == [
        ("access_allowed", "*", "SIF_SubscribeAccess *"),
        ("access_denied", SOURCE, "SIF_SubscribeAccess LEAInfo"),
        ("access_denied", "*", "SIF_SubscribeAccess *"),
    ]


def test_rules_are_of_a_zone_there_is(registered):
    with psycopg.connect(registered.url) as connection, pytest.raises(UnknownZone):
        access.set_rule(connection, "Nowhere", access.Rule("*", "SIF_SubscribeAccess", "*", allowed=True))


RULES = [
    access.Rule("*", "SIF_SubscribeAccess", "*", allowed=False),
    access.Rule("*", "SIF_SubscribeAccess", "LEAInfo", allowed=True),
    access.Rule("SIS", "SIF_SubscribeAccess", "*", allowed=True),
    access.Rule("SIS", "SIF_SubscribeAccess", "LEAInfo", allowed=False),
    access.Rule("*", "SIF_ProvideAccess", "StudentPicture", allowed=True),
    access.Rule("*", "SIF_PublishAddAccess", "StudentPicture", allowed=False),
]


def test_the_closest_rule_counts():
    own = RULES
    others = [rule for rule in RULES if rule.source_id == "*"]
    assert [access.may(own, "SIF_SubscribeAccess", name) for name in ("LEAInfo", "SchoolInfo")] == [False, True]
    assert [access.may(others, "SIF_SubscribeAccess", name) for name in ("LEAInfo", "SchoolInfo")] == [True, False]
    assert access.may(others, "SIF_ProvideAccess", "StudentPicture")
    assert not access.may([], "SIF_ProvideAccess", "StudentPicture")
    assert access.may_publish([], "SIF_PublishAddAccess", "StudentPicture")
    assert not access.may_publish(others, "SIF_PublishAddAccess", "StudentPicture")
    assert access.rights(others)["SIF_SubscribeAccess"] == ["LEAInfo"]
    assert "StudentPicture" in access.rights(others)["SIF_ProvideAccess"]


def test_a_message_id_is_of_one_message_here_too(registered):
    msg_id = new_id()
    assert registered.send(provision("LEAInfo", msg_id=msg_id), provision("SchoolInfo", msg_id=msg_id)) == [0, (12, 5)]
    assert declared(registered) == [(SOURCE, "SIF_ProvideObjects", "LEAInfo")]
