"""The rooms of ARCHITECTURE.md, held against the imports: a broken arrow is named with file and line.

The table "Rooms" there is read from the page: a room may import itself and what its line names, and a line may name only lines above it.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "watchdog"
PAGE = (ROOT / "ARCHITECTURE.md").read_text()
NO_IO = {
    "asyncio", "fcntl", "http", "httpx", "io", "logging", "os", "pathlib", "random", "redis", "secrets", "select", "shutil", "signal",
    "socket", "ssl", "structlog", "subprocess", "sys", "tempfile", "time", r"urllib(?!\.parse$)", "uuid",
}  # fmt: skip
MODULES = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in PACKAGE.rglob("*.py")}
FULL_FOLDER, SHORT_FOLDER, LONG_FILE = 15, 3, 300


@dataclass(frozen=True)
class Room:
    path: str
    pure: bool
    may: frozenset[str]


def rooms() -> dict[str, Room]:
    """The lines of the table, in order: `| room | what | pure | may import |`."""
    table = PAGE.partition("| room |")[2].partition("\n\n")[0]
    found: dict[str, Room] = {}
    for line in table.splitlines()[2:]:
        name, _, pure, may = (cell.strip() for cell in line[1:-1].split("|"))
        path = name.strip("`").rstrip("/")
        allowed = {word.rstrip("/") for word in re.findall(r"`([^`]+)`", may)}
        everything = set(found) if "all above" in may else set()
        found[path] = Room(path, pure == "yes", frozenset(allowed | everything))
    return found


ROOMS = rooms()


def room_of(module: str) -> Room | None:
    """The room with the longest name that holds the module."""
    path = "/".join(module.split(".")[1:])
    fitting = [name for name in ROOMS if path == name.removesuffix(".py") or path.startswith(f"{name}/")]
    return ROOMS[max(fitting, key=len)] if fitting else None


@cache
def imports(path: Path) -> tuple[tuple[str, int], ...]:
    """Every module that a file imports, with the line; those for type checkers alone left out."""
    return tuple(found_imports(path))


def found_imports(path: Path) -> Iterator[tuple[str, int]]:
    tree = ast.parse(path.read_text())
    typing_only = {id(n) for node in ast.walk(tree) if is_type_checking(node) for n in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                deeper = f"{node.module}.{alias.name}"
                yield (deeper if deeper in MODULES else node.module), node.lineno


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def place(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


def test_every_module_is_in_a_room_of_the_page() -> None:
    outside = [name for name in MODULES if room_of(name) is None and name not in ("watchdog", "watchdog.__main__", "watchdog.core")]
    assert outside == []


def test_every_room_of_the_page_is_there() -> None:
    assert [path for path in ROOMS if not (PACKAGE / path).exists()] == []


def test_a_room_names_only_rooms_above_it_on_the_page() -> None:
    names = list(ROOMS)
    assert {path: later for path, room in ROOMS.items() if (later := room.may - set(names[: names.index(path)]))} == {}


def test_a_room_imports_only_what_its_line_allows() -> None:
    broken = []
    for name, path in MODULES.items():
        room = room_of(name)
        for imported, line in imports(path):
            theirs = room_of(imported) if imported in MODULES else None
            if room and theirs and theirs is not room and theirs.path not in room.may:
                broken.append(f"{place(path, line)}: {room.path} may not import {imported}")
    assert broken == []


def test_a_room_names_nothing_that_it_does_not_import() -> None:
    used: dict[str, set[str]] = {path: set() for path in ROOMS}
    for name, path in MODULES.items():
        room = room_of(name)
        if room:
            used[room.path] |= {theirs.path for imported, _ in imports(path) if imported in MODULES and (theirs := room_of(imported))}
    assert {path: idle for path, room in ROOMS.items() if "all above" not in line_of(path) and (idle := room.may - used[path])} == {}


def line_of(path: str) -> str:
    return next(line for line in PAGE.splitlines() if line.startswith(f"| `{path}"))


def test_no_file_imports_itself_by_way_of_others() -> None:
    graph = {name: {imported for imported, _ in imports(path) if imported in MODULES} for name, path in MODULES.items()}
    for name, path in MODULES.items():
        if path.name == "__init__.py":  # a folder's registry stands above what it names
            graph[f"{name}.__init__"] = graph.pop(name)
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_pure_rooms_import_nothing_that_does_io_or_reads_a_clock() -> None:
    forbidden = re.compile(rf"({'|'.join(NO_IO)})(\.|$)")
    found = [f"{place(p, line)}: {name}" for p in pure_files() for name, line in imports(p) if forbidden.match(name)]
    assert found == []


def test_pure_rooms_know_no_clock_by_another_name() -> None:
    calls = re.compile(r"\b(datetime|date)\.(now|today|utcnow)\(|\btime\.(time|monotonic)\(")
    found = [f"{p.relative_to(ROOT)}: {m.group()}" for p in pure_files() for m in calls.finditer(p.read_text())]
    assert found == []


def pure_files() -> list[Path]:
    return [path for name, path in sorted(MODULES.items()) if (room := room_of(name)) and room.pure]


def test_what_a_module_offers_is_taken_by_another() -> None:
    """Functions and constants in `__all__`; types may stand there because they are in a signature."""
    files = [path for folder in ("watchdog", "tests", "bench") for path in (ROOT / folder).rglob("*.py")]
    offered = [(path, name) for path in MODULES.values() for name in exported(path) if name.islower() or name.isupper()]
    taken = Counter(word for path in files for word in set(re.findall(r"\w+", path.read_text())))
    assert [f"{path.relative_to(ROOT)}: {name}" for path, name in offered if taken[name] < 2] == []


def exported(path: Path) -> list[str]:
    """The names in `__all__`."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__all__":
            return list(ast.literal_eval(node.value))
    return []


def test_files_stay_readable() -> None:
    assert {str(p.relative_to(ROOT)): n for p in MODULES.values() if (n := len(p.read_text().splitlines())) > LONG_FILE} == {}


def test_folders_hold_what_a_reader_can_overlook() -> None:
    folders = {path.parent for path in MODULES.values()} - {PACKAGE / "core"}
    counts = {str(folder.relative_to(ROOT)): held(folder) for folder in folders}
    assert {folder: n for folder, n in counts.items() if not SHORT_FOLDER <= n <= FULL_FOLDER} == {}


def test_every_folder_of_the_tests_is_on_the_page_and_no_module_is_loose() -> None:
    assert {path.name for path in (ROOT / "tests").glob("*.py")} == {"__init__.py", "conftest.py"}
    folders = {f"tests/{path.name}/" for path in (ROOT / "tests").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders <= set(re.findall(r"`(tests/\w+/)`", PAGE))


def held(folder: Path) -> int:
    """Files and folders in it; its `__init__.py` is the folder itself."""
    return sum(1 for path in folder.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()) - 1
