"""`[[override]]`: other values for rules, on some targets or for some keys.

In: the tables as written. Out: overrides as the core applies them; `watchdog.core.rules.overrides` checks them against the rules.
"""

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictStr

from watchdog.core.model.severity import Severity
from watchdog.core.rules.remedy import RemedyWritten
from watchdog.core.rules.rule import Override
from watchdog.net.settings_types import Duration, PositiveDuration

__all__ = ["OverrideSettings", "to_override"]


class OverrideSettings(BaseModel):
    """One `[[override]]`: tunes rules by name, for all targets or some, all keys or some."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)

    rule: StrictStr
    target: StrictStr | None = None
    match: dict[str, StrictStr | list[StrictStr]] = Field(default_factory=dict)
    params: dict[str, StrictBool | float | StrictStr] = Field(default_factory=dict)
    enabled: StrictBool | None = None
    trial: StrictBool | None = None
    for_: Duration | None = Field(default=None, alias="for")
    keep_firing_for: Duration | None = None
    window: PositiveDuration | None = None
    severity: Severity | None = None
    deploy: StrictBool | None = None
    remedy: StrictStr | None = None
    after: Duration | None = None
    at_most: StrictStr | None = None
    when_still: StrictStr | None = None
    labels: dict[str, StrictStr] = Field(default_factory=dict)
    summary: StrictStr | None = None
    description: StrictStr | None = None
    runbook: StrictStr | None = None
    resolved: StrictStr | None = None


def to_override(override: OverrideSettings, where_from: str) -> Override:
    """An override as the core applies it; `where_from` is its file and line."""
    return Override(
        rule=override.rule,
        target=override.target,
        match={column: (globs,) if isinstance(globs, str) else tuple(globs) for column, globs in override.match.items()},
        params=dict(override.params),
        enabled=override.enabled,
        trial=override.trial,
        for_s=override.for_,
        keep_firing_for_s=override.keep_firing_for,
        window_s=override.window,
        severity=override.severity,
        deploy=override.deploy,
        remedy=RemedyWritten(override.remedy, override.after, override.at_most, override.when_still),
        labels=dict(override.labels),
        summary=override.summary,
        description=override.description,
        runbook=override.runbook,
        resolved=override.resolved,
        where_from=where_from,
    )
