"""Agent kits as they are found in districts: each keeps the standard in a way of its own, or nearly."""

from dataclasses import replace
from typing import Final

from sif_pipeline.agent.kit import HEADER, PLAIN, Kit

_ALL_VERSIONS = ("2.6", "1.1", "1.5r1", "2.0", "2.0r1", "2.1", "2.2", "2.3", "2.4", "2.5")

_OPENADK = Kit(
    name="openadk",
    versions=_ALL_VERSIONS,
    request_version="2.0r1",
    content_type='application/xml;charset="utf-8"',
    version_last=True,
    header=HEADER,
    states_context=True,
    publishes_silently=True,
)

KITS: Final = {
    kit.name: kit
    for kit in (
        PLAIN,
        _OPENADK,
        replace(_OPENADK, name="openadk-2.3", version="2.3", versions=("2.3", "2.0r1", "2.1", "2.2")),
        replace(_OPENADK, name="openadk-acks-outer", acks_outer=True),
        replace(_OPENADK, name="openadk-one-by-one", one_by_one=True),
        Kit(name="first-release", version="2.0r1", versions=("2.0r1",), one_by_one=True, compresses=False),
        Kit(name="newest", version="2.8", versions=("2.8",)),
        Kit(name="wildcard", versions=("*",)),
        Kit(name="minor-wildcard", version="2.0r1", versions=("2.0r*", "2.*")),
        Kit(name="jumbled", header=tuple(reversed(HEADER)), original_first=True),
        Kit(name="declared", declaration=True, byte_order_mark=True, content_type="text/xml; charset=UTF-8"),
        Kit(name="prefixed", prefix="sif", version_last=True),
        Kit(name="local-time", offset="-05:00", content_type="application/xml"),
        Kit(name="no-offset", offset="", content_type=""),
    )
}
"""Kits by name; `KITS["openadk"]` writes as the most common one does."""
