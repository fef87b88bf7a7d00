"""Table memory and the samples of windowed columns: written each cycle, read when the daemon starts.

Bodies are MessagePack by msgspec: unlike JSON it can store infinity and composite keys. A body that a changed table can no longer decode is
dropped with a log line: that loses a window of history, but stops nothing.
"""

from collections.abc import Mapping

import msgspec
import structlog

from watchdog.core.decoding import ready
from watchdog.core.incidents.plan import Plan
from watchdog.core.model.rows import Sample
from watchdog.core.model.servers.timings import Timing
from watchdog.store.sql import Connection

__all__ = ["load_memories", "load_samples", "write"]

_log = structlog.get_logger("watchdog.store")
_Values = Mapping[str, tuple[float | None, ...]]


class _Heard(msgspec.Struct, array_like=True):
    """The body of a sample with timings; of one without, it is the values alone."""

    values: _Values
    heard_since: float
    timings: Mapping[str, Timing]


def write(connection: Connection, plan: Plan) -> None:
    """Write the plan's memories and samples, and delete samples that no window needs."""
    connection.executemany(
        "INSERT INTO memories VALUES (?, ?, ?) ON CONFLICT (target, table_name) DO UPDATE SET body = excluded.body",
        [(plan.target, name, body) for name, memory in plan.memories.items() if (body := _encoded(plan.target, name, memory)) is not None],
    )
    connection.executemany(
        "INSERT INTO samples VALUES (?, ?, ?, ?) ON CONFLICT (target, at, table_name) DO UPDATE SET body = excluded.body",
        [(plan.target, sample.at, name, _body(sample)) for name, sample in plan.samples.items()],
    )
    # Samples from the future are left by a clock that ran ahead; they would count as recent for as long as it ran ahead.
    connection.execute("DELETE FROM samples WHERE target = ? AND (at < ? OR at > ?)", (plan.target, plan.at - plan.keep_samples_s, plan.at))


def _body(sample: Sample) -> bytes:
    if sample.heard_since is None:
        return msgspec.msgpack.encode(sample.values)
    return msgspec.msgpack.encode(_Heard(sample.values, sample.heard_since, sample.timings))


def _encoded(target: str, table: str, memory: object) -> bytes | None:
    try:
        return msgspec.msgpack.encode(memory)
    except (TypeError, ValueError) as error:
        _log.warning("memory_not_kept", target=target, table=table, reason=str(error))
        return None


def load_memories(connection: Connection, target: str, types: Mapping[str, type]) -> dict[str, object]:
    """Table -> its memory, for the tables in `types` whose stored memory still decodes as its type."""
    found: dict[str, object] = {}
    for row in connection.execute("SELECT table_name, body FROM memories WHERE target = ?", (target,)):
        name = row["table_name"]
        if name not in types:
            continue
        try:
            found[name] = msgspec.msgpack.decode(row["body"], type=ready(types[name]))
        except (msgspec.MsgspecError, TypeError, ValueError) as error:
            _log.warning("memory_dropped", target=target, table=name, reason=str(error))
    return found


def load_samples(connection: Connection, target: str, since: float) -> dict[str, tuple[Sample, ...]]:
    """Table -> its samples from `since` on (epoch seconds), oldest first."""
    found: dict[str, list[Sample]] = {}
    rows = connection.execute("SELECT table_name, at, body FROM samples WHERE target = ? AND at >= ? ORDER BY at", (target, since))
    for row in rows:
        try:
            body: _Heard | _Values = msgspec.msgpack.decode(row["body"], type=ready(_Heard | _Values))
        except (msgspec.MsgspecError, ValueError) as error:
            _log.warning("sample_dropped", target=target, table=row["table_name"], reason=str(error))
            continue
        sample = Sample(row["at"], body.values, body.heard_since, body.timings) if isinstance(body, _Heard) else Sample(row["at"], body)
        found.setdefault(row["table_name"], []).append(sample)
    return {name: tuple(samples) for name, samples in found.items()}
