"""What today's configuration says about who is notified: for explaining decisions, now and as they were.

In: settings, rules, recipients. Out: a value.
"""

from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct, field

from watchdog.config.rulebook import RuleBook, rules_for
from watchdog.config.settings import Settings, servers_of
from watchdog.core.incidents.quiet.flapping import NEVER_FLAPPING, Flapping
from watchdog.core.incidents.routing import Recipient, Routing
from watchdog.core.model.target import SELF
from watchdog.core.rules.overrides import Tuned, rule_for_key
from watchdog.core.rules.rule import Rule
from watchdog.tables import TABLES

__all__ = ["Today", "today_of"]


class Today(Struct, frozen=True):
    """What today's configuration says."""

    recipients: Sequence[Recipient] = ()
    routing: Routing = field(default_factory=Routing)
    flapping: Flapping = NEVER_FLAPPING
    tuned: Mapping[str, Mapping[str, Tuned]] = field(default_factory=dict)
    """Target -> rule -> the rule as it is tuned there."""
    intervals: Mapping[str, float] = field(default_factory=dict)
    servers: Mapping[str, Collection[str]] = field(default_factory=dict)
    """Target -> what identifies its servers."""

    def rule_of(self, target: str, name: str, key: Mapping[str, str]) -> Rule | None:
        """The rule as it is tuned for a row; None if there is none."""
        tuned = self.tuned.get(target, {}).get(name)
        return None if tuned is None else rule_for_key(tuned, key)


def today_of(settings: Settings, book: RuleBook, recipients: Sequence[Recipient], routing: Routing) -> Today:
    """What a configuration says."""
    names = (*(target.name for target in settings.target), SELF)
    return Today(
        recipients,
        routing,
        Flapping(settings.flap_window, settings.flap_quiet),
        {name: {one.rule.name: one for one in rules_for(book, name, TABLES)} for name in names},
        {target.name: settings.interval_of(target) for target in settings.target},
        {target.name: tuple(servers_of(target).values()) for target in settings.target},
    )
