"""Which scenarios are tested, on which rules.

In: files, folders and globs, or nothing; a configuration, or none. Out: the texts of the scenario files, and the rules. With files, no
configuration is needed: the rules are the shipped ones, and those of the rule files beside. Refused with every fault.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from glob import glob, has_magic
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from watchdog.cli.output.refusals import Refused, warn
from watchdog.config.rulebook import RuleBook, read_rule_book
from watchdog.config.shipped import shipped_scenario_files
from watchdog.tables import TABLES

if TYPE_CHECKING:
    from watchdog.app.configured import Configured

__all__ = ["FOLDER", "Given", "given"]

FOLDER = "scenarios"
"""The folder beside rule files that holds their scenarios."""

_SCENARIOS = re.compile(r"^\s*\[{1,2}\s*(?:scenario|usual)\b", re.MULTILINE)
_RULES = re.compile(r"^\s*\[\[\s*rule\s*\]\]", re.MULTILINE)


class Given(Struct, frozen=True):
    """What is tested: texts by name as shown in faults, the rules, the files whose rules need scenarios, and the words for the footer."""

    texts: Mapping[str, str]
    book: RuleBook
    own: frozenset[str]
    footer: str


def given(names: Sequence[str], config: Path | None, more_rules: Sequence[Path], *, alone: bool = False) -> Given:
    """Return what is tested. Refused if nothing is, or if files or rules are faulty. `alone`: without the shipped rules."""
    if alone and (config is not None or not names):
        raise Refused("--alone: needs FILE, and no --config, which says by shipped_rules whether the shipped rules count")
    if names:
        return _named(names, config, more_rules, shipped=not alone)
    conf = _configured(config, more_rules)
    own = tuple(dict.fromkeys((*conf.loaded.rule_files, *more_rules)))
    if not own:
        return _shipped()
    texts = _read(dict.fromkeys(file for rules in own for file in _beside(rules)))
    if not texts:
        folders = ", ".join(dict.fromkeys(str(file.parent / FOLDER) for file in own))
        raise Refused(f"no scenarios: expected *.toml with [[scenario]] in {folders}; `watchdog rules new NAME` writes a rule with one")
    return Given(texts, conf.book, frozenset(map(str, own)), f"configuration {conf.loaded.file}")


def _shipped() -> Given:
    texts, book = shipped_scenario_files(), read_rule_book((), TABLES)
    return Given(texts, book, frozenset(rule.file for rule in book.rules), "the rules that come with watchdog")


def _configured(config: Path | None, more_rules: Sequence[Path]) -> "Configured":
    from watchdog.cli.configuration import load_with_rules, warn_of_oddities  # noqa: PLC0415

    conf = load_with_rules(config, more_rules=more_rules, targets_required=False, credentials=False)
    warn_of_oddities(conf)
    return conf


def _named(names: Sequence[str], config: Path | None, more_rules: Sequence[Path], *, shipped: bool) -> Given:
    files = tuple(dict.fromkeys(_expanded(names)))
    texts = _read(files)
    beside = tuple(dict.fromkeys(rules for file in files for rules in _rules_of(file)))
    if config is not None:
        conf = _configured(config, (*more_rules, *_without(beside, _configured(config, more_rules).loaded.rule_files)))
        own = (*conf.loaded.rule_files, *beside)
        return Given(texts, conf.book, frozenset(map(str, own)), f"configuration {conf.loaded.file}")
    own = tuple(dict.fromkeys((*beside, *_without(more_rules, beside))))
    book = read_rule_book(own, TABLES, shipped=shipped)
    if book.faults:
        raise Refused(*book.faults)
    warn(book.warnings)
    named = ", ".join([*(["the rules that come with watchdog"] if shipped else []), *map(str, own)])
    return Given(texts, book, frozenset(map(str, own)), named)


def _without(files: Iterable[Path], others: Iterable[Path]) -> tuple[Path, ...]:
    known = {other.resolve() for other in others}
    return tuple(file for file in files if file.resolve() not in known)


def _expanded(names: Sequence[str]) -> Iterator[Path]:
    """Yield the files that are named: themselves, those of a glob, the scenario files in a folder and below it."""
    for name in names:
        path = Path(name)
        if path.is_dir():
            found = [file for file in sorted(path.rglob("*.toml")) if _holds(file, _SCENARIOS)]
            if not found:
                raise Refused(f"{name}: expected a folder of scenarios, found no *.toml with [[scenario]] in it")
            yield from found
        elif has_magic(name) and not path.exists():
            matching = sorted(glob(name, recursive=True))  # noqa: PTH207 - a glob that may be absolute
            if not matching:
                raise Refused(f"{name}: expected a file, a folder or a glob of scenarios, found nothing that matches")
            yield from map(Path, matching)
        else:
            yield path


def _beside(rules: Path) -> list[Path]:
    """Return the scenario files that belong to a rule file: those in the folder `scenarios` beside it."""
    return [file for file in sorted((rules.parent / FOLDER).glob("*.toml")) if _holds(file, _SCENARIOS)]


def _rules_of(scenarios: Path) -> list[Path]:
    """Return the rule files that a scenario file belongs to: beside it, and in the folder above `scenarios`."""
    folder = scenarios.parent
    above = [folder.resolve().parent] if folder.resolve().name == FOLDER else []
    shown = [folder / ".." if str(folder) in (".", "") else folder.parent] if above else []
    return [file for place in (*shown, folder) for file in sorted(place.glob("*.toml")) if _holds(file, _RULES)]


def _holds(file: Path, what: re.Pattern[str]) -> bool:
    try:
        return what.search(file.read_text(encoding="utf-8")) is not None
    except (OSError, UnicodeDecodeError):
        return False


def _read(files: Iterable[Path]) -> dict[str, str]:
    """Return the texts. Refused with each that cannot be read."""
    texts: dict[str, str] = {}
    faults = []
    for file in files:
        try:
            texts[str(file)] = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else "not UTF-8 text"
            faults.append(f"{file}: expected a scenario file that can be read, found: {why}")
    if faults:
        raise Refused(*faults)
    return texts
