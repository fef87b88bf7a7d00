"""`django = "postgresql://…"` of a target: the database in which django-celery-beat keeps its schedule.

In: plain values. Out: frozen settings; errors never repeat a URL.
"""

from pathlib import PurePosixPath
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, SecretStr, field_validator

from watchdog.net.settings_types import PositiveDuration

__all__ = ["POSTGRESQL", "SQLITE", "DjangoSettings"]

POSTGRESQL = frozenset({"postgresql", "postgres"})
SQLITE = "sqlite"
_EXPECTED = "expected postgresql://user:password@host/database, or sqlite:////path/to/db.sqlite3 with four slashes"


class DjangoSettings(BaseModel):
    """How to reach the database. It is only read."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)

    url: SecretStr
    timeout: PositiveDuration = 2.0
    connect_timeout: PositiveDuration = 1.0

    @field_validator("url")
    @classmethod
    def _is_a_database(cls, url: SecretStr) -> SecretStr:
        try:
            parts = urlsplit(url.get_secret_value())
            parts.port  # noqa: B018 - raises if it is not a number
        except ValueError:
            raise ValueError(f"{_EXPECTED}; found a URL whose host or port cannot be read") from None
        if parts.scheme in POSTGRESQL and len(parts.path) > 1:
            return url
        if parts.scheme == SQLITE and not parts.netloc and PurePosixPath(parts.path[1:]).is_absolute():
            return url
        raise ValueError(f"{_EXPECTED}; found another URL. No other database is read: name its tasks in tables [[target.schedule]]")

    @property
    def path(self) -> str | None:
        """The file of a SQLite database; None: it is another."""
        parts = urlsplit(self.url.get_secret_value())
        return parts.path[1:] if parts.scheme == SQLITE else None

    @property
    def place(self) -> str:
        """Where it is, in words that may be shown: nothing secret."""
        parts = urlsplit(self.url.get_secret_value())
        return f"{parts.hostname or 'localhost'}:{parts.port or 5432}" if self.path is None else self.path

    @property
    def server(self) -> tuple[str, ...]:
        """What tells this database from others."""
        return (self.place, urlsplit(self.url.get_secret_value()).path)

    def masked_url(self) -> str:
        """The URL in a form that may be shown."""
        parts = urlsplit(self.url.get_secret_value())
        login = "***@" if parts.username or parts.password else ""
        host = parts.netloc.rpartition("@")[2]
        return f"{parts.scheme}://{login}{host}{parts.path}"
