"""Why something expected did not happen in a scenario: what was found instead, and what to do about it."""

from watchdog.core.incidents.lifecycle import State
from watchdog.core.incidents.quiet.inhibition import Cause, Inhibitions
from watchdog.core.rules.rule import Rule
from watchdog.core.scenarios.played import Lived, Played
from watchdog.core.scenarios.prepared import says_enough
from watchdog.core.scenarios.scenario import Expected
from watchdog.core.text.durations import format_duration

__all__ = ["held_back", "why_not_judged", "why_not_told"]

Found = tuple[str, str]
"""What was found, and what to do."""


def why_not_told(played: Played, expected: Expected) -> Found:
    """Return why a message was not sent."""
    until = format_duration(played.until_s)
    events = [told for told in played.told if told.notice.rule == expected.rule]
    if events:
        said = ", ".join(f"{told.notice.event} at {format_duration(told.at_s)}" for told in events[:4])
        keys = {", ".join(f"{k}={v}" for k, v in told.notice.key.items()) for told in events}
        about = f" ({'; '.join(sorted(keys))})" if any(keys) else ""
        return f"none by {until}; of {expected.rule}{about} were sent: {said}", ""
    mine = [lived for lived in played.lived if lived.incident.rule == expected.rule]
    return _of_incident(played, mine[-1]) if mine else why_not_judged(played, expected)


def _of_incident(played: Played, last: Lived) -> Found:
    incident, rule = last.incident, played.rule(last.incident.rule)
    since, for_ = format_duration(last.since_s), format_duration(rule.for_s if rule is not None else 0.0)
    if incident.state is State.PENDING:
        return (
            f"it pending since {since} (its `for` is {for_}), and the scenario ends at {format_duration(played.until_s)}",
            f'write until = "…", so that it lasts for {for_}',
        )
    if incident.state is State.DROPPED:
        return f"it pending, and over again at {since}, before its `for` of {for_}", "let the rows hold for longer"
    if incident.state is State.FIRING:
        return f"it firing since {since}, {held_back(played, last)}", 'write state = "firing" in place of message'
    return f"it {incident.state} since {since}", ""


def held_back(played: Played, lived: Lived) -> str:
    """Say what an incident that fired was held back by, as things stood then."""
    latest = {one.incident.id: one.incident for one in played.lived if one.at_s <= lived.at_s}
    causes = Inhibitions(Cause(one) for one in latest.values() if one.open).explained_by(lived.incident)
    return f"held back by {', '.join(dict.fromkeys(cause.rule for cause in causes))}" if causes else "sent to nobody"


def why_not_judged(played: Played, expected: Expected) -> Found:
    """Return why a rule has no incident, or no row to judge."""
    rule = played.rule(expected.rule)
    if rule is None:
        return (
            f'{expected.rule} not among the rules of the target "{played.scenario.target}"',
            "write target = a name that its `targets` cover",
        )
    if not rule.enabled:
        return "it switched off", f'write switched_on = ["{rule.name}"]'
    if not says_enough(rule, played.written):
        return _unsaid(played, rule)
    if reason := played.without_verdict.get(rule.name):
        return f"no verdict: {reason}", ""
    if rule.name in played.scenario.quiet and rule.name not in played.covered:
        return _no_row(rule), ""
    return f"its condition true of no row: {' '.join((rule.when or rule.query or '').split())}", ""


def _no_row(rule: Rule) -> str:
    where = f" that its `where` selects ({rule.where})" if rule.where else ""
    return f"no row of {rule.table or ' and '.join(sorted(rule.reads))}{where}"


def _unsaid(played: Played, rule: Rule) -> Found:
    """Name the columns that decide a rule, and of which the scenario says nothing."""
    unsaid = {table: sorted(columns - played.written.get(table, frozenset())) for table, columns in sorted(rule.reads.items())}
    named = ", ".join(f"{table}.{column}" for table, columns in unsaid.items() for column in columns)
    tables = [table for table in rule.reads if table not in played.written]
    if tables:
        named = named or ", ".join(tables)
    place = next(table for table, columns in unsaid.items() if columns or table in tables)
    return f"nothing said of {named}, which {rule.name} reads", f"write them in the rows of {place}, or once for all in [usual.{place}]"
