import re
from pathlib import Path

import pytest

from watchdog.core.rules.entry import KEYS
from watchdog.core.rules.files import read_rules
from watchdog.core.text.phrasing import FILTERS
from watchdog.tables import TABLES

DOC = (Path(__file__).parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")
EXAMPLES = [block for block in re.findall(r"```toml\n(.*?)```", DOC, re.DOTALL) if "[[override]]" not in block]
FRAGMENT = '[[rule]]\nname = "Example"\nparams = { most = 2 }\n'


@pytest.mark.parametrize("key", KEYS)
def test_every_field_is_in_the_docs(key: str) -> None:
    assert re.search(rf"^\|[^|]*`{key}`", DOC, re.MULTILINE)


@pytest.mark.parametrize("name", FILTERS)
def test_every_filter_is_in_the_docs(name: str) -> None:
    assert f"`{name}`" in DOC


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_rule_in_the_docs_loads(example: str) -> None:
    _, faults, warnings = read_rules({"example": example if "[[rule]]" in example else FRAGMENT + example}, TABLES)
    assert (faults, warnings) == ((), ())
