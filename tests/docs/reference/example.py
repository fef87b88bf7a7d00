"""config.example.toml as the reference of the configuration reads it: what its comments say of each table and key.

In: the file, in which a comment stands before each table and key. Out: a `Section` for each table, by its name; for `[[receiver]]`, one
for each type.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tests.docs.pages import ROOT

__all__ = ["EXAMPLE", "Section"]

_HEADER = re.compile(r"\[+([a-z.]+)\]+$")
_KEY = re.compile(r"(?:(# )?)([a-z_]+) = (.+)$")
_TYPE = re.compile(r'^type = "(\w+)"', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Section:
    """One table of the example: what is said of it, and of each key; an example of a key that is unset or empty."""

    about: str = ""
    keys: dict[str, str] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)


def _read(text: str) -> Mapping[str, Section]:
    sections = {"": Section()}
    name, comment = "", ""
    types = iter(_TYPE.findall(text))
    for line in text.partition("\n\n")[2].splitlines():  # what stands before is about the file
        header, key = _HEADER.match(line), _KEY.match(line)
        if header:
            name = f"receiver {next(types)}" if header[1] == "receiver" else header[1]
            sections.setdefault(name, Section(comment))
        elif key:
            section = sections[name]
            section.keys.setdefault(key[2], comment)
            section.examples.setdefault(key[2], _example(key[3], unset=bool(key[1])))
        comment = f"{comment} {line.removeprefix('#').strip()}".strip() if line.startswith("#") and not key else ""
    return sections


def _example(value: str, *, unset: bool) -> str:
    """What shows how to write a key: its value where it is unset, else what stands behind its default."""
    before, _, behind = value.partition(" # ")
    return before if unset else behind


def _sections() -> Iterator[tuple[str, Section]]:
    yield from _read((ROOT / "config.example.toml").read_text(encoding="utf-8")).items()


EXAMPLE: Mapping[str, Section] = dict(_sections())
"""Table -> what is said of it. The top is ""; receivers are "receiver slack" and so on."""
