"""The objects that a message carries, or a bare list of them: one by one, each with what is asked for."""

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Final, NamedTuple, TypeAlias

from lxml import etree

from sif_pipeline.notices import Notice
from sif_pipeline.sif.elements import SIF, local
from sif_pipeline.sif.naming import of_the_standard

CARRIERS: Final = frozenset({"SIF_Event", "SIF_BundledEvents", "SIF_Response"})
"""Messages that carry objects, and so the only ones that the drain has work with."""


class Action(StrEnum):
    """What a message asks for with an object."""

    ADD = "Add"  #: a whole new object
    CHANGE = "Change"  #: only what changed
    DELETE = "Delete"  #: only the key
    RESPONSE = "Response"  #: a whole object as it stands, asked for or sent as a file


class ObjectInMessage(NamedTuple):
    """One object of a message: place from 1, what is asked for, element, and a finding about its wrapping."""

    position: int
    action: Action | None  #: None where SIF_EventObject/@Action is none of the three; the notice says so
    element: etree._Element
    notice: Notice | None


Found: TypeAlias = Iterator[tuple[Action | None, etree._Element, Notice | None]]  # noqa: SLF001 -- a type
"""Objects as they are found: those of an ObjectInMessage without their places."""


def is_message(root: etree._Element) -> bool:
    """Tell a SIF_Message, of whatever namespace, from a bare list of objects."""
    return local(root) == "SIF_Message"


def objects(root: etree._Element) -> Iterator[ObjectInMessage]:
    """Yield the objects of a SIF_Event or SIF_Response, or of a root that is a list of objects or one itself.

    Several SIF_EventObjects, and several objects in one, are taken one by one: agents send them (OpenADK
    does), though the schema allows one. The events of SIF_BundledEvents follow each other. Any other message
    holds no objects.
    """
    if not is_message(root):
        found: Found = _bare(root)
    else:
        body = next(root.iterchildren(etree.Element), None)
        read = _OBJECTS.get(local(body)) if body is not None else None
        found = iter(()) if body is None or read is None else read(body)
    return (ObjectInMessage(position, *rest) for position, rest in enumerate(found, start=1))


_EVENT_ACTIONS = {action.value: action for action in (Action.ADD, Action.CHANGE, Action.DELETE)}
_WRAPPER = SIF + "SIF_EventObject"


def of_event(body: etree._Element) -> Found:
    """Yield the objects of one SIF_Event; one finding about several of them for the event, not for each."""
    wrappers = [w for data in body.iterchildren(SIF + "SIF_ObjectData") for w in data.iterchildren(_WRAPPER)]
    held = [(wrapper, element) for wrapper in wrappers for element in wrapper.iterchildren(etree.Element)]
    for place, (wrapper, element) in enumerate(held):
        action = _EVENT_ACTIONS.get(wrapper.get("Action", "").strip())
        notice = _wrapping_notice(wrapper, element, action)
        if place == 1 and notice is None:
            notice = Notice("event_of_several", "SIF_ObjectData", wrapper.sourceline or 0)
        yield action, element, notice


def _wrapping_notice(wrapper: etree._Element, element: etree._Element, action: Action | None) -> Notice | None:
    line = wrapper.sourceline or 0
    if action is None:
        return Notice("action_unknown", "SIF_EventObject/@Action", line)
    if wrapper.get("ObjectName", "").strip() != local(element):
        return Notice("object_name_differs", "SIF_EventObject/@ObjectName", line)
    return None


def _of_bundle(body: etree._Element) -> Found:
    for part in body.iterchildren(SIF + "SIF_Events"):
        for event in part.iterchildren(SIF + "SIF_Event"):
            yield from of_event(event)


def of_response(body: etree._Element) -> Found:
    """Yield the objects of one SIF_Response."""
    for data in body.iterchildren(SIF + "SIF_ObjectData"):
        for element in data.iterchildren(etree.Element):
            yield Action.RESPONSE, element, None


_OBJECTS: dict[str, Callable[[etree._Element], Found]] = {
    "SIF_BundledEvents": _of_bundle,
    "SIF_Event": of_event,
    "SIF_Response": of_response,
}
"""How the objects of each carrier are found."""


def _bare(root: etree._Element) -> Found:
    """Take the root's children where they are objects and the root is none; else the root is the object."""
    children = list(root.iterchildren(etree.Element))
    is_list = not _is_object(root) and (not children or any(map(_is_object, children)))
    for element in children if is_list else [root]:
        yield Action.RESPONSE, element, None


def _is_object(element: etree._Element) -> bool:
    """Tell an object by its name in the standard; one the standard does not have by an attribute that ends in RefId."""
    return local(element) in of_the_standard() or any(str(name).endswith("RefId") for name in element.attrib)
