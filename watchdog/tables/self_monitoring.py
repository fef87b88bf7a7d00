"""`receivers`, `rules`, `silences` and `self`: watchdog's self-monitoring, on the reserved target `watchdog`."""

from datetime import UTC, datetime

from watchdog.core.model.history import numbers_within, risen, second_look_needed
from watchdog.core.model.rows import Cell, Column, Kind, Look, Reading, Row, Sample, Table
from watchdog.core.model.self_seen import ReceiverSeen, RuleSeen, SelfSeen, SilenceSeen

__all__ = ["RECEIVERS", "RULES", "SELF", "SILENCES"]

N, T, B = Kind.NUMBER, Kind.TEXT, Kind.BOOLEAN


def _read_receivers(look: Look) -> Reading:
    return Reading(tuple(_receiver(seen, look.now) for seen in _seen(look).receivers))


def _receiver(seen: ReceiverSeen, now: float) -> Row:
    waited = 0.0 if seen.oldest_at is None else max(now - seen.oldest_at, 0.0)
    ok = 0.0 if seen.last_ok_at is None else max(now - seen.last_ok_at, 0.0)
    return Row(
        {
            "name": seen.name,
            "pending": float(seen.pending),
            "oldest_s": waited,
            "dead": float(seen.dead),
            "off": seen.off,
            "last_ok_s": ok,
        }
    )


def _read_rules(look: Look) -> Reading:
    return Reading(tuple(_rule(seen) for seen in _seen(look).rules))


def _rule(seen: RuleSeen) -> Row:
    return Row({"name": seen.name, "failed": bool(seen.error), "error": seen.error, "took_ms": seen.took_ms, "trial": seen.trial})


def _read_silences(look: Look) -> Reading:
    return Reading(tuple(_silence(seen, look.now) for seen in _seen(look).silences))


def _silence(seen: SilenceSeen, now: float) -> Row:
    return Row(
        {
            "id": seen.id,
            "active": seen.active,
            "matchers": seen.matchers,
            "version": seen.version,
            "hides": float(seen.hides),
            "remaining_s": max(seen.ends_at - now, 0.0),
            "until": _clock(seen),
            "comment": seen.comment,
            "author": seen.author,
        }
    )


def _clock(seen: SilenceSeen) -> str:
    """When it ends, in UTC; with the date if that is not the day on which it began."""
    began, ends = datetime.fromtimestamp(seen.starts_at, UTC), datetime.fromtimestamp(seen.ends_at, UTC)
    return f"{ends:%H:%M} UTC" if began.date() == ends.date() else f"{ends:%Y-%m-%d %H:%M} UTC"


def _read_self(look: Look) -> Reading:
    seen = _seen(look)
    cells: dict[str, Cell] = {
        "cycle_s": seen.cycle_s,
        "late_cycles": float(seen.late_cycles),
        "config_rejected": bool(seen.config_error),
        "config_error": seen.config_error,
        "database_bytes": float(seen.database_bytes),
        "heartbeat_error": seen.heartbeat_error,
        "engine_error": seen.engine_error,
        "engine_workers": float(seen.engine_workers),
    }
    sample = Sample(look.now, {"": (float(seen.late_cycles), float(seen.cycles))})
    if idle := second_look_needed(look, "late_lately", "late_share"):
        return Reading((Row(cells),), idle=idle, sample=sample)
    late, cycles = (
        risen([*(count for _, count in numbers_within(look, "", nth)), count])
        for nth, count in enumerate(sample.values[""])
        if count is not None
    )
    cells |= {"late_lately": late, "late_share": min(late / cycles, 1.0) if cycles else 0.0}
    return Reading((Row(cells),), sample=sample)


def _seen(look: Look) -> SelfSeen:
    return look.self_seen if isinstance(look.self_seen, SelfSeen) else SelfSeen()


RECEIVERS = Table(
    "receivers",
    "a receiver",
    ("name",),
    (
        Column("name", T, "the receiver's name"),
        Column("pending", N, "messages that wait for it", "messages", 0.0),
        Column("oldest_s", N, "how long the oldest of them has waited", "s", 0.0),
        Column(
            "dead",
            N,
            "messages given up since its last delivery, or about incidents that still fire or whose end was not delivered",
            "messages",
            0.0,
        ),
        Column("off", B, "switched off", neutral=False),
        Column("last_ok_s", N, "since its last delivery; 0 where there was none", "s", 0.0),
    ),
    lambda _: (),
    _read_receivers,
    own=True,
)

RULES = Table(
    "rules",
    "a loaded rule",
    ("name",),
    (
        Column("name", T, "the rule's name"),
        Column("failed", B, "its last run failed"),
        Column("error", T, "how; empty where it did not", neutral=""),
        Column("took_ms", N, "its last run", "ms", 0.0),
        Column("trial", B, "on trial wherever it is judged: nobody is notified", neutral=False),
    ),
    lambda _: (),
    _read_rules,
    own=True,
)

SILENCES = Table(
    "silences",
    "a silence, or a deploy that keeps incidents quiet, if a receiver with `tell_silences` is notified of it",
    ("id",),
    (
        Column("id", T, "its id, as `watchdog silence list` shows it"),
        Column("active", B, "it applies now; an hour after its end it is gone from the table", neutral=False),
        Column("matchers", T, "what it hides, in words"),
        Column("version", T, "what is deployed; empty for a silence", neutral=""),
        Column("hides", N, "open incidents that it hid when it began; after its end, that it had hidden", "incidents", 0.0),
        Column("remaining_s", N, "until it ends", "s", 0.0),
        Column("until", T, "when it ends, in UTC"),
        Column("comment", T, "why; empty if nobody said", neutral=""),
        Column("author", T, "who asked for it; empty if not known", neutral=""),
    ),
    lambda _: (),
    _read_silences,
    own=True,
)

SELF = Table(
    "self",
    "watchdog itself",
    (),
    (
        Column("cycle_s", N, "the longest of the last cycles of all targets", "s", 0.0),
        Column("late_cycles", N, "cycles that took longer than their interval, or began that much late, since the start", "cycles", 0.0),
        Column("config_rejected", B, "the last reload was refused; the old configuration is in force", neutral=False),
        Column("config_error", T, "why; empty where it was not", neutral=""),
        Column("database_bytes", N, "size of the database", "bytes", 0.0),
        Column("heartbeat_error", T, "why the last heartbeat was not accepted; empty if it was, or if there is none", neutral=""),
        Column(
            "engine_error", T, "why watchdog looks itself where its workers should; empty if they do, or if there is no engine", neutral=""
        ),
        Column("engine_workers", N, "its workers that look", "workers", 0.0),
        Column("late_lately", N, "late cycles within the window", "cycles", 0.0, windowed=True),
        Column("late_share", N, "of all cycles within the window", "ratio", 0.0, windowed=True),
    ),
    lambda _: (),
    _read_self,
    own=True,
)
