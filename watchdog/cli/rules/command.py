"""`watchdog rules`: checks rule files, lists the rules in force, and shows one with its overrides applied. What is on trial: `trial`."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from watchdog.cli.commands import Commands
from watchdog.cli.completion import complete_rules
from watchdog.cli.options import config_option, format_option, target_option
from watchdog.cli.output.refusals import Refused, warn
from watchdog.cli.rules.replay.command import replay
from watchdog.cli.rules.testing.command import test
from watchdog.cli.rules.testing.new import new
from watchdog.cli.rules.testing.record import record
from watchdog.cli.rules.trial import trial

if TYPE_CHECKING:
    from watchdog.app.configured import Configured
    from watchdog.core.model.target import Target
    from watchdog.core.rules.overrides import Tuned
    from watchdog.core.rules.rule import Rule

__all__ = ["rules"]


@click.group(cls=Commands)
def rules() -> None:
    """Write, test, check, list and show rules, and what is on trial."""


rules.add_command(new)
rules.add_command(record)
rules.add_command(replay)
rules.add_command(test)
rules.add_command(trial)


@rules.command(
    epilog="""\b
Examples:
  watchdog rules check
  watchdog rules check my-rules.toml more/*.toml
"""
)
@click.argument("files", metavar="[FILE]...", nargs=-1, type=click.Path(path_type=Path))
@config_option
@click.option("--alone", is_flag=True, help="Check the files without the rules that come with watchdog.")
def check(*, files: tuple[Path, ...], config: Path | None, alone: bool) -> None:
    """Check rule files, by default those of the configuration.

    Exits with 0, or with 2 and every fault of every file. With files no configuration is needed.
    """
    from watchdog.core.text.wording import counted  # noqa: PLC0415

    if files:
        count = _check_files(files, shipped=not alone)
    else:
        from watchdog.cli.configuration import load_with_rules, warn_of_oddities  # noqa: PLC0415

        conf = load_with_rules(config, targets_required=False)
        warn_of_oddities(conf)
        count = len(conf.book.rules)
    click.echo(f"{counted(count, 'rule')} fine")


def _check_files(files: tuple[Path, ...], *, shipped: bool) -> int:
    """The number of rules in these files; Refused with every fault. The shipped rules are loaded too, for names and inhibitions."""
    from watchdog.config.rulebook import never_judged, read_rule_book  # noqa: PLC0415
    from watchdog.core.model.queries import sources_asked  # noqa: PLC0415
    from watchdog.core.model.target import ANY_TARGET, Target  # noqa: PLC0415
    from watchdog.tables import TABLES  # noqa: PLC0415

    book = read_rule_book(dict.fromkeys(files), TABLES, shipped=shipped)
    warn(book.warnings)
    with_all = Target(ANY_TARGET, sources=sources_asked())
    faults = (*book.faults, *never_judged(book, files, [with_all], {}, TABLES))
    if faults:
        raise Refused(*faults)
    return sum(1 for rule in book.rules if rule.file in {str(file) for file in files})


@rules.command(
    name="list",
    epilog="""\b
Examples:
  watchdog rules list
  watchdog rules list --target prod
  watchdog rules list --format markdown > alerts.md
""",
)
@config_option
@target_option
@format_option("text", "markdown")
def list_(*, config: Path | None, target: str | None, style: str) -> None:
    """List the rules in force, and which are idle here and why.

    As Markdown: every rule, with what it says.
    """
    from watchdog.cli.configuration import load_with_rules, named_config, warn_of_oddities  # noqa: PLC0415
    from watchdog.cli.output.screen import show  # noqa: PLC0415
    from watchdog.cli.rules.page import Listed, rules_page  # noqa: PLC0415

    conf = load_with_rules(config, targets_required=False)
    warn_of_oddities(conf)
    if style == "markdown":
        from watchdog.cli.rules.markdown import rules_markdown  # noqa: PLC0415

        click.echo(rules_markdown(conf.book.rules), nl=False)
        return
    targets = _targets(conf, target)
    listed = tuple(Listed(rule, idle) for rule, idle in _idle(conf, targets))
    show(rules_page(listed, named_config(conf.loaded)))


@rules.command(
    name="show",
    epilog="""\b
Examples:
  watchdog rules show QueueBacklogHigh
  watchdog rules show QueueBacklogHigh --target prod --key name=training
""",
)
@click.argument("name", shell_complete=complete_rules)
@click.option("--key", "keys", metavar="COLUMN=VALUE", multiple=True, help="Show the values in force for this key (repeatable).")
@target_option
@config_option
def show_(*, name: str, keys: tuple[str, ...], target: str | None, config: Path | None) -> None:
    """Show one rule with its overrides applied."""
    from watchdog.cli.configuration import load_with_rules, named_config, warn_of_oddities  # noqa: PLC0415
    from watchdog.cli.output.screen import show  # noqa: PLC0415
    from watchdog.cli.rules.page import rule_page  # noqa: PLC0415
    from watchdog.config.rulebook import own_rules  # noqa: PLC0415
    from watchdog.core.model.target import SELF  # noqa: PLC0415
    from watchdog.core.rules.overrides import rule_for_key  # noqa: PLC0415
    from watchdog.tables import TABLES  # noqa: PLC0415

    conf = load_with_rules(config, targets_required=False)
    warn_of_oddities(conf)
    written = _named(conf, name)
    key = _key(written, keys)
    groups: list[tuple[Rule, Tuned, list[str]]] = []
    for one in (t for t in _targets(conf, target) if (t.name == SELF) == (written in own_rules(conf.book, TABLES))):
        tuned = _tuned(conf, written, one.name)
        if tuned is None:
            continue
        holds = rule_for_key(tuned, key) if key else tuned.rule
        same = next((group for group in groups if group[0] == holds), None)
        if same:
            same[2].append(one.name)
        else:
            groups.append((holds, tuned, [one.name]))
    if not groups:
        raise Refused(f"rule {name}: its targets are {', '.join(written.targets)}; none of those configured is among them")
    overrides = [o for o in conf.book.overrides if _means(o.rule, written)]
    for holds, tuned, names in groups:
        show(rule_page(holds, names, overrides, differs_by_key=bool(tuned.variants) and not key))
    click.echo(named_config(conf.loaded), err=True)


def _means(pattern: str, rule: "Rule") -> bool:
    from watchdog.core.model.target import matches  # noqa: PLC0415

    return any(matches(name, (pattern,)) for name in (rule.name, *rule.formerly))


def _named(conf: "Configured", name: str) -> "Rule":
    """The rule with that current or former name. Refused if there is none."""
    from watchdog.core.text.suggestions import did_you_mean  # noqa: PLC0415

    for rule in conf.book.rules:
        if name == rule.name or name in rule.formerly:
            return rule
    hint = did_you_mean(name, [rule.name for rule in conf.book.rules]) or "; `watchdog rules list` lists them"
    raise Refused(f'no rule "{name}"{hint}')


def _key(rule: "Rule", given: Iterable[str]) -> Mapping[str, str]:
    """`name=training` as a key of the rule. Refused if the rule has no such key column."""
    from watchdog.core.text.suggestions import did_you_mean  # noqa: PLC0415

    key = {}
    for text in given:
        column, equals, value = text.partition("=")
        if not equals:
            raise Refused(f'--key: expected COLUMN=VALUE, such as {(rule.key or ("name",))[0]}=…, found "{text}"')
        if column not in rule.key:
            known = f"; it has {', '.join(rule.key)}" if rule.key else "; it has none: it judges the target as a whole"
            raise Refused(f'--key: {rule.name} has no key column "{column}"{did_you_mean(column, rule.key) or known}')
        key[column] = value
    return key


def _tuned(conf: "Configured", rule: "Rule", target: str) -> "Tuned | None":
    from watchdog.core.rules.overrides import tune  # noqa: PLC0415

    return next(iter(tune((rule,), conf.book.overrides, target)), None)


def _targets(conf: "Configured", only: str | None) -> "list[Target]":
    """The selected targets, including watchdog itself; if none is configured, one that has every source."""
    from watchdog.cli.configuration import chosen_targets  # noqa: PLC0415
    from watchdog.config.settings import to_target  # noqa: PLC0415
    from watchdog.core.model.target import SELF, Target  # noqa: PLC0415
    from watchdog.sources import EVENTS, SOURCES  # noqa: PLC0415

    if only == SELF:
        return [Target(SELF)]
    chosen = chosen_targets(conf, [only] if only else [])
    targets = [to_target(conf.settings, target) for target in conf.settings.target if target.name in chosen]
    if not targets:
        targets = [Target("*", sources=frozenset({*SOURCES, EVENTS}))]
    return targets if only else [*targets, Target(SELF)]


def _idle(conf: "Configured", targets: "list[Target]") -> "Iterable[tuple[Rule, dict[str, str]]]":
    """Each rule that applies to one of these targets, as tuned for the first of them, with target -> why it is idle there."""
    from watchdog.config.rulebook import rules_for  # noqa: PLC0415
    from watchdog.core.judging.idleness import idle_by_configuration  # noqa: PLC0415
    from watchdog.tables import TABLES  # noqa: PLC0415

    asked: dict[str, tuple[Rule, dict[str, str]]] = {}
    for target in targets:
        here = [tuned.rule for tuned in rules_for(conf.book, target.name, TABLES)]
        idle = idle_by_configuration(TABLES, target, here)
        for rule in here:
            _, reasons = asked.setdefault(rule.name, (rule, {}))
            if rule.name in idle:
                reasons[target.name] = idle[rule.name]
    unasked = {rule.name: "switched off, or meant for no configured target" for rule in conf.book.rules if rule.name not in asked}
    for rule in conf.book.rules:
        if rule.name in unasked:
            yield rule, {"": unasked[rule.name]}
        else:
            yield asked[rule.name]
