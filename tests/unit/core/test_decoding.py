"""Types that msgspec decodes into: one thread works a type out, and those that need it meanwhile wait."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[3] / "watchdog"

TWO_AT_ONCE = """
import threading
import msgspec
from watchdog.core.decoding import ready

halfway, over = threading.Event(), threading.Event()

def number():
    halfway.set()
    over.wait(0.5)
    return int

class Inner(msgspec.Struct):
    count: "number()"

class Outer(msgspec.Struct):
    inner: Inner

def decode():
    found = msgspec.json.decode(b'{"inner": {"count": 7}}', type=ready(Outer))
    over.set()
    return found.inner.count

first = threading.Thread(target=decode)
first.start()
halfway.wait(10)
print(decode())
first.join()
"""
"""The annotation of `count` is read while msgspec works `Outer` out: there the first thread stays for a while."""


def test_a_type_that_two_threads_decode_for_the_first_time_at_once_crashes_nothing() -> None:
    ended = subprocess.run([sys.executable, "-c", TWO_AT_ONCE], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (0, "7\n"), ended.stderr


TAKES_A_TYPE = {"decode": 1, "convert": 1, "Decoder": 0}
"""Function or class of msgspec -> where its type stands, unless it is named `type`."""


def types_given(tree: ast.Module) -> Iterator[ast.expr]:
    """Every type that is given to msgspec."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and ast.unparse(node.func).startswith("msgspec."):
            place = TAKES_A_TYPE.get(node.func.attr)
            if place is not None:
                yield from [keyword.value for keyword in node.keywords if keyword.arg == "type"] or node.args[place : place + 1]


def is_ready(kind: ast.expr) -> bool:
    return isinstance(kind, ast.Call) and ast.unparse(kind.func) == "ready"


@pytest.mark.parametrize(("source", "expected"), [("type=ready(A)", True), ("type=A", False), ("A", False)])
def test_a_type_that_is_not_ready_is_noticed(source: str, *, expected: bool) -> None:
    assert [is_ready(kind) for kind in types_given(ast.parse(f"msgspec.json.decode(body, {source})"))] == [expected]


SOURCES = {path: path.read_text() for path in sorted(PACKAGE.rglob("*.py")) if path.name != "decoding.py"}


def test_msgspec_is_given_no_type_that_is_not_ready() -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{kind.lineno}: expected ready({ast.unparse(kind)})"
        for path, source in SOURCES.items()
        if "msgspec" in source
        for kind in types_given(ast.parse(source))
        if not is_ready(kind)
    ]
    assert found == []


def test_what_decodes_is_called_by_its_full_name() -> None:
    """Otherwise the test above would not see it."""
    found = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path, source in SOURCES.items()
        if "msgspec" in source
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("msgspec")
        if TAKES_A_TYPE.keys() & {alias.name for alias in node.names} or {"json", "msgpack"} & {alias.name for alias in node.names}
    ]
    assert found == []
