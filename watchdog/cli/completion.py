"""Shell completion of names and ids, from the configuration and the database; `watchdog completion`, its script.

If they cannot be determined there are none: completion never fails.
"""

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import click

from watchdog.cli.output.refusals import Refused

if TYPE_CHECKING:
    from watchdog.store import Store

__all__ = [
    "complete_deploys",
    "complete_incidents",
    "complete_messages",
    "complete_queues",
    "complete_receivers",
    "complete_rules",
    "complete_silences",
    "complete_tables",
    "complete_targets",
    "complete_workers",
    "completion",
]

SHELLS = ("bash", "zsh", "fish")


def complete_targets(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Targets of the configuration."""
    try:
        from watchdog.cli.configuration import load  # noqa: PLC0415

        return _beginning(incomplete, (target.name for target in load(_config(ctx)).settings.target))
    except Exception:  # noqa: BLE001
        return []


def complete_messages(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Ids of waiting messages and dead letters."""
    return _ids(ctx, incomplete, lambda store: (message.id for message in store.outbox_shown().messages))


def complete_incidents(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Ids of open incidents."""
    return _ids(ctx, incomplete, lambda store: (one.id for one in store.incidents()))


def complete_silences(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Ids of silences that have not ended."""
    return _ids(ctx, incomplete, lambda store: (one.id for one in store.silences() if one.ends_at > time.time()))


def complete_deploys(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Versions whose deploy goes on."""
    return _stored(ctx, incomplete, lambda store: (one.version for one in store.deploys() if one.covers(time.time())))


def complete_workers(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Workers that the last cycle saw, of any target or of that of --target."""
    return _stored(ctx, incomplete, lambda store: _named_in(store, "workers", ctx.params.get("target")))


def complete_queues(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Queues, likewise."""
    return _stored(ctx, incomplete, lambda store: _named_in(store, "queues", ctx.params.get("target")))


def _named_in(store: "Store", table: str, target: str | None) -> Iterable[str]:
    """The names in a table as it was last seen."""
    seen = [look.tables[table] for name, look in store.last_looks().items() if target in (None, name) and table in look.tables]
    return dict.fromkeys(str(row.cells["name"]) for one in seen for row in one.rows)


def _ids(ctx: click.Context, incomplete: str, of: Callable[["Store"], Iterable[str]]) -> list[str]:
    """Ids in the database that begin like this, in whichever case."""
    return _stored(ctx, incomplete.upper(), of)


def _stored(ctx: click.Context, incomplete: str, of: Callable[["Store"], Iterable[str]]) -> list[str]:
    """Words in the database that begin like this."""
    try:
        from watchdog.cli.configuration import load  # noqa: PLC0415
        from watchdog.store import Store  # noqa: PLC0415

        database = load(_config(ctx), {"database": ctx.params.get("database")}, targets_required=False, credentials=False).database
        with Store.open(database, create=False) as store:
            return _beginning(incomplete, of(store))
    except Exception:  # noqa: BLE001
        return []


def complete_receivers(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Receivers of the configuration."""
    try:
        from watchdog.cli.configuration import load  # noqa: PLC0415

        return _beginning(incomplete, (receiver.name for receiver in load(_config(ctx), targets_required=False).settings.receiver))
    except Exception:  # noqa: BLE001
        return []


def complete_rules(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Rules of the configuration; without one, the shipped rules."""
    try:
        from watchdog.cli.configuration import load_with_rules  # noqa: PLC0415

        book = load_with_rules(_config(ctx), targets_required=False).book
        return _beginning(incomplete, (rule.name for rule in book.rules))
    except Exception:  # noqa: BLE001
        return []


def complete_tables(_ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Tables of the schema."""
    from watchdog.tables import TABLES  # noqa: PLC0415

    return _beginning(incomplete, TABLES)


def _config(ctx: click.Context) -> Path | None:
    config: Path | None = ctx.params.get("config") or ctx.find_root().params.get("config")
    return config


def _beginning(incomplete: str, words: Iterable[str]) -> list[str]:
    return [word for word in words if word.startswith(incomplete)]


@click.command(
    epilog="""\b
For this shell:
  bash   source <(watchdog completion bash)
  zsh    source <(watchdog completion zsh)
  fish   watchdog completion fish | source

\b
For every new one, put that line into ~/.bashrc, ~/.zshrc (after compinit) or ~/.config/fish/config.fish; or, which is faster:
  bash   watchdog completion bash > ~/.local/share/bash-completion/completions/watchdog
  zsh    watchdog completion zsh > ~/.zfunc/_watchdog           (any folder of $fpath)
  fish   watchdog completion fish > ~/.config/fish/completions/watchdog.fish

\b
Examples:
  watchdog completion bash
"""
)
@click.argument("shell", required=False, type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, *, shell: str | None) -> None:
    """Print the completion script of your shell.

    It completes commands, options, targets, rules, tables and receivers. Without a name, the shell is that of $SHELL.
    """
    from click.shell_completion import get_completion_class  # noqa: PLC0415

    name = shell or PurePath(os.environ.get("SHELL", "")).name
    kind = get_completion_class(name) if name in SHELLS else None
    if kind is None:
        raise Refused(f"expected one of {', '.join(SHELLS)}: $SHELL names none of them; say which, as in `watchdog completion bash`")
    click.echo(kind(ctx.find_root().command, {}, "watchdog", "_WATCHDOG_COMPLETE").source())
