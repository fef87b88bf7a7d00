"""Detects PyPI's other `watchdog` (file events) in the same environment: both install a package of that name, and overwrite each other."""

from pathlib import Path

__all__ = ["neighbour"]

_PACKAGE = Path(__file__).resolve().parents[1]


def neighbour(package: Path = _PACKAGE) -> str | None:
    """What is wrong and what to do, if files of the other package are among ours; else None."""
    if not (package / "observers" / "__init__.py").is_file():
        return None
    return (
        f"two packages share {package}: celery-watchdog, and the `watchdog` for file events{_version()};\n"
        "each has overwritten files of the other, and neither can be trusted here. Give celery-watchdog an environment of its own:\n"
        "  pipx install celery-watchdog\n"
        "  uvx --from celery-watchdog watchdog …\n"
        "  python3 -m venv /opt/watchdog && /opt/watchdog/bin/pip install celery-watchdog\n"
        "and repair this one: pip uninstall celery-watchdog && pip install --force-reinstall watchdog"
    )


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - takes 30 ms, and only this error needs it

    try:
        return f" (version {version('watchdog')})"
    except PackageNotFoundError:
        return ""
