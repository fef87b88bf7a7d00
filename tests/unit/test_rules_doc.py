import re
from pathlib import Path

import pytest

from watchdog.core.rules.entry import KEYS
from watchdog.core.text.phrasing import FILTERS

DOC = (Path(__file__).parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("key", KEYS)
def test_every_field_is_in_the_docs(key: str) -> None:
    assert re.search(rf"^\|[^|]*`{key}`", DOC, re.MULTILINE)


@pytest.mark.parametrize("name", FILTERS)
def test_every_filter_is_in_the_docs(name: str) -> None:
    assert f"`{name}`" in DOC
