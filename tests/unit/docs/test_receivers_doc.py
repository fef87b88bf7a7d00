"""docs/receivers.md has a section for each kind of receiver, with a configuration that test_pages.py loads."""

import tomllib

import pytest

from tests.docs.pages import ROOT
from tests.docs.toml_blocks import toml_blocks
from watchdog.receivers import RECEIVERS

PAGE = ROOT / "docs" / "receivers.md"
SHOWN = {one["type"] for _, text in toml_blocks(PAGE) for one in tomllib.loads(text).get("receiver", ())}
TABLE = PAGE.read_text(encoding="utf-8").partition("| type |")[2].partition("\n\n")[0]


@pytest.mark.parametrize("kind", RECEIVERS)
def test_a_kind_of_receiver_has_its_configuration_and_its_line(kind: str) -> None:
    assert (kind in SHOWN, f"| `{kind}` | [" in TABLE) == (True, True)
