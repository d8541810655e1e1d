"""How one agent kit spells SIF: what the standard leaves open, and what kits in the field do besides."""

from dataclasses import dataclass
from typing import Final

HEADER: Final = ("SIF_MsgId", "SIF_Timestamp", "SIF_Security", "SIF_SourceId", "SIF_DestinationId", "SIF_Contexts")
"""The parts of a SIF_Header in the standard's order."""


@dataclass(frozen=True, slots=True)
class Kit:
    """The habits of one agent kit; the default has none that anybody would notice."""

    name: str = "plain"
    version: str = "2.6"  #: SIF_Message/@Version
    versions: tuple[str, ...] = ("2.6", "2.*")  #: SIF_Version of SIF_Register, wildcards allowed
    request_version: str = ""  #: SIF_Message/@Version of a SIF_Request, where it differs
    ack_version: str = ""  #: SIF_Message/@Version of a SIF_Ack; empty: that of the message it answers
    content_type: str = "application/xml;charset=utf-8"  #: HTTP header; empty: none is sent
    version_last: bool = False  #: Version stands after the namespaces
    declaration: bool = False  #: an XML declaration comes first
    byte_order_mark: bool = False  #: three bytes that say UTF-8 come before everything
    prefix: str = ""  #: namespace prefix of every element; empty: the default namespace
    header: tuple[str, ...] = tuple(part for part in HEADER if part != "SIF_Security")  #: parts written, in order
    offset: str = "Z"  #: how SIF_Timestamp ends: Z, an offset such as -05:00, or nothing
    states_context: bool = False  #: SIF_Contexts with SIF_Default in events and requests
    original_first: bool = False  #: SIF_OriginalSourceId and SIF_OriginalMsgId stand before an ack's SIF_Header
    acks_outer: bool = False  #: a pulled message is acknowledged by naming the ack that carried it
    one_by_one: bool = False  #: SIF_Provide and SIF_Subscribe for each object, not one SIF_Provision
    publishes_silently: bool = False  #: SIF_Provision has empty SIF_Publish*Objects lists, events come all the same
    compresses: bool = True  #: gzip, once SIF_ZoneStatus announced that the zone takes it


PLAIN: Final = Kit()
"""A kit that does everything as the standard's examples do."""
