"""The settings in force, read from the cluster where they are not configured. In: a configuration and one poll. Out: values with origins.

The origin of a configured value is its file and line; secrets in URLs are masked.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from watchdog.config.load import Loaded
from watchdog.config.settings import TargetSettings
from watchdog.config.show import masked_url
from watchdog.core.model.demand import Demand
from watchdog.core.model.reading import Past
from watchdog.polling.poller import Poller
from watchdog.tables.queues.conf_origins import CONFIGURED, LiveSetting, live_settings, unanswered

__all__ = ["LiveTarget", "live_document", "live_target"]


class LiveTarget(Struct, frozen=True):
    """One target. `gaps`: source -> why it could not be asked."""

    name: str
    settings: tuple[LiveSetting, ...]
    gaps: Mapping[str, str]

    @property
    def whole(self) -> bool:
        """Whether everything could be asked."""
        return not self.gaps and not any(setting.gap for setting in self.settings)


def live_target(loaded: Loaded, index: int, poller: Poller, now: float) -> LiveTarget:
    """Poll the target for its settings only."""
    replies = poller.ask(Past(), now, demand=Demand({}))
    configured = loaded.settings.target[index]
    found = [_placed(setting, loaded, index) for setting in live_settings(poller.target, replies)]
    found = [_results_configured(s, configured, loaded, index) if s.name == "result_backend" else s for s in found]
    return LiveTarget(poller.target.name, tuple(found), unanswered(poller.target, replies))


def live_document(targets: Sequence[LiveTarget]) -> dict[str, Any]:
    """The same for machines; `value` is null if it is unknown, and `gap` says why."""
    return {
        "version": 1,
        "targets": [{"target": t.name, "settings": [_entry(s) for s in t.settings], "gaps": dict(t.gaps)} for t in targets],
    }


def _entry(setting: LiveSetting) -> dict[str, Any]:
    others = [{"worker": worker, "value": value} for worker, value in setting.others]
    value = list(setting.value) if isinstance(setting.value, tuple) else setting.value
    return {"name": setting.name, "value": value, "origin": setting.origin or None, "others": others, "gap": setting.gap or None}


def _placed(setting: LiveSetting, loaded: Loaded, index: int) -> LiveSetting:
    """The setting with the place of a configured value, and without secrets."""
    key = "queues" if setting.name == "declared_queues" else setting.name
    place = loaded.place(("target", index, "redis", key))
    origin = f"{CONFIGURED}: {place}" if setting.origin == CONFIGURED and place else setting.origin
    if setting.name != "result_backend":
        return replace(setting, origin=origin)
    others = tuple((worker, masked_url(value, hide_path=False)) for worker, value in setting.others)
    value = masked_url(setting.value, hide_path=False) if isinstance(setting.value, str) else setting.value
    return replace(setting, value=value, origin=origin, others=others)


def _results_configured(setting: LiveSetting, target: TargetSettings, loaded: Loaded, index: int) -> LiveSetting:
    """The target's own `results` setting takes precedence over its workers' settings."""
    if target.results is None:
        return setting
    place = loaded.place(("target", index, "results"))
    return replace(setting, value=target.results.masked_url(), origin=f"{CONFIGURED}: {place}" if place else CONFIGURED, gap="")
