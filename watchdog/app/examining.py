"""`watchdog doctor --app`: an app imported in its own environment, and judged.

In: the app as for `celery -A`, its Python, what workers consume. Out: a `CheckResult`, made like that of a poll: tables, rules, verdicts.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing

from watchdog.config.rulebook import RuleBook, app_rules, rules_for
from watchdog.core.judging.check_result import CheckResult, check_target
from watchdog.core.judging.evaluator import Evaluator
from watchdog.core.judging.judge import judge_all, windows_of
from watchdog.core.model.reading import DEFAULT_WINDOW_S, Past, read_tables
from watchdog.core.model.replies import Replies
from watchdog.core.model.severity import Severity
from watchdog.core.model.target import Target
from watchdog.sources.celery_app.reading import read_app
from watchdog.tables import TABLES
from watchdog.tables.celery_app import APP_TABLES

__all__ = ["examined_app"]

TIMEOUT_S = 60.0


def examined_app(
    app: str, python: str, consumed: Sequence[str], skipped: Collection[str], fail_on: Severity, environ: Mapping[str, str]
) -> CheckResult:
    """Import and judge the app. `AppUnreadError` if it cannot be imported."""
    seen = read_app(app, python, consumed, environ, TIMEOUT_S)
    target, now = Target(app), time.time()
    book = RuleBook(tuple(rule for rule in app_rules(TABLES, APP_TABLES) if rule.name not in skipped))
    rules = rules_for(book, app, APP_TABLES)
    past = Past(dict.fromkeys(APP_TABLES, seen))
    tables = read_tables(APP_TABLES, target, past, Replies(), now, windows_of(rules))
    with closing(Evaluator(APP_TABLES, stopwatch=time.perf_counter)) as evaluator:
        judgements = judge_all(evaluator, rules, tables)
    checked = check_target(app, judgements, tables.windows[DEFAULT_WINDOW_S], app=app)
    return CheckResult(now, len(rules), (checked,), fail_on)
