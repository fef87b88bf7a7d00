"""The result of a replay for people and machines: differences first, then what could not be judged.

In: a result. Out: a page, and a JSON document.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from watchdog.cli.output.page import Block, ByMedium, Entries, Entry, Grid, Ink, Line, Piece
from watchdog.cli.rules.replay.replaying import Result
from watchdog.core.incidents.explain.sentences import quiet_sentence
from watchdog.core.replay.compare import Kind, Pair
from watchdog.core.replay.player import Replayed
from watchdog.core.replay.spell import Spell
from watchdog.core.text.durations import format_duration
from watchdog.core.text.timestamps import iso
from watchdog.core.text.wording import counted, key_text
from watchdog.status.clock import clock_of

__all__ = ["replay_document", "replay_page"]

HEADERS = (
    "difference", "rule", "target", "key", "severity", "would_fire", "would_last", "would_tell", "fired", "lasted", "told", "why",
    "summary",
)  # fmt: skip
STYLES = {Kind.NEW: "warning", Kind.GONE: "warning", Kind.DIFFERENT: "odd", Kind.NOT_REPLAYED: "bad", Kind.SAME: "good"}
NOT = "-"
UNTOLD = {
    "no_receiver": "no receiver is configured",
    "not_routed": "no receiver is for it",
    "itself": "it is about the only receiver",
    "later": "it is over before a receiver wants to hear of it",
    "group": "it is over before its group is sent",
}
"""Why, as a word -> a phrase."""


def replay_page(result: Result, *, verbose: bool) -> list[Block]:
    """The page: on a terminal an entry for each difference, to a pipe a table of all."""
    page: list[Block] = []
    if result.pairs:
        shown = tuple(pair for pair in result.pairs if verbose or pair.kind is not Kind.SAME)
        page.append(
            ByMedium(
                (Grid(HEADERS, tuple(_row(pair, result) for pair in result.pairs)),),
                (Entries(tuple(_entry(pair, result) for pair in shown)),) if shown else (),
            )
        )
    for target, one in result.targets.items():
        page += _what_was_recorded(target, one, result, verbose=verbose)
    page += [Line.of(_verdict(result)), *map(Line.of, _messages(result)), *(Line.of(Ink(line, "faint")) for line in _not_known(result))]
    return [*page, Line.of(Ink(f"replayed in {result.took_s:.1f} s · database {result.database} · {result.footer}", "faint"))]


def _verdict(result: Result) -> Ink:
    count = {kind: sum(1 for pair in result.pairs if pair.kind is kind) for kind in Kind}
    words = ", ".join(f"{number} {kind}" for kind, number in count.items() if number)
    if result.exit_code == 1:
        return Ink(f"The rules would send something else: {words}", "warning")
    if result.exit_code == 3:
        return Ink("Nothing could be replayed", "bad")
    return Ink(f"The rules would send what was sent: {words or 'nothing fired'}", "good")


def _entry(pair: Pair, result: Result) -> Entry:
    clock = clock_of(result.now)
    spell = pair.spell
    about = " · ".join(filter(None, (spell.target, key_text(spell.key))))
    lines: list[Piece] = [
        "would be sent " + (_told(pair.would, clock, result.now) if pair.would else "not at all"),
        "was sent      " + (_told(pair.was, clock, result.now) if pair.was else "not at all"),
    ]
    if pair.kind is Kind.NOT_REPLAYED:
        lines[0] = f"would be sent ? {pair.why}"
    return Entry(
        (
            Ink(pair.kind.value, STYLES[pair.kind]),
            Ink(spell.rule, "strong"),
            about,
            Ink(pair.why, "faint") if pair.would or not pair.why else "",
        ),
        tuple(lines),
    )


def _told(spell: Spell, clock: Any, now: float) -> str:
    """Say of one side when it was told to whom, or that it fired and nobody was."""
    lasts = f"for {_lasts(spell, now)}, {spell.severity}"
    if spell.told_at is None:
        why = untold_text(spell, clock)
        return f"to nobody{f' ({why})' if why else ''}; fires at {clock(spell.fired_at)} {lasts}"
    at: dict[str, list[str]] = {}
    for receiver, when in sorted(spell.first_told.items(), key=lambda one: one[1]):
        at.setdefault(clock(when), []).append(receiver)
    told = ", ".join(f"at {when} to {' and '.join(receivers)}" for when, receivers in at.items())
    return f"{told}; fires {lasts}"


def untold_text(spell: Spell, clock: Any) -> str:
    """Say why nobody is told as it fires; empty if that is not known."""
    if spell.told_as:
        return f"sent as that of {spell.told_as}, which shares the server"
    if spell.untold is None:
        return ""
    if spell.untold.reason is not None:
        return quiet_sentence(spell.untold.reason, clock)
    return UNTOLD.get(spell.untold.why or "", "")


def _lasts(spell: Spell, now: float) -> str:
    lasted = format_duration(max(round((now if spell.until is None else spell.until) - spell.fired_at), 0))
    return f"{lasted} until now" if spell.until is None else lasted


def _row(pair: Pair, result: Result) -> tuple[Piece, ...]:
    spell, would, was = pair.spell, pair.would, pair.was
    return (
        Ink(pair.kind.value, STYLES[pair.kind]),
        spell.rule,
        spell.target,
        key_text(spell.key),
        spell.severity.value,
        iso(would.fired_at) if would else NOT,
        _lasts(would, result.now) if would else NOT,
        iso(would.told_at) if would and would.told_at is not None else NOT,
        iso(was.fired_at) if was else NOT,
        _lasts(was, result.now) if was else NOT,
        iso(was.told_at) if was and was.told_at is not None else NOT,
        pair.why,
        spell.summary,
    )


def _messages(result: Result) -> Iterator[str]:
    """Yield how many messages there would be, beside how many there were, in the time that was asked for."""
    would = _count([pair.would for pair in result.pairs], result.since)
    was = _count([pair.was for pair in result.pairs if pair.kind is not Kind.NOT_REPLAYED], result.since)
    each = [f"{name} {would[name]} (was {was[name]})" for name in sorted({*would, *was})]
    if each:
        yield f"Messages: {', '.join(each)}"


def _count(spells: Iterable[Spell | None], since: float) -> Counter[str]:
    told = {(one.receiver, one.message) for spell in spells if spell is not None for one in spell.told if one.at >= since}
    return Counter(receiver for receiver, _ in told)


def _not_known(result: Result) -> Iterator[str]:
    """Yield what a replay cannot know of who would be told."""
    if result.unread:
        yield f"Receivers whose settings cannot be read here are left out: {result.unread}"
    yield (
        "Silences, deploys and acknowledgements are those of that time; receivers, routes and mute windows those of now. Not known: what "
        "receivers would have refused, what people would have done otherwise."
    )


def _what_was_recorded(target: str, one: Replayed, result: Result, *, verbose: bool) -> Iterator[Line]:
    """Yield how much was recorded, and which rules it says nothing of."""
    asked_s = result.now - result.since
    if one.since is None:
        yield Line.of(Ink(f"{target}: nothing was recorded in this time", "bad"))
        return
    recorded = f"{format_duration(round(min(one.covered.recorded_s, asked_s)))} of {format_duration(round(asked_s))}"
    judged = one.covered.rules - len(one.covered.never)
    yield Line.of(f"{target}: {recorded} recorded; {judged} of {counted(one.covered.rules, 'rule')} had a verdict")
    for why, rules in _by_reason(one.covered.never).items():
        yield Line.of(Ink("no verdict  ", "odd"), f"{', '.join(rules)}: {why}", indent=2)
    if verbose:
        for hidden in one.covered.hidden.values():
            if hidden.rule not in one.covered.never:
                whole = f"none for {format_duration(round(hidden.nothing_s))}" if hidden.nothing_s else ""
                some = f"not of every row for {format_duration(round(hidden.some_rows_s))}" if hidden.some_rows_s else ""
                yield Line.of(
                    Ink("in part     ", "odd"), f"{hidden.rule}: {', '.join(filter(None, (whole, some)))}: {hidden.reason}", indent=2
                )


def _by_reason(never: Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for rule, why in never.items():
        found.setdefault(why, []).append(rule)
    return found


def replay_document(result: Result) -> dict[str, Any]:
    """The same as JSON values."""
    return {
        "version": 1,
        "database": result.database,
        "since": iso(result.since),
        "until": iso(result.now),
        "same": result.exit_code == 0,
        "incidents": [
            {
                "difference": pair.kind.value,
                "rule": pair.spell.rule,
                "target": pair.spell.target,
                "key": dict(pair.spell.key),
                "why": pair.why,
                "would": _spell(pair.would),
                "was": _spell(pair.was),
            }
            for pair in result.pairs
        ],
        "targets": [
            {
                "target": name,
                "first_look": None if one.since is None else iso(one.since),
                "last_look": None if one.until is None else iso(one.until),
                "recorded_s": round(one.covered.recorded_s),
                "rules": one.covered.rules,
                "without_verdict": [{"rule": rule, "reason": why} for rule, why in one.covered.never.items()],
                "in_part": [
                    {"rule": rule, "nothing_s": round(part.nothing_s), "some_rows_s": round(part.some_rows_s), "reason": part.reason}
                    for rule, part in one.covered.hidden.items()
                    if rule not in one.covered.never
                ],
            }
            for name, one in result.targets.items()
        ],
    }


def _spell(spell: Spell | None) -> dict[str, Any] | None:
    if spell is None:
        return None
    return {
        "severity": spell.severity.value,
        "fired_at": iso(spell.fired_at),
        "until": None if spell.until is None else iso(spell.until),
        "told_at": None if spell.told_at is None else iso(spell.told_at),
        "told": [{"receiver": one.receiver, "event": one.event.value, "at": iso(one.at)} for one in spell.told],
        "why_untold": untold_text(spell, iso) or None,
        "ended": spell.ended or None,
        "summary": spell.summary,
    }
