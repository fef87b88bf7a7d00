from collections.abc import Mapping
from pathlib import Path

import pytest

from watchdog.config.environment.interpolation import interpolate


def expanded(text: str, environ: Mapping[str, str] | None = None, folder: Path = Path("/nowhere")) -> object:
    interpolated = interpolate({"key": text}, environ or {}, folder)
    assert interpolated.faults == []
    return interpolated.values["key"]


def fault(text: str, environ: Mapping[str, str] | None = None, folder: Path = Path("/nowhere")) -> str:
    ((path, said),) = interpolate({"key": text}, environ or {}, folder).faults
    assert path == ("key",)
    return said


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("${A}", "1"),
        ("x${A}y${B}z", "x1y${A}z"),
        ("$${A}", "${A}"),
        ("$A $ {A} }{ $$", "$A $ {A} }{ $$"),
    ],
)
def test_a_variable_becomes_its_value_and_nothing_else_changes(text: str, expected: str) -> None:
    assert expanded(text, {"A": "1", "B": "${A}"}) == expected


def test_texts_at_any_depth_are_expanded() -> None:
    values = {"a": [{"b": ["${A}", 3]}], "c": {"d": "${A}"}}
    assert interpolate(values, {"A": "1"}, Path()).values == {"a": [{"b": ["1", 3]}], "c": {"d": "1"}}


@pytest.mark.parametrize(("content", "expected"), [("s3cret\n", "s3cret"), ("s3cret\r\n", "s3cret"), ("a\n\n", "a\n"), ("é", "é")])
def test_a_files_content_comes_without_its_last_line_end(tmp_path: Path, content: str, expected: str) -> None:
    (tmp_path / "secret").write_bytes(content.encode())
    assert expanded("${file:secret}", folder=tmp_path) == expected


def test_a_credential_is_read_where_systemd_put_it(tmp_path: Path) -> None:
    (tmp_path / "slack").write_text("https://hook\n")
    assert expanded("${credential:slack}", {"CREDENTIALS_DIRECTORY": str(tmp_path)}) == "https://hook"


@pytest.mark.parametrize("name", ["", "../passwd", "a/b", ".."])
def test_a_credential_is_a_name_and_no_path(tmp_path: Path, name: str) -> None:
    assert "expected the name of a credential" in fault(f"${{credential:{name}}}", {"CREDENTIALS_DIRECTORY": str(tmp_path)})


@pytest.mark.parametrize("text", ["${A", "${}", "${A B}", "${A:-x}", "${file:}", "${env:A}"])
def test_what_is_no_reference_is_a_fault_that_says_what_would_be(text: str) -> None:
    assert "$" in fault(text, {"A": "1"})


@pytest.mark.parametrize(("content", "said"), [(b"\xff", "is not UTF-8 text"), (b"x" * (1024 * 1024 + 1), "is larger than 1 MiB")])
def test_a_file_of_something_else_is_a_fault(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "secret").write_bytes(content)
    assert said in fault("${file:secret}", folder=tmp_path)


def test_every_reference_is_remembered_with_its_path() -> None:
    references = interpolate({"a": ["x", "${A}${B}"]}, {"A": "1", "B": "2"}, Path()).references
    assert references == {("a", 1): "${A}, ${B}"}
