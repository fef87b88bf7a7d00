"""Why open incidents are quiet, as the database and the configuration say.

In: an open store, the settings. Out: the reason for each incident of which no receiver is notified.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from watchdog.config.sections.mutes import to_windows
from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.quiet.reasons import Reason, quiet_reasons

if TYPE_CHECKING:
    from watchdog.config.settings import Settings
    from watchdog.store import Store

__all__ = ["reasons_of"]


def reasons_of(incidents: Sequence[Incident], store: "Store", settings: "Settings", now: float) -> dict[str, Reason]:
    """Id of each open incident that is quiet for every receiver -> why."""
    windows = [window for window in to_windows(settings.mute) if window.all_receivers]
    acknowledged, deploys = store.acknowledged(), store.deploys()
    return quiet_reasons(incidents, store.silences(), now, acknowledged=acknowledged, deploys=deploys, windows=windows)
