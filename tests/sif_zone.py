"""Messages as a district's agent sends them, and a zone that takes them in without HTTP."""

import asyncio
from uuid import uuid4

import psycopg
from lxml import etree
from sif_official import hold

from sif_pipeline import zones
from sif_pipeline.sif.elements import NAMESPACE
from sif_pipeline.sif.gate import open_message
from sif_pipeline.zone import access
from sif_pipeline.zone.receive import read, receive

SOURCE = "DISTRICT-0101"


def new_id():
    return uuid4().hex.upper()


def message(body, msg_id=None, source=SOURCE, version="2.6", more=""):
    head = (
        f"<SIF_Header><SIF_MsgId>{msg_id or new_id()}</SIF_MsgId><SIF_Timestamp>2026-11-22T08:00:00Z</SIF_Timestamp>"
        f"<SIF_SourceId>{source}</SIF_SourceId>{more}</SIF_Header>"
    )
    opened, closed = body.split("|")
    return f'<SIF_Message xmlns="{NAMESPACE}" Version="{version}">{opened}{head}{closed}</SIF_Message>'.encode()


PUSH = '<SIF_Protocol Type="{type}" Secure="{secure}"><SIF_URL>{url}</SIF_URL>{more}</SIF_Protocol>'


def protocol(url="http://127.0.0.1:9/", type_="HTTP", secure="No", accept_encoding=None):
    more = ""
    if accept_encoding is not None:
        more = "<SIF_Property><SIF_Name>Accept-Encoding</SIF_Name>"
        more += f"<SIF_Value>{accept_encoding}</SIF_Value></SIF_Property>"
    return PUSH.format(url=url, type=type_, secure=secure, more=more)


def register(mode="Pull", versions=("2.6",), size="65536", said=None, **of):
    listed = "".join(f"<SIF_Version>{v}</SIF_Version>" for v in versions)
    said = said if said is not None else protocol() if mode == "Push" else ""
    return message(
        f"<SIF_Register>|<SIF_Name>SIS</SIF_Name>{listed}<SIF_MaxBufferSize>{size}</SIF_MaxBufferSize>"
        f"<SIF_Mode>{mode}</SIF_Mode>{said}</SIF_Register>",
        **of,
    )


STUDENT = 'StudentPersonal RefId="FF34557E547082FAA4E584716248B7F0"'


def event(name="Amelia", action="Add", **of):
    return message(
        f'<SIF_Event>|<SIF_ObjectData><SIF_EventObject ObjectName="StudentPersonal" Action="{action}"><{STUDENT}>'
        f"<Name><FirstName>{name}</FirstName></Name></StudentPersonal></SIF_EventObject></SIF_ObjectData></SIF_Event>",
        **of,
    )


def control(command, **of):
    return message(
        f"<SIF_SystemControl>|<SIF_SystemControlData>{command}</SIF_SystemControlData></SIF_SystemControl>", **of
    )


def listed(*names):
    return "".join(f'<SIF_Object ObjectName="{n}"/>' for n in names)


def provision(*provided, publish=(), subscribe=(), request=(), respond=(), more="", **of):
    return message(
        f"<SIF_Provision>|<SIF_ProvideObjects>{listed(*provided)}</SIF_ProvideObjects>"
        f"<SIF_SubscribeObjects>{listed(*subscribe)}</SIF_SubscribeObjects>"
        f"<SIF_PublishAddObjects>{listed(*publish)}</SIF_PublishAddObjects>"
        f"<SIF_PublishChangeObjects/><SIF_PublishDeleteObjects/>"
        f"<SIF_RequestObjects>{listed(*request)}</SIF_RequestObjects>"
        f"<SIF_RespondObjects>{listed(*respond)}</SIF_RespondObjects>{more}</SIF_Provision>",
        **of,
    )


def of_objects(kind, *names, **of):
    """Write one of the older messages: SIF_Provide, SIF_Subscribe and their opposites."""
    return message(f"<{kind}>|{listed(*names)}</{kind}>", **of)


def ack(msg_id, status=1, **of):
    original = f"<SIF_OriginalSourceId>X</SIF_OriginalSourceId><SIF_OriginalMsgId>{msg_id}</SIF_OriginalMsgId>"
    return message(f"<SIF_Ack>|{original}<SIF_Status><SIF_Code>{status}</SIF_Code></SIF_Status></SIF_Ack>", **of)


def request(object_name="StudentPersonal", size=65536, versions=("2.*",), **of):
    listed_versions = "".join(f"<SIF_Version>{v}</SIF_Version>" for v in versions)
    return message(
        f"<SIF_Request>|{listed_versions}<SIF_MaxBufferSize>{size}</SIF_MaxBufferSize><SIF_Query>"
        f'<SIF_QueryObject ObjectName="{object_name}"/></SIF_Query></SIF_Request>',
        **of,
    )


def response(to, number=1, more_packets="No", content="<SIF_ObjectData/>", destination=None, **of):
    destination = f"<SIF_DestinationId>{destination}</SIF_DestinationId>" if destination else ""
    return message(
        f"<SIF_Response>|<SIF_RequestMsgId>{to}</SIF_RequestMsgId><SIF_PacketNumber>{number}</SIF_PacketNumber>"
        f"<SIF_MorePackets>{more_packets}</SIF_MorePackets>{content}</SIF_Response>",
        more=destination,
        **of,
    )


def answer(ack):
    """Give the status of an ack, or category and code of its error; it is valid SIF."""
    hold(ack)
    found = {e.tag.rpartition("}")[2]: e.text for e in open_message(ack).iter()}
    return (int(found["SIF_Category"]), int(found["SIF_Code"])) if "SIF_Category" in found else int(found["SIF_Code"])


class District:
    """A zone of a test with a connection to the database it is in."""

    def __init__(self, url):
        self.url = url
        with psycopg.connect(url) as connection:
            connection.execute("TRUNCATE inbox.zone, inbox.audit CASCADE")  # faster than a database per test
            self.token = zones.add(connection, "District-0101", "01010000")

    def send(self, *bodies, together=False):
        async def one(body):
            async with await psycopg.AsyncConnection.connect(self.url, autocommit=True) as connection:
                zone = await zones.find(connection, zones.token_hash(self.token))
                return await receive(connection, zone, read(body))

        async def each():
            if together:
                return await asyncio.gather(*(one(body) for body in bodies))
            return [await one(body) for body in bodies]

        answers = [answer(ack) for ack in asyncio.run(each())]
        return answers if together or len(answers) > 1 else answers[0]

    def acks(self, *bodies):
        """Send messages one after the other and give the acks."""

        async def each():
            async with await psycopg.AsyncConnection.connect(self.url, autocommit=True) as connection:
                zone = await zones.find(connection, zones.token_hash(self.token))
                return [await receive(connection, zone, read(body)) for body in bodies]

        acks = asyncio.run(each())
        for ack in acks:
            hold(ack)
        return [open_message(ack) for ack in acks]

    def pull(self, source=SOURCE):
        """Fetch and settle everything on an agent's queue, and give it as messages."""
        found = []
        while len(data := self.acks(control("<SIF_GetMessage/>", source=source))[0].findall(".//{*}SIF_Data/*")) == 1:
            found.append(open_message(etree.tostring(data[0])))
            assert self.send(ack(found[-1].findtext(".//{*}SIF_MsgId"), source=source)) == 0
        return found

    def rows(self, query):
        with psycopg.connect(self.url) as connection:
            return connection.execute(query).fetchall()

    def run(self, query):
        with psycopg.connect(self.url) as connection:
            connection.execute(query)

    def rule(self, source, kind, object_name="*", *, allowed=True):
        """Allow or deny an agent something, and give how many declarations ended by that."""
        with psycopg.connect(self.url) as connection:
            return access.set_rule(connection, "District-0101", access.Rule(source, kind, object_name, allowed))
