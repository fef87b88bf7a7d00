"""A look at what a rule says of each row now, as a daemon would judge it: with what the database remembers of earlier polls.

In: the configuration, a target, a rule. Out: rows, or why there is no verdict.
"""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from watchdog.core.incidents.lifecycle import open_keys
from watchdog.core.judging.findings import Verdict
from watchdog.core.model.reading import Past

if TYPE_CHECKING:
    from watchdog.app.configured import Configured
    from watchdog.core.incidents.lifecycle import Incident
    from watchdog.core.judging.parts import RowLook
    from watchdog.core.model.rows import Key
    from watchdog.core.rules.rule import Rule
    from watchdog.polling.check import Looked
    from watchdog.store import Store

__all__ = ["looked", "verdict_of", "without_verdict"]


def looked(
    conf: "Configured",
    target: str,
    rule: str,
    store: "Store | None",
    open_incidents: "Sequence[Incident]",
    wanted: "Callable[[Rule, Key], bool]",
) -> "Looked":
    """Poll the target once. Nothing is written."""
    from watchdog.app.polling import build_checker  # noqa: PLC0415
    from watchdog.app.watching import stored_past  # noqa: PLC0415
    from watchdog.cli.output.status_line import StatusLine  # noqa: PLC0415
    from watchdog.config.rulebook import rules_for  # noqa: PLC0415
    from watchdog.core.judging.judge import windows_of  # noqa: PLC0415
    from watchdog.tables import TABLES  # noqa: PLC0415

    keep_s = max(windows_of(rules_for(conf.book, target, TABLES)))
    past = Past() if store is None else stored_past(store, target, keep_s, time.time())
    checker = build_checker(conf, (target,), time.time, time.perf_counter)
    try:
        with StatusLine() as status:
            return checker.look_at(target, rule, past, open_keys(open_incidents), wanted, status.say)
    finally:
        checker.close()


def without_verdict(look: "Looked") -> str:
    """Why the rule has no verdict on any row; empty if it has."""
    judgement = look.judgement
    if judgement.unknown:
        return f"unknown: {judgement.unknown}"
    if judgement.idle:
        return f"idle, it has no verdict here: {judgement.idle}"
    return f"none, the rule failed: {judgement.failed}" if judgement.failed else ""


def verdict_of(row: "RowLook") -> str:
    """The verdict on one row in words."""
    finding = row.finding
    if finding.verdict is Verdict.UNKNOWN:
        return f"unknown: {finding.reason or 'a value that it reads is missing'}"
    if finding.verdict is Verdict.NOT_COVERED:
        return "not covered: the rule is switched off for it" if not finding.rule.enabled else "not covered: `where` is not true of it"
    if finding.verdict is Verdict.BREACH:
        return f"breach, {finding.severity.value}"
    absent = len(finding.cells) <= len(finding.rule.key)
    return "clear: it is not there now" if absent else finding.verdict.value
