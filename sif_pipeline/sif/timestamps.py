"""Reading an xs:dateTime as an instant: what a SIF_Timestamp says, within what Python and PostgreSQL can hold."""

import re
from datetime import UTC, datetime, timedelta, timezone

_DATE_TIME = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})T(?P<time>[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.(?P<fraction>[0-9]+))?"
    r"(?P<zone>Z|[+-][0-9]{2}:[0-9]{2})?"
)


def read_timestamp(text: str) -> datetime | None:
    """Read an xs:dateTime as an instant in UTC, to the microsecond; without an offset it is taken as UTC.

    None for what is not one, and for what Python and PostgreSQL cannot hold: years outside 1 to 9999.
    """
    parts = _DATE_TIME.fullmatch(text)
    if not parts:
        return None
    midnight_after = parts["time"] == "24:00:00" and not (parts["fraction"] or "").strip("0")
    time = "00:00:00" if midnight_after else parts["time"]
    fraction = (parts["fraction"] or "")[:6].ljust(6, "0")
    try:
        local = datetime.fromisoformat(f"{parts['date']}T{time}.{fraction}").replace(tzinfo=_offset(parts["zone"]))
        return (local + timedelta(days=midnight_after)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _offset(zone: str | None) -> timezone:
    if zone is None or zone == "Z":
        return UTC
    hours, minutes = int(zone[1:3]), int(zone[4:6])
    if hours * 60 + minutes > 14 * 60 or minutes > 59:  # xs:dateTime's bound
        raise ValueError
    return timezone(timedelta(hours=hours, minutes=minutes) * (-1 if zone[0] == "-" else 1))
