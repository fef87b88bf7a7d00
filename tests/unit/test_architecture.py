"""The arrows of ARCHITECTURE.md, measured from the imports: a broken one is named with file and line."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "watchdog"
PURE_ROOMS = ("core", "tables")
NO_IO = {
    "asyncio", "fcntl", "http", "httpx", "io", "logging", "os", "pathlib", "random", "redis", "secrets", "select", "shutil", "signal",
    "socket", "ssl", "structlog", "subprocess", "sys", "tempfile", "time", r"urllib(?!\.parse$)", "uuid",
}  # fmt: skip


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Every module that a file imports, with the line; those for type checkers alone left out."""
    tree = ast.parse(path.read_text())
    typing_only = {id(n) for node in ast.walk(tree) if is_type_checking(node) for n in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, node.lineno


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def modules(*rooms: str) -> list[Path]:
    return sorted(path for room in rooms for path in (PACKAGE / room).rglob("*.py"))


def broken(paths: list[Path], forbidden: re.Pattern[str]) -> list[str]:
    return [f"{p.relative_to(ROOT)}:{line}: {name}" for p in paths for name, line in imports(p) if forbidden.match(name)]


def test_the_core_and_the_tables_import_nothing_that_does_io_or_reads_a_clock() -> None:
    assert broken(modules(*PURE_ROOMS), re.compile(rf"({'|'.join(NO_IO)})(\.|$)")) == []


def test_the_core_and_the_tables_import_only_themselves_of_watchdog() -> None:
    assert broken(modules("core"), re.compile(r"watchdog\.(?!core)")) == []
    assert broken(modules("tables"), re.compile(r"watchdog\.(?!core|tables)")) == []


def test_the_core_knows_no_clock_by_another_name() -> None:
    calls = re.compile(r"\b(datetime|date)\.(now|today|utcnow)\(|\btime\.(time|monotonic)\(")
    found = [f"{p.relative_to(ROOT)}: {m.group()}" for p in modules(*PURE_ROOMS) for m in calls.finditer(p.read_text())]
    assert found == []


@pytest.mark.parametrize(
    ("leaf", "allowed"),
    [
        ("sources", "core|sources|settings_types|http_proxy|tls_files"),
        ("receivers", "core|receivers|settings_types|http_proxy|tls_files|config_secrets|sources.deadline|__version__"),
    ],
)
def test_leaves_import_the_core_and_their_base_alone(leaf: str, allowed: str) -> None:
    assert broken(modules(leaf), re.compile(rf"watchdog\.(?!{allowed})")) == []


def test_nothing_imports_the_command_line_but_itself() -> None:
    others = [p for p in sorted(PACKAGE.rglob("*.py")) if p.parent.name != "cli" and p.name != "__main__.py"]
    assert broken(others, re.compile(r"watchdog\.cli")) == []


def test_nothing_imports_the_daemon_but_the_root_and_the_command_line() -> None:
    others = [p for p in sorted(PACKAGE.rglob("*.py")) if p.parent.name != "cli" and p.name not in ("app.py", "daemon.py")]
    assert broken(others, re.compile(r"watchdog\.daemon")) == []


def test_files_stay_readable() -> None:
    long = {str(p.relative_to(ROOT)): n for p in PACKAGE.rglob("*.py") if (n := len(p.read_text().splitlines())) > 300}
    assert long == {}
