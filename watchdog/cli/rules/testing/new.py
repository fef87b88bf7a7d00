"""`watchdog rules new`: writes a rule with its scenarios."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from watchdog.cli.completion import complete_tables
from watchdog.cli.options import config_option
from watchdog.cli.output.refusals import Refused

if TYPE_CHECKING:
    from watchdog.app.configured import Configured

__all__ = ["new"]


@click.command(
    epilog="""\b
Examples:
  watchdog rules new CartsLeft
  watchdog rules new ThumbnailsLate --table queues --folder alerts
"""
)
@click.argument("name")
@click.option("--table", default="queues", show_default=True, shell_complete=complete_tables, help="The table that the rule reads.")
@click.option(
    "--folder", metavar="FOLDER", type=click.Path(path_type=Path), help="Where to; otherwise beside the configured rules, or ./rules."
)
@config_option
def new(*, name: str, table: str, folder: Path | None, config: Path | None) -> None:
    """Write a rule with its scenarios, to be changed.

    Both hold as they are written: `watchdog rules test` passes. Nothing that is there is overwritten.
    """
    from watchdog.cli.rules.testing.draft import drafted  # noqa: PLC0415
    from watchdog.cli.rules.testing.given import FOLDER  # noqa: PLC0415
    from watchdog.tables import TABLES  # noqa: PLC0415

    conf = _refuse_unless_new(name, table, config)
    covered = conf.loaded.rule_files
    place = folder or next((file.parent for file in covered), Path("rules"))
    texts = drafted(name, TABLES[table], conf.book.rules)
    files = {place / f"{name}.toml": texts.rule, place / FOLDER / f"{name}.toml": texts.scenarios}
    if there := [str(file) for file in files if file.exists()]:
        raise Refused(*(f"{file}: is there already; choose another name or --folder" for file in there))
    for file, text in files.items():
        _write(file, text)
        click.echo(f"wrote {file}")
    click.echo(f"Test it:  watchdog rules test {place / FOLDER / f'{name}.toml'}")
    if not any(file.parent.resolve() == place.resolve() for file in covered):
        click.echo(f'Use it:   rules = ["{place}/*.toml"] in watchdog.toml')


def _refuse_unless_new(name: str, table: str, config: Path | None) -> "Configured":
    """Return the configuration. Refused if there is such a rule already, or if name or table cannot be."""
    from watchdog.cli.configuration import load_with_rules  # noqa: PLC0415
    from watchdog.core.rules.entry import name_fault  # noqa: PLC0415
    from watchdog.core.text.suggestions import did_you_mean  # noqa: PLC0415
    from watchdog.tables import TABLES  # noqa: PLC0415

    faults = [f"NAME: {fault}"] if (fault := name_fault(name)) else []
    if table not in TABLES:
        faults.append(f'--table: no table "{table}"{did_you_mean(table, TABLES) or "; there are " + ", ".join(TABLES)}')
    if faults:
        raise Refused(*faults)
    conf = load_with_rules(config, targets_required=False, credentials=False)
    for rule in conf.book.rules:
        if name in (rule.name, *rule.formerly):
            raise Refused(f"NAME: there is a rule of this name at {rule.file}:{rule.line} already; tune that one by an [[override]]")
    return conf


def _write(file: Path, text: str) -> None:
    """Write a new file, and its folder. Refused if it cannot be written, or has appeared meanwhile."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as out:
            out.write(text)
    except OSError as error:
        raise Refused(f"{file}: cannot be written: {error.strerror or type(error).__name__}") from None
