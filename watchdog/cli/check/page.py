"""The result of `watchdog check` for people: the verdict in one line, then what fires, then what is unknown and why.

In: a `CheckResult`. Out: a page.
"""

from collections.abc import Iterator, Sequence

from watchdog.cli.output.page import Block, Entries, Entry, Grid, Ink, Line, Piece
from watchdog.core.incidents.payload import iso
from watchdog.core.judging.check_result import CheckResult, Firing, SourceSeen
from watchdog.core.judging.expectations import Answer
from watchdog.core.model.severity import Severity
from watchdog.core.text.phrasing import format_value, worth_showing
from watchdog.core.text.sanitize import first_line
from watchdog.core.text.wording import counted, key_text, values_text

__all__ = ["check_page", "counted", "first_line", "key_text", "values_text"]

ON_TRIAL = "on trial: decides nothing"
_LISTED = 8


def check_page(result: CheckResult, footer: str, *, verbose: bool = False) -> list[Block]:
    """The page; `footer` names the configuration. `verbose` adds sources, idle rules and links."""
    page: list[Block] = [Line.of(verdict(result))]
    if result.firing:
        page += [Line(), Entries(tuple(_firing(firing, verbose=verbose) for firing in result.firing))]
    if result.expected:
        page += [Line(), Line.of("Expected:"), Entries(tuple(map(_expected, result.expected)))]
    page += _unknown(result)
    page += _sources(result, verbose=verbose)
    if result.notes:
        page += [Line(), *(Line.of(Ink(f"{n.table} of {n.target}: {n.note}", "faint")) for n in result.notes)]
    if verbose and result.idle:
        rows = tuple((idle.rule, idle.target, idle.reason) for idle in result.idle)
        page += [Line(), Line.of("Idle (no verdict here, which is no failure):"), Grid(("rule", "target", "why"), rows)]
    return [*page, Line(), Line.of(Ink(f"{iso(result.checked_at)} · {footer}", "faint"))]


def verdict(result: CheckResult) -> Ink:
    """The whole answer in one line."""
    mild = [f for f in result.firing if not f.blind and not f.trial and not f.severity.at_least(result.fail_on)]
    unknown = [u for u in result.unknown if not u.trial]
    trial = sum(f.trial for f in result.firing) + sum(u.trial for u in result.unknown)
    down = [s for s in result.sources if not s.up]
    false = [answer for answer in result.expected if answer.ok is False]
    open_ = [answer for answer in result.expected if answer.ok is None]
    parts = [f"{counted(len(false), 'expectation')} false"] if false and result.failing else []
    parts += [f"{len(mild)} below {result.fail_on}"] if mild else []
    parts += [f"{counted(len(down), 'source')} down"] if down else []
    parts += [f"{len(unknown)} unknown"] if unknown else []
    parts += [f"{counted(len(open_), 'expectation')} not answered"] if open_ else []
    parts += [f"{trial} on trial"] if trial else []
    parts += [counted(result.rules, "rule"), counted(len(result.targets), "target")]
    head, style = {
        0: ("OK: nothing fires" if not mild else "OK", "good"),
        1: (f"FIRING: {len(result.failing)}{_critical(result.failing)}" if result.failing else f"NOT AS EXPECTED: {len(false)}", "bad"),
        3: ("COULD NOT LOOK", "odd"),
    }[result.exit_code]
    separator = ": " if head in ("OK", "COULD NOT LOOK") else ", "
    return Ink(f"{head}{separator}{', '.join(parts)}", style)


def _critical(firing: Sequence[Firing]) -> str:
    critical = sum(1 for f in firing if f.severity is Severity.CRITICAL)
    return f" ({critical} critical)" if critical else ""


def _firing(firing: Firing, *, verbose: bool) -> Entry:
    head: tuple[Piece, ...] = (
        Ink(firing.severity.value, firing.severity.value),
        Ink(firing.rule, "strong"),
        firing.target,
        key_text(firing.key),
    )
    lines: list[Piece] = [*([Ink(ON_TRIAL, "odd")] if firing.trial else []), firing.summary]
    unsaid = {name: cell for name, cell in worth_showing(firing.values).items() if not (isinstance(cell, str) and cell in firing.summary)}
    if unsaid:
        lines.append(Ink(values_text(unsaid), "faint"))
    if firing.runbook:
        lines.append(f"→ {first_line(firing.runbook)}")
    if verbose and firing.link:
        lines.append(f"link: {firing.link}")
    return Entry(head, tuple(lines))


def _expected(answer: Answer) -> Entry:
    """`ok`, `false` with the rows that show it, or `unknown` and why."""
    word, style = {True: ("ok", "good"), False: ("false", "bad"), None: ("unknown", "odd")}[answer.ok]
    shown = [values_text(row) for row in answer.rows if row]
    lines = shown[:_LISTED] + ([f"and {len(shown) - _LISTED} more"] if len(shown) > _LISTED else [])
    return Entry((Ink(word, style), answer.expect, answer.target), tuple(lines or ([answer.reason] if answer.reason else [])))


def _unknown(result: CheckResult) -> Iterator[Block]:
    """Each reason once, with the rules that it blinds; for those on trial once more."""
    reasons: dict[tuple[str, str, bool], dict[str, list[str]]] = {}
    for unknown in result.unknown:
        keys = reasons.setdefault((unknown.reason, unknown.target, unknown.trial), {}).setdefault(unknown.rule, [])
        keys += [key_text(unknown.key)] if unknown.key else []
    if reasons:
        yield Line()
        yield Line.of("Could not be known:")
    for (reason, target, trial), rules in reasons.items():
        yield Line.of(Ink(target, "strong"), ": ", Ink(reason, "odd"), indent=2)
        yield Line.of(
            "blinds, on trial: " if trial else "blinds ", "; ".join(_blinded(rule, keys) for rule, keys in rules.items()), indent=6
        )


def _blinded(rule: str, keys: Sequence[str]) -> str:
    listed = ", ".join(keys[:_LISTED]) + (f" and {len(keys) - _LISTED} more" if len(keys) > _LISTED else "")
    return f"{rule} ({listed})" if keys else rule


def _sources(result: CheckResult, *, verbose: bool) -> Iterator[Block]:
    """With `verbose` every source; else those that are up but left something unanswered, unless that is reported already."""
    said = {unknown.reason for unknown in result.unknown}
    half = [s for s in result.sources if s.up and s.error and s.error not in said]
    if verbose and result.sources:
        yield Line()
        yield Grid(("source", "target", "up", "latency", "error"), tuple(map(_source, result.sources)))
    elif half:
        yield Line()
        yield from (Line.of(Ink(f"{s.source} of {s.target} did not answer everything: {s.error}", "odd")) for s in half)


def _source(source: SourceSeen) -> tuple[Piece, ...]:
    latency = "" if source.latency_ms is None else f"{format_value(source.latency_ms)} ms"
    return source.source, source.target, Ink("yes", "good") if source.up else Ink("no", "bad"), latency, source.error or ""
