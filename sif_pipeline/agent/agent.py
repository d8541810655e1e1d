"""An agent of a zone: what it can say, each a method that returns the zone's answer once it has one."""

from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Self

from lxml import etree

from sif_pipeline.agent import writing
from sif_pipeline.agent.answers import Answer, Delivered
from sif_pipeline.agent.client import Line, Wire, ZoneRefuses
from sif_pipeline.agent.kit import PLAIN, Kit
from sif_pipeline.sif.acks import write_error
from sif_pipeline.sif.elements import SIF
from sif_pipeline.sif.gate import Refused
from sif_pipeline.sif.query import EVERYTHING, Where
from sif_pipeline.sif.writing import Written


class Agent:
    """One agent: its name in the zone, its kit, and the wire to the zone. Use it as a context manager."""

    def __init__(  # noqa: PLR0913 -- one argument for each thing an agent says of itself
        self,
        line: Line | str,
        source_id: str,
        *,
        kit: Kit = PLAIN,
        name: str = "",
        buffer_size: int = 393_216,
        push_url: str = "",
    ) -> None:
        self.wire = Wire(Line(line) if isinstance(line, str) else line)
        self.source_id = source_id
        self.kit = kit
        self.name = name or source_id
        self.buffer_size = buffer_size  #: largest message it takes, bytes
        self.push_url = push_url  #: where it listens; empty for pull

    def __enter__(self) -> Self:
        """Use the agent; nothing is sent yet."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Hang up; the zone is not told."""
        self.wire.__exit__(kind, error, at)

    def write(self, kind: str, content: bytes | str = b"", *, destination_id: str = "") -> Written:
        """Write a message in the agent's name and spelling without sending it."""
        version = self.kit.request_version if kind == "SIF_Request" else ""
        contexts = kind in ("SIF_Event", "SIF_Request")
        return writing.write(
            self.kit, kind, self.source_id, content, version=version, destination_id=destination_id, contexts=contexts
        )

    def send(self, written: Written) -> Answer:
        """Send a message until it is answered; again with the same one, it is a resend."""
        return self.wire.exchange(written.body, self.kit.content_type)

    def say(self, kind: str, content: bytes | str = b"", *, destination_id: str = "") -> Answer:
        """Write a message and send it."""
        return self.send(self.write(kind, content, destination_id=destination_id))

    # Coming and going

    def register(self) -> Answer:
        """Join the zone, or say once more who one is; the answer may hold the access list."""
        return self.say("SIF_Register", writing.register(self.kit, self.name, self.buffer_size, self.push_url))

    def unregister(self) -> Answer:
        """Leave the zone; what waits in the queue is thrown away."""
        return self.say("SIF_Unregister")

    def declare(
        self, *, provides: Sequence[str] = (), subscribes: Sequence[str] = (), requests: Sequence[str] = ()
    ) -> list[Answer]:
        """Say what one provides, publishes, subscribes to and requests, in the kit's way; the answers in order."""
        if not self.kit.one_by_one:
            return [self.provision(provides=provides, subscribes=subscribes, requests=requests)]
        said = [("SIF_Provide", name) for name in provides] + [("SIF_Subscribe", name) for name in subscribes]
        return [self.say(kind, writing.named_only([name])) for kind, name in said]

    def provision(
        self, *, provides: Sequence[str] = (), subscribes: Sequence[str] = (), requests: Sequence[str] = ()
    ) -> Answer:
        """Send SIF_Provision: it takes the place of everything declared before."""
        published: Sequence[str] = () if self.kit.publishes_silently else provides
        lists = {
            "SIF_ProvideObjects": provides,
            "SIF_SubscribeObjects": subscribes,
            "SIF_PublishAddObjects": published,
            "SIF_PublishChangeObjects": published,
            "SIF_PublishDeleteObjects": published,
            "SIF_RequestObjects": requests,
            "SIF_RespondObjects": provides,
        }
        return self.say("SIF_Provision", writing.provision(lists))

    def provide(self, *names: str) -> Answer:
        """Provide objects besides those provided already."""
        return self.say("SIF_Provide", writing.named_only(names))

    def unprovide(self, *names: str) -> Answer:
        """Provide objects no longer."""
        return self.say("SIF_Unprovide", writing.named_only(names))

    def subscribe(self, *names: str) -> Answer:
        """Ask for the events of objects."""
        return self.say("SIF_Subscribe", writing.named_only(names))

    def unsubscribe(self, *names: str) -> Answer:
        """Ask for the events of objects no longer."""
        return self.say("SIF_Unsubscribe", writing.named_only(names))

    # System control

    def control(self, command: str, content: str = "") -> Answer:
        """Send a SIF_SystemControl."""
        return self.say("SIF_SystemControl", writing.control(command, content))

    def ping(self) -> Answer:
        """Ask whether the zone is there."""
        return self.control("SIF_Ping")

    def sleep(self) -> Answer:
        """Ask the zone to keep what it has for the agent."""
        return self.control("SIF_Sleep")

    def wakeup(self) -> Answer:
        """Ask the zone to deliver again."""
        return self.control("SIF_Wakeup")

    def access(self) -> Answer:
        """Ask what one may do; the answer's data is SIF_AgentACL."""
        return self.control("SIF_GetAgentACL")

    def zone_status(self) -> Answer:
        """Ask about the zone; the answer's data is SIF_ZoneStatus. Compress from now on where it says one may."""
        answer = self.control("SIF_GetZoneStatus")
        self.wire.compress = self.kit.compresses and answer.data is not None and _takes_gzip(answer.data)
        return answer

    def cancel(self, *msg_ids: str) -> Answer:
        """Take requests back by their SIF_MsgIds."""
        return self.control("SIF_CancelRequests", writing.cancelled(msg_ids))

    # Events, requests and responses

    def event(self, action: str, object_name: str, *objects: bytes) -> Answer:
        """Publish an event: Add, Change or Delete, of one object or, as some kits do, several."""
        return self.say("SIF_Event", writing.event(action, object_name, *objects))

    def bundle(self, *events: tuple[str, str, bytes]) -> Answer:
        """Publish events (action, name, object) in one SIF_BundledEvents, as kits of 2.6 may; one answer for all."""
        contents = (writing.event(*event) for event in events)
        return self.say("SIF_BundledEvents", writing.bundled(self.kit, self.source_id, contents))

    def ask(
        self, object_name: str, *, where: Where = EVERYTHING, destination_id: str = "", buffer_size: int = 0
    ) -> Written:
        """Write a SIF_Request; send it, and keep its SIF_MsgId to know the responses by."""
        content = writing.request(object_name, buffer_size or self.buffer_size, where)
        return self.write("SIF_Request", content, destination_id=destination_id)

    def responses(self, request: Delivered, objects: Iterable[bytes]) -> Iterator[Written]:
        """Write the packets that answer a request, each within the size it asks for; a SIF_Error where none can be."""
        message, room = request.message, self._room(request)
        try:
            portions = list(writing.packets(self.kit, objects, room))
        except writing.ObjectTooLarge as error:
            portions = [write_error(Refused(8, 11, str(error))).encode()]
        for number, portion in enumerate(portions, 1):
            content = writing.response(message.msg_id, number, portion, more=number < len(portions))
            yield self.write("SIF_Response", content, destination_id=message.source_id)

    def _room(self, request: Delivered) -> int:
        """Count the bytes a packet has for objects: the size asked for, less the envelope."""
        content = writing.response("0" * 32, 99_999, b"", more=True)
        empty = self.write("SIF_Response", content, destination_id=request.message.source_id)
        asked = request.message.request
        return (asked.max_buffer_size if asked else self.buffer_size) - len(empty.body)

    def respond(self, request: Delivered, objects: Iterable[bytes]) -> list[Answer]:
        """Answer a request in as many packets as it takes."""
        return [self.send(written) for written in self.responses(request, objects)]

    # The agent's own queue

    def fetch(self) -> Delivered | None:
        """Send SIF_GetMessage; None when nothing waits. The message comes again until it is acknowledged."""
        answer = self.control("SIF_GetMessage")
        if answer.error is not None:
            raise ZoneRefuses("SIF_GetMessage", answer.words, answer.error)
        return answer.delivered

    def ack(self, delivered: Delivered, outcome: int | Refused = 1) -> Answer:
        """Acknowledge a message: 1 it is kept, 2 and 3 begin and end selective blocking, 7 it was kept before."""
        return self.send(self.write_ack(delivered, outcome))

    def write_ack(self, delivered: Delivered, outcome: int | Refused = 1) -> Written:
        """Write the ack to a message; by the kit it names the message, or the ack that carried it."""
        named = delivered.carrier if self.kit.acks_outer and delivered.carrier else delivered.original
        told = write_error(outcome) if isinstance(outcome, Refused) else writing.status(outcome)
        return writing.write(
            self.kit, "SIF_Ack", self.source_id, told,
            version=self.kit.ack_version or delivered.original.version,
            originals=writing.originals(named.source_id, named.msg_id),
        )  # fmt: skip


def _takes_gzip(zone_status: etree._Element) -> bool:
    """Tell whether SIF_ZoneStatus lists gzip as an Accept-Encoding of a protocol."""
    properties = zone_status.iter(SIF + "SIF_Property")
    found = (("".join(str(t) for t in p.itertext())).lower() for p in properties)
    return any("accept-encoding" in text and "gzip" in text for text in found)
