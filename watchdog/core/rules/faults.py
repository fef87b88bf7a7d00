"""Faults in a file of rules or scenarios and where they are, collected while reading, so that all are reported at once."""

from collections.abc import Mapping

from msgspec import Struct, field

from watchdog.core.rules.toml_lines import Path, line_of

__all__ = ["Fault", "Notes", "found", "named"]


class Fault(Struct, frozen=True):
    """A fault in a file of rules, overrides or scenarios: where (line 0: unknown), in which rule (None: in none), and what.

    `kind`: what `rule` names, if it is something else.
    """

    file: str
    line: int
    rule: str | None
    what: str
    kind: str = "rule"

    def __str__(self) -> str:
        rule = "" if self.rule is None else f'{self.kind} "{self.rule}": '
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {rule}{self.what}" if place else f"{rule}{self.what}"


class Notes(Struct):
    """The faults found so far in one table of one file. `path` is the path of that table."""

    file: str
    lines: Mapping[Path, int]
    path: Path
    rule: str | None = None
    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)
    kind: str = "rule"

    def fault(self, what: str, *keys: str | int) -> None:
        """Add a fault of the key at `keys` (none: of the table itself)."""
        self.faults.append(Fault(self.file, self.line(*keys), self.rule, named(keys, what), self.kind))

    def warn(self, what: str, *keys: str | int) -> None:
        """Add a warning."""
        self.warnings.append(Fault(self.file, self.line(*keys), self.rule, named(keys, what), self.kind))

    def line(self, *keys: str | int) -> int:
        """Return the line of a key of this table."""
        return line_of(self.lines, (*self.path, *keys))


def named(keys: tuple[str | int, ...], what: str) -> str:
    """Return `escalate[2].when: …`; indexes count from 1."""
    name = "".join(f"[{key + 1}]" if isinstance(key, int) else f".{key}" for key in keys).lstrip(".")
    return f"{name}: {what}" if name else what


def found(value: object) -> str:
    """Return a value as TOML writes it, shortened."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value[:40]}…"' if len(value) > 40 else f'"{value}"'
    if isinstance(value, int | float):
        return f"the number {str(value)[:20]}"
    if isinstance(value, list):
        return "a list"
    return "a table" if isinstance(value, dict) else "a date or time"
