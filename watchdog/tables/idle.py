"""Tables of the schema that no source fills yet: conditions on their columns are checked, rules on them are idle."""

from watchdog.core.model.rows import Column, Kind, Look, Reading, Table

__all__ = ["SCHEDULES"]

N, T = Kind.NUMBER, Kind.TEXT
LATER = "read from a later release on"


def _table(
    name: str, row_is: str, key: tuple[str, ...], columns: dict[str, tuple[Kind, str]], allowed: dict[str, tuple[str, ...]]
) -> Table:
    declared = tuple(Column(n, kind, what, later=LATER, allowed=allowed.get(n, ())) for n, (kind, what) in columns.items())

    def read(_: Look) -> Reading:
        return Reading(idle={c.name: f"{name} is {LATER}" for c in declared})

    return Table(name, row_is, key, declared, lambda _: (), read)


SCHEDULES = _table(
    "schedules",
    "a task expected to succeed on a schedule",
    ("task",),
    {
        "task": (T, "the task's name"),
        "every_s": (N, "how often it is expected"),
        "grace_s": (N, "how late it may be"),
        "last_success_s": (N, "since it last succeeded"),
        "overdue_s": (N, "by how much it is late"),
    },
    {},
)
