"""SIF_ZoneStatus: what a zone tells its agents of itself and of each other, valid against the SIF 2.6 schema.

Neither the zone's URL nor an agent's is in it: they are secrets between the two.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple
from xml.sax.saxutils import escape, quoteattr

from sif_pipeline.sif.acks import CONTEXTS, SOURCE_ID
from sif_pipeline.sif.releases import SPOKEN


class Listed(NamedTuple):
    """One object an agent declared, and in which list of SIF_Provision."""

    source_id: str
    kind: str  #: such as SIF_ProvideObjects
    object_name: str


@dataclass(frozen=True, slots=True)
class Node:
    """One registered agent of the zone, as it said of itself."""

    source_id: str  #: SIF_SourceId
    name: str | None = None  #: SIF_Name
    mode: str | None = None  #: Push or Pull
    versions: tuple[str, ...] = ()  #: SIF_Version, wildcards as sent
    max_buffer_size: int | None = None  #: bytes
    is_secure: bool | None = None  #: SIF_Protocol/@Secure; None without a SIF_Protocol
    is_asleep: bool = False  #: after SIF_Sleep


@dataclass(frozen=True, slots=True)
class Zone:
    """What a zone tells of itself and its agents."""

    name: str  #: SIF_Name
    nodes: Sequence[Node] = ()
    listed: Sequence[Listed] = ()  #: what the agents declared
    collected: Sequence[str] = ()  #: objects whose events the state takes
    is_secure: bool = False  #: HTTPS
    asks_certificates: bool = False  #: client certificates


def write_zone_status(zone: Zone, version: str) -> str:
    """Write SIF_ZoneStatus; `version` is that of the ack it goes into, for bundles are known since 2.6."""
    bundles = "<EventBundleSupport>Yes</EventBundleSupport>" if version >= "2.6" else ""
    collected = [Listed(SOURCE_ID, "SIF_SubscribeObjects", object_name) for object_name in zone.collected]
    return (
        f'<SIF_ZoneStatus ZoneId="{SOURCE_ID}"><SIF_Name>{escape(zone.name)}</SIF_Name>'
        f"<SIF_Vendor><SIF_Product>sif-pipeline</SIF_Product></SIF_Vendor>{bundles}"
        f"{''.join(_list(*part, [*collected, *zone.listed]) for part in _LISTS)}{_nodes(zone.nodes)}"
        f"{_AUTHENTICATION if zone.asks_certificates else ''}"
        f"<SIF_SupportedProtocols>{_protocol(is_secure=zone.is_secure, gzip=True)}</SIF_SupportedProtocols>"
        f"<SIF_SupportedVersions>{_versions(SPOKEN)}</SIF_SupportedVersions>{CONTEXTS}</SIF_ZoneStatus>"
    )


_AUTHENTICATION = (
    "<SIF_SupportedAuthentication><SIF_ProtocolName>X.509</SIF_ProtocolName></SIF_SupportedAuthentication>"
)
_LISTS: Final = (
    ("SIF_Providers", "SIF_Provider", "SIF_ProvideObjects"),
    ("SIF_Subscribers", "SIF_Subscriber", "SIF_SubscribeObjects"),
    ("SIF_AddPublishers", "SIF_Publisher", "SIF_PublishAddObjects"),
    ("SIF_ChangePublishers", "SIF_Publisher", "SIF_PublishChangeObjects"),
    ("SIF_DeletePublishers", "SIF_Publisher", "SIF_PublishDeleteObjects"),
    ("SIF_Responders", "SIF_Responder", "SIF_RespondObjects"),
    ("SIF_Requesters", "SIF_Requester", "SIF_RequestObjects"),
)
"""List in the status, its entries, and the list of SIF_Provision they come from, in the standard's order."""

_SAYS_QUERIES = frozenset({"SIF_Providers", "SIF_Responders", "SIF_Requesters"})
_NO_EXTENDED_QUERY = "<SIF_ExtendedQuerySupport>false</SIF_ExtendedQuerySupport>"


def _list(name: str, entry: str, kind: str, listed: Iterable[Listed]) -> str:
    """Write one list, an entry for each agent; nothing where nobody declared anything."""
    by_agent: dict[str, list[str]] = {}
    for source_id, declared, object_name in listed:
        if declared == kind:
            by_agent.setdefault(source_id, []).append(object_name)
    queries = _NO_EXTENDED_QUERY if name in _SAYS_QUERIES else ""
    entries = "".join(
        f"<{entry} SourceId={quoteattr(source_id)}>{_objects(names, queries)}</{entry}>"
        for source_id, names in by_agent.items()
    )
    return f"<{name}>{entries}</{name}>" if entries else ""


def _objects(names: Iterable[str], queries: str) -> str:
    objects = (f"<SIF_Object ObjectName={quoteattr(name)}>{queries}{CONTEXTS}</SIF_Object>" for name in names)
    return f"<SIF_ObjectList>{''.join(objects)}</SIF_ObjectList>"


def _nodes(nodes: Sequence[Node]) -> str:
    return f"<SIF_SIFNodes>{''.join(map(_node, nodes))}</SIF_SIFNodes>" if nodes else ""


def _node(node: Node) -> str:
    protocol = "" if node.is_secure is None else _protocol(is_secure=node.is_secure)
    return (
        f'<SIF_SIFNode Type="Agent"><SIF_Name>{escape(node.name or node.source_id)}</SIF_Name>'
        f"<SIF_SourceId>{escape(node.source_id)}</SIF_SourceId>"
        f"{f'<SIF_Mode>{node.mode}</SIF_Mode>' if node.mode else ''}{protocol}"
        f"<SIF_VersionList>{_versions(node.versions)}</SIF_VersionList>"
        f"<SIF_MaxBufferSize>{node.max_buffer_size or 0}</SIF_MaxBufferSize>"
        f"<SIF_Sleeping>{'Yes' if node.is_asleep else 'No'}</SIF_Sleeping></SIF_SIFNode>"
    )


def _protocol(*, is_secure: bool, gzip: bool = False) -> str:
    packed = "<SIF_Property><SIF_Name>Accept-Encoding</SIF_Name><SIF_Value>gzip</SIF_Value></SIF_Property>"
    type_, secure = ("HTTPS", "Yes") if is_secure else ("HTTP", "No")
    return f'<SIF_Protocol Type="{type_}" Secure="{secure}">{packed if gzip else ""}</SIF_Protocol>'


def _versions(versions: Iterable[str]) -> str:
    return "".join(f"<SIF_Version>{escape(version)}</SIF_Version>" for version in versions)
