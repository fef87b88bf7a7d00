"""A fingerprint of what decides about incidents: two processes that look at the same targets must have the same.

In: a loaded configuration. Out: 16 hex digits. Where things are kept on a machine, what it logs, and secrets do not count: a password may
be another variable elsewhere. Where a target's servers are does: their URLs are secrets to the settings, so they count without the logins.
"""

import hashlib
import json

from watchdog import __version__
from watchdog.config.load import Loaded
from watchdog.config.settings import Settings
from watchdog.sources import SOURCES

__all__ = ["fingerprint"]

ELSEWHERE = {"database", "decisions", "rules", "include", "heartbeat", "http", "alertmanager", "engine", "log_level", "log_format"}
"""What may differ between machines, or is the business of the daemon alone."""


def fingerprint(loaded: Loaded) -> str:
    """The fingerprint of the settings, of the rules in their files, and of this version with those that it brings."""
    settings = loaded.settings.model_dump(mode="json", exclude=ELSEWHERE)
    decisive = [__version__, settings, _places(loaded.settings)]
    found = hashlib.sha256(json.dumps(decisive, sort_keys=True).encode("utf-8", "surrogatepass"))
    for file in loaded.rule_files:
        found.update(b"\0" + file.read_bytes())
    return found.hexdigest()[:16]


def _places(settings: Settings) -> dict[str, dict[str, str]]:
    """Target -> source -> where it is asked."""
    return {
        target.name: {name: one.masked_url().replace("***@", "") for name in SOURCES if (one := target.of_source(name)) is not None}
        for target in settings.target
    }
