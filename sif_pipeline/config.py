"""Settings of the pipeline, all from environment variables that start with SIF_."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sif_pipeline.exceptions import ConfigurationError

PROJECT = Path(__file__).resolve().parent.parent
"""The checkout (or site-packages) that holds sif_pipeline, warehouse, schemas and dags."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says; `from_environment` reads it once per process."""

    home: Path  #: SIF_HOME: where the embedded server, Airflow and logs live
    database_url: str | None  #: SIF_DATABASE_URL: any PostgreSQL >= 15; unset means the embedded server
    timezone: ZoneInfo = field(default_factory=lambda: ZoneInfo("America/New_York"))  #: SIF_TIMEZONE
    max_message_bytes: int = 8 * 1024 * 1024  #: SIF_MAX_MESSAGE_BYTES: larger messages are refused

    @classmethod
    def from_environment(cls) -> "Settings":
        """Read the settings; raise ConfigurationError with the variable's name when one cannot be used."""
        return cls(
            home=Path(os.environ.get("SIF_HOME") or PROJECT / "var").resolve(),
            database_url=os.environ.get("SIF_DATABASE_URL") or None,
            timezone=_timezone(os.environ.get("SIF_TIMEZONE") or "America/New_York"),
            max_message_bytes=_positive("SIF_MAX_MESSAGE_BYTES", 8 * 1024 * 1024),
        )


def _timezone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigurationError("SIF_TIMEZONE is not an IANA time zone such as America/New_York.") from error


def _positive(variable: str, default: int) -> int:
    text = os.environ.get(variable)
    if not text:
        return default
    if not text.isdecimal() or int(text) < 1:
        raise ConfigurationError(f"{variable} must be a whole number of bytes above zero.")
    return int(text)
