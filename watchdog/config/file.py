"""The configuration file: found, read, includes merged, references interpolated; file and line of every value are kept.

In: where to look. Out: a `Document`: plain values, not validated yet, and the place of each. Faults are collected, not raised.
"""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from watchdog.config.environment.empty import EMPTY_VARIABLE, is_empty
from watchdog.config.environment.interpolation import interpolate
from watchdog.core.model.target import TargetsMeant
from watchdog.core.rules.rule import Override
from watchdog.core.rules.toml_lines import Path as TomlPath
from watchdog.core.rules.toml_lines import line_of, lines_of, syntax_line
from watchdog.core.rules.toml_loading import load_toml
from watchdog.core.text.suggestions import did_you_mean

__all__ = ["SYSTEM_FOLDER", "ConfigError", "Document", "find_file", "matching", "read_document", "shown_name", "where"]

SYSTEM_FOLDER = Path("/etc/watchdog")
NAME = "watchdog.toml"
INCLUDABLE = ("target", "receiver", "mute", "override")
"""Tables that an included file may add to."""

_MOST_BYTES = 4 * 1024 * 1024
_NONE_MEANT = TargetsMeant()


class ConfigError(Exception):
    """The configuration cannot be used; `faults` are all reasons at once, one sentence each, without secrets.

    `rule_files`, `overrides` and `meant` (the targets) are those that could be read anyway, so that faults of rules are reported together
    with these; `shipped_rules`: whether the shipped rules apply too.
    """

    def __init__(
        self,
        faults: Sequence[str],
        rule_files: Sequence[Path] = (),
        overrides: Sequence[Override] = (),
        *,
        shipped_rules: bool = True,
        meant: TargetsMeant = _NONE_MEANT,
    ) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)
        self.rule_files, self.overrides, self.shipped_rules = tuple(rule_files), tuple(overrides), shipped_rules
        self.meant = meant


class _Text(Struct, frozen=True):
    """One file that was read: its displayed name, and the lines of its values."""

    shown: str
    lines: Mapping[TomlPath, int]


class Document(Struct):
    """One configuration: interpolated values merged from the file and its includes, their places, and the faults so far."""

    cwd: Path
    credentials: bool = True
    values: dict[str, Any] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)
    references: dict[TomlPath, str] = field(default_factory=dict)
    """Path -> the `${…}` in its text: such a value may be a secret, whatever its key."""
    faults: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    broken: bool = False
    """Whether a file could not be read at all."""
    _unread: set[TomlPath] = field(default_factory=set)
    _texts: list[_Text] = field(default_factory=list)
    _origins: dict[tuple[str, int], tuple[_Text, int]] = field(default_factory=dict)

    def unread(self, path: TomlPath) -> bool:
        """Whether this value, or one that contains it, has an unresolved reference: nothing more can be said about it."""
        return any(path[:length] in self._unread for length in range(1, len(path) + 1))

    def without_unread(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values without unresolved references: items of arrays, and plain keys, that contain one are left out."""
        kept = {key: value for key, value in values.items() if (key,) not in self._unread}
        for key in set(kept) & {str(path[0]) for path in self._unread}:
            kept[key] = [item for index, item in enumerate(kept[key]) if not any(path[:2] == (key, index) for path in self._unread)]
        return kept

    def place(self, path: TomlPath) -> str:
        """`watchdog.toml:12`, for a path in `values`."""
        text, own = self._texts[0], path
        match path:
            case (str(array), int(index), *rest) if (array, index) in self._origins:
                text, own_index = self._origins[array, index]
                own = (array, own_index, *rest)
        return f"{text.shown}:{line_of(text.lines, own)}"

    def add(self, path: Path, environ: Mapping[str, str], *, leave_out: Sequence[str], included: bool) -> None:
        """Read one file into this document; `leave_out` names top-level keys that other sources replace."""
        self.files.append(path)
        shown = self.shown(path)
        read = _read(path, shown)
        if isinstance(read, str):
            self.faults.append(read)
            self.broken = True
            return
        values, text = read
        for key in set(values) & set(leave_out):
            del values[key]
        filled = interpolate(values, environ, path.parent, credentials=self.credentials)
        self.faults += [f"{shown}:{line_of(text.lines, at)}: {where(at, filled.values)}: {fault}" for at, fault in filled.faults]
        self._texts.append(text)
        places = {key: self._merge(key, value, text, included=included) for key, value in filled.values.items()}
        self.references.update({_moved(at, places): reference for at, reference in filled.references.items()})
        self._unread.update(_moved(at, places) for at in filled.unread)

    def _merge(self, key: str, value: object, text: _Text, *, included: bool) -> int:
        """Add one top-level value. Returns the index of its first item."""
        if included and key not in INCLUDABLE:
            known = ", ".join(f"[[{name}]]" for name in INCLUDABLE)
            where = f"{text.shown}:{line_of(text.lines, (key,))}"
            self.faults.append(f'{where}: "{key}" cannot be in an included file{did_you_mean(key, INCLUDABLE)}; expected {known}')
            return 0
        if key not in INCLUDABLE or not isinstance(value, list) or not isinstance(self.values.get(key, []), list):
            self.values.setdefault(key, value)
            return 0
        items = self.values.setdefault(key, [])
        first = len(items)
        items.extend(value)
        self._origins.update({(key, first + index): (text, index) for index in range(len(value))})
        return first

    def shown(self, path: Path) -> str:
        """The path for display: relative if it is below the working directory, unless that is the root, as for a service."""
        below = path.is_relative_to(self.cwd) and self.cwd != Path(self.cwd.anchor)
        return str(path.relative_to(self.cwd)) if below else str(path)


def find_file(config: Path | None, environ: Mapping[str, str], cwd: Path, system_folder: Path = SYSTEM_FOLDER) -> Path | None:
    """`config`, else $WATCHDOG_CONFIG, else ./watchdog.toml, else the system's; None if there is none.

    ConfigError if a file was named and does not exist.
    """
    named, by = (config, "--config") if config else (environ.get("WATCHDOG_CONFIG"), "$WATCHDOG_CONFIG")
    if is_empty(named):
        raise ConfigError([f"{by}: {EMPTY_VARIABLE}"])
    if named == Path():  # click's value for ""
        raise ConfigError([f"{by}: expected a file, found the working directory: is the variable behind it not set?"])
    if named is None:
        return next((path for path in (cwd / NAME, system_folder / NAME) if _there(path)), None)
    path = cwd / named
    if not _there(path):
        raise ConfigError(
            [f"{named}: no such file (from {by}); name a watchdog.toml, or leave it away to use ./{NAME} or {system_folder / NAME}"]
        )
    return path


def read_document(
    path: Path, environ: Mapping[str, str], cwd: Path, leave_out: Sequence[str] = (), *, credentials: bool = True
) -> Document:
    """Read a file and its includes. Faults and warnings are in the document. `credentials`: see `interpolation.interpolate`."""
    document = Document(cwd, credentials)
    document.add(path, environ, leave_out=leave_out, included=False)
    includes = document.values.get("include", [])
    if isinstance(includes, list):
        for index, pattern in enumerate(includes):
            if isinstance(pattern, str) and not is_empty(pattern):  # other types are reported by the validation
                for included in _included(document, path, pattern, index):
                    document.add(included, environ, leave_out=leave_out, included=True)
    return document


def matching(folder: Path, pattern: str) -> list[Path]:
    """The files that match a pattern, sorted; relative patterns start at `folder`. Unreadable folders count as empty."""
    whole = folder / Path(pattern).expanduser()
    if not set(pattern) & set("*?["):
        return [whole] if _there(whole) else []
    relative = whole.relative_to(whole.anchor)
    try:
        return sorted(found for found in Path(whole.anchor).glob(str(relative)) if found.is_file())
    except (OSError, ValueError):
        return []


def where(path: TomlPath, values: Mapping[str, Any]) -> str:
    """The path for people: `target "prod": flower.url`, `route 1.2: match`. What has no name is counted from 1."""
    if len(path) > 1 and path[0] == "route" and isinstance(path[1], int):
        return _of_route(path)
    if len(path) < 2 or not isinstance(path[1], int) or path[0] not in INCLUDABLE:
        return _dotted(path)
    table = values[str(path[0])][path[1]]
    name = table.get("rule" if path[0] == "override" else "name") if isinstance(table, dict) else None
    head = f'{path[0]} "{shown_name(name)}"' if isinstance(name, str) and name else f"{path[0]} number {path[1] + 1}"
    return f"{head}: {_dotted(path[2:])}" if path[2:] else head


def shown_name(name: str) -> str:
    """A name in printable form."""
    return name if name.isprintable() and len(name) <= 100 else ascii(name)[1:-1][:60]


def _included(document: Document, path: Path, pattern: str, index: int) -> list[Path]:
    found = [file for file in matching(path.parent, pattern) if file not in document.files]
    if not found and not set(pattern) & set("*?["):
        document.faults.append(f'{document.place(("include", index))}: include: no file "{path.parent / pattern}"')
    elif not found:
        document.warnings.append(f'{document.place(("include", index))}: include: "{pattern}" matches no file in {path.parent}')
    return found


def _read(path: Path, shown: str) -> tuple[dict[str, Any], _Text] | str:
    """A file's values and their places, or what is wrong with it."""
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            return f"{shown}: larger than 4 MiB; expected a watchdog.toml"
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        return f"{shown}: not UTF-8 text; expected TOML"
    except OSError as error:
        return f"{shown}: cannot read it: {error.strerror}; expected a file that the user running watchdog may read"
    try:
        return load_toml(text), _Text(shown, lines_of(text))
    except tomllib.TOMLDecodeError as error:
        said = str(error).rpartition(" (at ")[0] or str(error)
        return f"{shown}:{syntax_line(error, text)}: not TOML: {said}"
    except (ValueError, RecursionError):
        return f"{shown}: not TOML: a number or key too long, or nesting too deep"


def _moved(path: TomlPath, firsts: Mapping[str, int]) -> TomlPath:
    """The merged path for a path in one file, whose arrays were appended to those read before."""
    if len(path) > 1 and isinstance(path[1], int):
        return (path[0], path[1] + firsts[str(path[0])], *path[2:])
    return path


def _there(path: Path) -> bool:
    """Whether the path exists; if that may not be checked, yes, so that reading it reports why."""
    try:
        return path.exists()
    except PermissionError:
        return True
    except (OSError, ValueError):
        return False


def _of_route(path: TomlPath) -> str:
    """The path of a route, counted as `watchdog routes test` does, or of one of its keys."""
    numbers: list[str] = []
    while len(path) > 1 and path[0] == "route" and isinstance(path[1], int):
        numbers.append(str(path[1] + 1))
        path = path[2:]
    head = f"route {'.'.join(numbers)}"
    return f"{head}: {_dotted(path)}" if path else head


def _dotted(path: TomlPath) -> str:
    return "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")
