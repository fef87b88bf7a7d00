"""The rule files that come with watchdog, and their scenarios, from the installed package or from a source checkout."""

from collections.abc import Mapping
from pathlib import Path

__all__ = ["app_rule_files", "doctor_rule_files", "shipped_folder", "shipped_rule_files", "shipped_scenario_files"]

_PACKAGE = Path(__file__).resolve().parents[1]


def shipped_folder(package: Path = _PACKAGE) -> Path:
    """`shipped_rules` in an installed package, `rules` beside the package in a checkout; FileNotFoundError if there is neither."""
    installed, checkout = package / "shipped_rules", package.parent / "rules"
    if installed.is_dir():
        return installed
    if checkout.is_dir() and (package.parent / "pyproject.toml").is_file():
        return checkout
    raise FileNotFoundError(f"the shipped rules are missing from {installed}: the installation is damaged; install celery-watchdog again")


def shipped_rule_files(folder: Path | None = None) -> Mapping[str, str]:
    """Name as shown in faults (`rules/queues.toml`) -> text, ordered by name."""
    files = sorted((folder or shipped_folder()).glob("*.toml"))
    return {f"rules/{file.name}": file.read_text(encoding="utf-8") for file in files}


def doctor_rule_files() -> Mapping[str, str]:
    """The same for the rules that only `watchdog doctor` judges."""
    files = sorted((shipped_folder() / "doctor").glob("*.toml"))
    return {f"rules/doctor/{file.name}": file.read_text(encoding="utf-8") for file in files}


def app_rule_files() -> Mapping[str, str]:
    """The same for the rules of `watchdog doctor --app`, which judge an app without its cluster."""
    files = sorted((shipped_folder() / "doctor" / "app").glob("*.toml"))
    return {f"rules/doctor/app/{file.name}": file.read_text(encoding="utf-8") for file in files}


def shipped_scenario_files(folder: Path | None = None) -> Mapping[str, str]:
    """The same for their scenarios: `rules/scenarios/queues.toml` -> text."""
    files = sorted(((folder or shipped_folder()) / "scenarios").glob("*.toml"))
    return {f"rules/scenarios/{file.name}": file.read_text(encoding="utf-8") for file in files}
