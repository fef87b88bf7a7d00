"""The settings in force, for people: a table per target, and below it workers that differ and what could not be asked."""

from collections.abc import Sequence

from watchdog.cli.config.live import LiveTarget
from watchdog.cli.output.page import Block, Grid, Ink, Line, Piece
from watchdog.tables.queues.conf_origins import LiveSetting, Value

__all__ = ["live_page"]


def live_page(targets: Sequence[LiveTarget], footer: str) -> list[Block]:
    """The page; `footer` names the configuration."""
    page: list[Block] = []
    for target in targets:
        page += [Line.of(Ink(target.name, "strong")), Grid(("setting", "value", "origin"), tuple(map(_row, target.settings)))]
        page += [
            Line.of(Ink(f"{setting.name}: {worker} says {_shown(setting.name, value)}", "odd"), indent=2)
            for setting in target.settings
            for worker, value in setting.others
        ]
        page += [Line.of(Ink(f"some queries failed: {why}", "odd"), indent=2) for why in target.gaps.values()]
        page.append(Line())
    return [*page, Line.of(Ink(footer, "faint"))]


def _row(setting: LiveSetting) -> tuple[Piece, ...]:
    if setting.gap:
        return setting.name, Ink("?", "odd"), Ink(setting.gap, "odd")
    return setting.name, _shown(setting.name, setting.value or ""), setting.origin


def _shown(name: str, value: Value) -> str:
    """The value as text. Parts of keys are quoted: they may be empty or contain invisible characters."""
    if name in ("key_prefix", "separator"):
        return f'"{str(value).encode("unicode_escape").decode()}"'
    return value if isinstance(value, str) else ", ".join(value)
