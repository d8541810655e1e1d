"""What an agent says of itself in SIF_Register, and of its objects in SIF_Provision and the messages of one list."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from lxml import etree

from sif_pipeline.sif.elements import SIF, child, text, texts
from sif_pipeline.sif.gate import Refused
from sif_pipeline.sif.header import DEFAULT_CONTEXT, Fields, Header, contexts_of
from sif_pipeline.sif.naming import in_words, is_object_name

PROVISION_LISTS: Final = (
    "SIF_ProvideObjects", "SIF_SubscribeObjects", "SIF_PublishAddObjects", "SIF_PublishChangeObjects",
    "SIF_PublishDeleteObjects", "SIF_RequestObjects", "SIF_RespondObjects",
)  # fmt: skip
"""The object lists of a SIF_Provision, in the standard's order."""

SERVICE_LISTS: Final = ("SIF_ProvideService", "SIF_RespondService", "SIF_RequestService", "SIF_SubscribeService")
"""The service lists of a SIF_Provision, in the standard's order."""


@dataclass(frozen=True, slots=True)
class Registration:
    """What an agent says of itself in SIF_Register."""

    name: str | None = None  #: SIF_Name
    versions: tuple[str, ...] = ()  #: SIF_Version, wildcards as sent
    max_buffer_size: int | None = None  #: SIF_MaxBufferSize, bytes; None where it is no number
    mode: str | None = None  #: SIF_Mode: Push or Pull
    takes_bundles: bool = False  #: EventBundleSupport
    protocol: str | None = None  #: SIF_Protocol/@Type: HTTP, HTTPS or the vendor's own
    secure: bool | None = None  #: SIF_Protocol/@Secure
    push_url: str | None = None  #: SIF_Protocol/SIF_URL
    accept_encoding: str | None = None  #: the SIF_Property Accept-Encoding of SIF_Protocol
    vendor: str | None = None  #: SIF_NodeVendor and SIF_NodeVersion
    application: str | None = None  #: SIF_Application: product and version


class Provided(NamedTuple):
    """One object or service an agent declares: in which list of SIF_Provision, and its name."""

    kind: str
    object_name: str


def read_registration(body: etree._Element, _: Header) -> Fields:
    """Read SIF_Register; what cannot be used is None: whether the agent can be registered so, the zone decides."""
    size = text(body, "SIF_MaxBufferSize") or ""
    protocol = child(body, "SIF_Protocol")
    application = child(body, "SIF_Application")
    secure = {"Yes": True, "No": False}.get(protocol.get("Secure", "").strip()) if protocol is not None else None
    registration = Registration(
        name=text(body, "SIF_Name"),
        versions=texts(body, "SIF_Version"),
        max_buffer_size=int(size) if re.fullmatch(r"[0-9]{1,10}", size) else None,
        mode=text(body, "SIF_Mode"),
        takes_bundles=text(body, "EventBundleSupport") == "Yes",
        protocol=protocol.get("Type", "").strip() or None if protocol is not None else None,
        secure=secure,
        push_url=text(protocol, "SIF_URL"),
        accept_encoding=_accept_encoding(protocol),
        vendor=_joined(text(body, "SIF_NodeVendor"), text(body, "SIF_NodeVersion")),
        application=_joined(text(application, "SIF_Product"), text(application, "SIF_Version")),
    )
    return {"registration": registration}


def _accept_encoding(protocol: etree._Element | None) -> str | None:
    properties = protocol.iterchildren(SIF + "SIF_Property") if protocol is not None else ()
    values = (text(p, "SIF_Value") for p in properties if (text(p, "SIF_Name") or "").lower() == "accept-encoding")
    return next(values, None)


def _joined(*said: str | None) -> str | None:
    return " ".join(one for one in said if one) or None


def read_provision(body: etree._Element, _: Header) -> Fields:
    """Read all lists of SIF_Provision; raise Refused for an unusable ObjectName (6/3, 7/3) or context (12/4)."""
    lists = [(name, child(body, name)) for name in PROVISION_LISTS]
    services = [(name, child(body, name)) for name in SERVICE_LISTS]
    objects = (p for kind, part in lists if part is not None for p in _objects(part, kind))
    return {"provided": (*objects, *(p for kind, part in services if part is not None for p in _services(part, kind)))}


def reads_list(kind: str) -> Callable[[etree._Element, Header], Fields]:
    """Make the reading of a message that is one list of objects, such as SIF_Subscribe; it refuses the same."""
    return lambda body, _: {"provided": _objects(body, kind)}


def _objects(parent: etree._Element, kind: str) -> tuple[Provided, ...]:
    listed = list(parent.iterchildren(SIF + "SIF_Object"))
    names = [o.get("ObjectName", "").strip() for o in listed]
    unusable = next((place for place, name in enumerate(names, 1) if not is_object_name(name)), None)
    if unusable is not None:
        raise Refused(
            7 if kind == "SIF_SubscribeObjects" else 6,
            3,
            f"SIF_Object {unusable} of its list has no usable ObjectName; name an object, such as StudentPersonal.",
        )
    if elsewhere := [name for o, name in zip(listed, names, strict=True) if set(contexts_of(o)) - {DEFAULT_CONTEXT}]:
        named = in_words(elsewhere, names)
        raise Refused(12, 4, f"This zone has the context {DEFAULT_CONTEXT} only; name no other for {named}.")
    return tuple(dict.fromkeys(Provided(kind, name) for name in names))


def _services(parent: etree._Element, kind: str) -> tuple[Provided, ...]:
    return tuple(Provided(kind, s.get("ServiceName", "").strip()) for s in parent.iterchildren(SIF + "SIF_Service"))
