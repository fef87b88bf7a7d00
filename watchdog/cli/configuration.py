"""Loads the configuration for commands, or refuses with every fault."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from watchdog.cli.output.refusals import Refused, warn

if TYPE_CHECKING:
    from watchdog.app.configured import Configured
    from watchdog.config.load import ConfigError, Loaded
    from watchdog.config.settings import Settings
    from watchdog.core.model.target import TargetsMeant

__all__ = [
    "chosen_names", "chosen_targets", "known_names", "load", "load_as_far_as_readable", "load_with_rules", "named_config", "oddities",
    "untold", "warn_of_oddities",
]  # fmt: skip


def load(
    config: Path | None, flags: Mapping[str, object] | None = None, *, targets_required: bool = True, credentials: bool = True
) -> "Loaded":
    """The settings. Refused with everything that is wrong."""
    from watchdog.config.load import ConfigError  # noqa: PLC0415

    try:
        return _loaded(config, flags, targets_required=targets_required, credentials=credentials)
    except ConfigError as error:
        raise Refused(*error.faults) from None


def _loaded(config: Path | None, flags: Mapping[str, object] | None, *, targets_required: bool, credentials: bool) -> "Loaded":
    from watchdog.config.load import load_settings  # noqa: PLC0415
    from watchdog.config.masking import MASKING  # noqa: PLC0415

    return load_settings(
        config=config,
        environ=os.environ,
        flags=flags or {},
        cwd=Path.cwd(),
        targets_required=targets_required,
        credentials=credentials,
        learn=MASKING.learn,
    )


def load_with_rules(
    config: Path | None,
    flags: Mapping[str, object] | None = None,
    *,
    more_rules: Iterable[Path] = (),
    targets_required: bool = True,
    credentials: bool = True,
    sends: bool = False,
    also: "Callable[[TargetsMeant], Iterable[str]]" = lambda _: (),
) -> "Configured":
    """The settings and their rules, with `more_rules` added. Refused with everything that is wrong.

    `sends`: the environment's proxies must be usable too; commands that only poll once do not need that. `also`: finds further faults, once
    the targets are known.
    """
    from watchdog.app.configured import RulesError, configured  # noqa: PLC0415
    from watchdog.config.load import ConfigError  # noqa: PLC0415
    from watchdog.config.proxies import proxy_faults  # noqa: PLC0415
    from watchdog.config.sections.targets import meant_by  # noqa: PLC0415

    more_rules = tuple(more_rules)
    try:
        loaded = _loaded(config, flags, targets_required=targets_required, credentials=credentials)
    except ConfigError as error:
        raise Refused(*error.faults, *_rule_faults(error, more_rules), *also(error.meant)) from None
    faults = proxy_faults(loaded, os.environ) if sends else ()
    meant = meant_by(loaded)
    loaded = replace(loaded, rule_files=(*loaded.rule_files, *(file for file in more_rules if file not in loaded.rule_files)))
    try:
        conf = configured(loaded, written_for=more_rules if meant.by_flag else None)
    except RulesError as error:
        raise Refused(*faults, *error.faults, *also(meant)) from None
    faults = (*faults, *also(meant))
    if faults:
        raise Refused(*faults)
    return conf


def load_as_far_as_readable(
    config: Path | None, flags: Mapping[str, object] | None = None, *, more_rules: Iterable[Path] = ()
) -> "tuple[Configured, str]":
    """The settings and their rules; without what needs credentials, and why, if only the service may read them."""
    more_rules = tuple(more_rules)
    try:
        return load_with_rules(config, flags, more_rules=more_rules, targets_required=False), ""
    except Refused as refused:  # refused once more, if anything else is wrong
        conf = load_with_rules(config, flags, more_rules=more_rules, targets_required=False, credentials=False)
        return conf, refused.faults[0]


def _rule_faults(error: "ConfigError", more_rules: tuple[Path, ...]) -> tuple[str, ...]:
    """The faults of the rules of a configuration that is itself faulty."""
    from watchdog.config.rulebook import never_judged, read_rule_book  # noqa: PLC0415
    from watchdog.tables import TABLES  # noqa: PLC0415

    files = tuple(dict.fromkeys((*error.rule_files, *more_rules)))
    book = read_rule_book(files, TABLES, error.overrides, shipped=error.shipped_rules)
    written_for = more_rules if error.meant.by_flag else files
    return (*book.faults, *never_judged(book, written_for, error.meant.targets, error.meant.to_set, TABLES))


def oddities(conf: "Configured") -> tuple[str, ...]:
    """Warnings of the configuration and of its rules."""
    return (*conf.loaded.warnings, *conf.book.warnings)


def untold(conf: "Configured") -> tuple[str, ...]:
    """Warnings if a daemon would have nothing to judge, or nobody to notify."""
    silent = () if conf.book.rules else ("no rules: shipped_rules is false and `rules` names none, so that nobody is ever notified",)
    if conf.settings.receiver:
        return silent
    return (*silent, "no [[receiver]]: incidents are kept, but nobody is notified; add one with a name, a type and a url")


def warn_of_oddities(conf: "Configured") -> None:
    """Print these warnings on standard error."""
    warn(oddities(conf))


def chosen_targets(conf: "Configured", names: Iterable[str]) -> tuple[str, ...]:
    """The named targets, or all of them. Refused if one is not configured."""
    return chosen_names(conf.settings, names)


def chosen_names(settings: "Settings", names: Iterable[str]) -> tuple[str, ...]:
    """The same for settings without rules."""
    return known_names([target.name for target in settings.target], names)


def known_names(known: Sequence[str], names: Iterable[str]) -> tuple[str, ...]:
    """The same for the names of targets."""
    from watchdog.core.text.suggestions import did_you_mean  # noqa: PLC0415

    names = tuple(names)
    for name in names:
        if name not in known:
            there = f"; configured: {', '.join(known)}" if known else "; none is configured"
            raise Refused(f'no target "{name}"{did_you_mean(name, known) or there}')
    return tuple(dict.fromkeys(names)) or tuple(known)


def named_config(loaded: "Loaded") -> str:
    """The file that the configuration came from, for people."""
    return "no configuration file" if loaded.file is None else f"configuration {loaded.file}"
