"""Where the database is: as configured, or where this kind of installation keeps its state."""

from collections.abc import Mapping
from pathlib import Path

from watchdog.config.settings import Settings
from watchdog.core.model.servers.database_url import DatabaseUrl, is_database_url

__all__ = ["DatabasePlace", "database_path", "is_absent"]

DatabasePlace = Path | DatabaseUrl
"""Where watchdog keeps what it knows: a file of SQLite, or a database of PostgreSQL."""
DATABASE = "watchdog.db"
SYSTEM_DATABASE = Path("/var/lib/watchdog") / DATABASE


def database_path(settings: Settings, environ: Mapping[str, str], system_database: Path = SYSTEM_DATABASE) -> DatabasePlace:
    """`database`, else in $STATE_DIRECTORY, else the system's database if it exists, else in the user's state directory."""
    if settings.database:
        return DatabaseUrl(settings.database) if is_database_url(settings.database) else Path(settings.database)
    if state := environ.get("STATE_DIRECTORY"):
        return Path(state.split(":")[0]) / DATABASE
    try:
        if system_database.exists():
            return system_database
    except PermissionError:  # it exists, but for other users: opening it reports that
        return system_database
    home = Path(environ.get("HOME") or Path.home())
    state_home = environ.get("XDG_STATE_HOME", "")
    return (Path(state_home) if state_home.startswith("/") else home / ".local" / "state") / "watchdog" / DATABASE


def is_absent(place: DatabasePlace) -> bool:
    """Whether a file was never made. A server is always asked: that it is away is no sign that watchdog never ran."""
    return isinstance(place, Path) and not place.exists()
