"""The result of `watchdog check` for GitHub Actions: annotations as workflow commands, and a job summary in Markdown.

In: a `CheckResult`. Out: text. What makes the job fail is an `::error`; what fires below --fail-on is a `::warning`, or a `::notice` for
severity info. Names and texts are escaped: they can neither end nor start a command, and are not interpreted as Markdown.
"""

import re
from collections.abc import Iterator, Sequence

from watchdog.cli.check.page import verdict
from watchdog.cli.output.page import clean
from watchdog.core.incidents.payload import iso
from watchdog.core.judging.check_result import CheckResult, Firing, Unknown
from watchdog.core.model.severity import Severity
from watchdog.core.text.ci_commands import without_commands
from watchdog.core.text.phrasing import tidy
from watchdog.core.text.sanitize import first_line
from watchdog.core.text.wording import key_text, values_text

__all__ = ["MOST", "annotations", "as_markdown", "job_summary", "workflow_command"]

MOST = 10
"""The most annotations of one kind that GitHub shows for one step."""
MOST_ROWS = 500
"""The most rows of a table in the summary, which is limited to 1 MiB."""

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")


def annotations(result: CheckResult) -> str:
    """One workflow command each, the most severe first; if there are more than GitHub shows, the last one says how many."""
    found = list(_annotations(result))
    lines = []
    for kind in ("error", "warning", "notice"):
        mine = [one for one in found if one[0] == kind]
        lines += [workflow_command(*one) for one in (mine if len(mine) <= MOST else mine[: MOST - 1])]
        if len(mine) > MOST:
            lines.append(workflow_command(kind, "watchdog", f"{len(mine) - MOST + 1} more; the job summary has them all"))
    return "\n".join([*lines, verdict(result).text]) + "\n"


def job_summary(result: CheckResult, footer: str) -> str:
    """Markdown: the verdict, what fires, what was expected, what is unknown."""
    parts = [f"## watchdog: {as_markdown(verdict(result).text)}"]
    if result.firing:
        rows = [(f.severity.value, _rule(f), f.target, key_text(f.key), _words(f)) for f in result.firing]
        parts.append(_table(("severity", "rule", "target", "key", "what"), rows))
    if result.expected:
        words = {True: "ok", False: "false", None: "unknown"}
        rows_ = [(words[a.ok], a.expect, a.target, a.reason) for a in result.expected]
        parts.append(_table(("", "expected", "target", "why"), rows_))
    if result.unknown:
        unknown = [(u.target, _rule(u), key_text(u.key), u.reason) for u in result.unknown]
        parts.append(_table(("target", "could not be known", "key", "why"), unknown))
    return "\n\n".join([*parts, as_markdown(f"{iso(result.checked_at)} · {footer}")]) + "\n\n"


def as_markdown(text: str) -> str:
    """Text escaped for Markdown, on one line, also for a table cell."""
    return _PUNCTUATION.sub(r"\\\1", clean(text)).strip()


def _annotations(result: CheckResult) -> Iterator[tuple[str, str, str]]:
    """(kind, title, message) of each annotation."""
    failing = set(map(id, result.failing))
    for firing in result.firing:
        mild = "notice" if firing.severity is Severity.INFO or firing.trial else "warning"
        kind = "error" if id(firing) in failing or (firing.blind and not firing.trial) else mild
        yield kind, f"{_rule(firing)} in {firing.target}", "\n".join(filter(None, [_words(firing), first_line(firing.runbook)]))
    for answer in result.expected:
        if not answer.ok:
            said = "is false" if answer.ok is False else "could not be answered"
            yield "error", f"Expectation in {answer.target}", f"{answer.expect} {said}: {answer.reason}"
    blinded: dict[tuple[str, str], list[str]] = {}
    for unknown in result.unknown:
        if not unknown.trial:
            blinded.setdefault((unknown.target, unknown.reason), []).append(unknown.rule)
    for (target, reason), rules in blinded.items():
        yield "error", f"Could not be known in {target}", f"{reason}\nblinds {', '.join(dict.fromkeys(rules))}"


def _rule(one: Firing | Unknown) -> str:
    return f"{one.rule} (on trial)" if one.trial else one.rule


def _words(firing: Firing) -> str:
    return firing.summary or values_text(firing.values)


def workflow_command(kind: str, title: str, message: str, **more: str) -> str:
    """`::error title=…,file=…,line=…::…`, with the runner's escapes."""
    properties = ",".join(f"{name}={_property(value)}" for name, value in {"title": title, **more}.items())
    return f"::{kind} {properties}::{_message(message)}"


def _message(text: str) -> str:
    return without_commands(tidy(text), begins_line=False).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(clean(text)).replace(":", "%3A").replace(",", "%2C")


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [headers, ["---"] * len(headers), *([as_markdown(cell) for cell in row] for row in rows[:MOST_ROWS])]
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    return table + (f"\n\n{len(rows) - MOST_ROWS} more rows are not shown" if len(rows) > MOST_ROWS else "")
