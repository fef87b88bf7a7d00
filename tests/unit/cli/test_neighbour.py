from pathlib import Path

from watchdog.cli.neighbour import neighbour


def test_alone_there_is_nothing_to_say() -> None:
    assert neighbour() is None


def test_files_of_the_other_watchdog_among_ours_are_named_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "observers").mkdir()
    (tmp_path / "observers" / "__init__.py").touch()
    said = neighbour(tmp_path)
    assert said is not None
    assert str(tmp_path) in said
    assert "pipx install celery-watchdog" in said


def test_what_an_uninstalled_one_left_behind_is_no_neighbour(tmp_path: Path) -> None:
    (tmp_path / "observers" / "__pycache__").mkdir(parents=True)
    assert neighbour(tmp_path) is None
