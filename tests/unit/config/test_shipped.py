import tomllib
from pathlib import Path

import pytest

from watchdog.config.shipped import shipped_folder, shipped_rule_files

ROOT = Path(__file__).parents[3]


def test_a_checkout_reads_its_rules_folder() -> None:
    assert set(shipped_rule_files()) == {f"rules/{file.name}" for file in (ROOT / "rules").glob("*.toml")}


def test_an_installed_package_reads_the_rules_inside_it(tmp_path: Path) -> None:
    inside = tmp_path / "watchdog" / "shipped_rules"
    inside.mkdir(parents=True)
    (tmp_path / "rules").mkdir()
    assert shipped_folder(tmp_path / "watchdog") == inside


def test_a_stray_rules_folder_beside_an_installed_package_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    with pytest.raises(FileNotFoundError, match="install celery-watchdog again"):
        shipped_folder(tmp_path / "watchdog")


def test_the_wheel_carries_the_rules_where_the_package_looks() -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert (wheel["sources"]["rules"], "rules" in wheel["only-include"]) == ("watchdog/shipped_rules", True)


def test_files_are_read_by_name_in_order(tmp_path: Path) -> None:
    (tmp_path / "b.toml").write_text("b")
    (tmp_path / "a.toml").write_text("a")
    assert list(shipped_rule_files(tmp_path).items()) == [("rules/a.toml", "a"), ("rules/b.toml", "b")]
