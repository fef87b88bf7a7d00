"""docs/operations.md speaks of every event that the log can hold, and of no other."""

import re
from pathlib import Path

import pytest

from watchdog.core.incidents.lifecycle import State

ROOT = Path(__file__).parents[2]
DOC = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
LOG = DOC.partition("## The log")[2].partition("\n## ")[0]
SAID = re.compile(r'\b_?log\.\w+\(\s*"(\w+)"|_done\("(\w+)"|_wait_after\("(\w+)"|"event": "(\w+)"|^    \(.*\): "(\w+_\w+)",$', re.MULTILINE)
TABLES = re.compile(r"^(?:ENTERED|SAME_STATE|_EVENTS) = (\{.*\})$", re.MULTILINE)


def events() -> set[str]:
    """Every event that the daemon's code logs."""
    found: set[str] = set()
    for path in (ROOT / "watchdog").rglob("*.py"):
        if path.parent.name != "demo":
            text = path.read_text(encoding="utf-8")
            found |= {name for match in SAID.finditer(text) for name in match.groups() if name}
            found |= {name for table in TABLES.findall(text) for name in re.findall(r': "(\w+)"', table)}
    return found


def test_every_event_of_the_log_is_explained_and_no_other() -> None:
    explained = {name for line in LOG.splitlines() if line.startswith("| `") for name in re.findall(r"`(\w+)`", line.split("|")[1])}
    assert explained == events()


@pytest.mark.parametrize("state", list(State))
def test_every_state_of_an_incident_is_explained(state: State) -> None:
    assert f"| {state.value} |" in DOC
