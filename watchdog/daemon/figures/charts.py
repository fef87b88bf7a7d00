"""The chart that goes along with a message: how the figure went that its rule is about, from the daemon's own history.

In: a message that is about to be sent, the store, the rules as tuned. Out: a `Chart`, or None where there is nothing to draw: the rule
reads no number that history keeps, or too little of it is known. Read before the outbox is locked, so no cycle waits for it.
"""

from collections.abc import Callable, Mapping, Sequence

from watchdog.core.history.chart import Chart, DeployMark
from watchdog.core.history.lines import lines_of, series_drawn
from watchdog.core.history.series import Kept
from watchdog.core.incidents.messages import Event, Message, Notice
from watchdog.core.model.target import matches
from watchdog.core.rules.limits import limits_of
from watchdog.core.rules.overrides import Tuned, rule_for_key
from watchdog.core.rules.rule import Rule
from watchdog.receivers.notice_text import urgency
from watchdog.store import Store

__all__ = ["Charts"]

SPAN_S, LONGEST_SPAN_S, BEFORE_S = 6 * 3600.0, 24 * 3600.0, 3600.0
"""Six hours; more if the incident is older, so that an hour before it is seen, up to a day."""
LEAST_SPAN_S = 300.0
"""Of the time before anything was known nothing is shown, down to five minutes."""
FEWEST_POINTS = 3
MOST_DEPLOYS = 8


class Charts:
    """Charts of messages. `tuned`: target -> its rules; `kept`: what history keeps of each table."""

    def __init__(self, store: Store, tuned: Callable[[str], Sequence[Tuned]], kept: Mapping[str, Kept]) -> None:
        self._store, self._tuned, self._kept = store, tuned, kept
        self._rules: dict[str, Mapping[str, Tuned]] = {}

    def of(self, message: Message) -> Chart | None:
        """The chart of the most urgent incident that has one; what somebody works on was shown before."""
        for notice in sorted(message.notices, key=urgency)[:3]:
            if notice.event is not Event.ACKNOWLEDGED and (chart := self._chart(notice, message.created_at)) is not None:
                return chart
        return None

    def _chart(self, notice: Notice, until: float) -> Chart | None:
        rule = self._rule(notice)
        limits = limits_of(rule) if rule is not None else {}
        kept = self._kept.get(rule.table or "") if rule is not None else None
        drawn = series_drawn(kept, dict.fromkeys((*limits, *(rule.columns if rule is not None else ()))))
        if kept is None or drawn is None:
            return None
        column, place = drawn
        since = max(min(until - SPAN_S, notice.started_at - BEFORE_S), until - LONGEST_SPAN_S)
        key = tuple(notice.key.get(name, "") for name in kept.key)
        lines = lines_of(self._store.history(notice.target, since, until, {kept.table}), kept.table, key, place)
        if sum(map(len, lines)) < FEWEST_POINTS:
            return None
        since = max(since, min(lines[0][0][0], until - LEAST_SPAN_S))
        return Chart(
            notice.incident,
            column,
            ", ".join(key) or notice.target,
            notice.target,
            kept.series[place].unit,
            since,
            until,
            notice.started_at,
            lines,
            limits.get(column, ()),
            self._deploys(notice.target, since, until),
        )

    def _rule(self, notice: Notice) -> Rule | None:
        if notice.target not in self._rules:
            self._rules[notice.target] = {one.rule.name: one for one in self._tuned(notice.target)}
        tuned = self._rules[notice.target].get(notice.rule)
        return rule_for_key(tuned, notice.key) if tuned is not None else None

    def _deploys(self, target: str, since: float, until: float) -> tuple[DeployMark, ...]:
        there = [one for one in self._store.deploys() if since <= one.starts_at <= until and matches(target, one.targets)]
        return tuple(DeployMark(one.starts_at, one.version) for one in there[-MOST_DEPLOYS:])
