"""The path of the database: as configured, or where this kind of installation keeps its state."""

from collections.abc import Mapping
from pathlib import Path

from watchdog.config.settings import Settings

__all__ = ["database_path"]

DATABASE = "watchdog.db"
SYSTEM_DATABASE = Path("/var/lib/watchdog") / DATABASE


def database_path(settings: Settings, environ: Mapping[str, str], system_database: Path = SYSTEM_DATABASE) -> Path:
    """`database`, else in $STATE_DIRECTORY, else the system's database if it exists, else in the user's state directory."""
    if settings.database:
        return Path(settings.database)
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
