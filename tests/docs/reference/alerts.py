"""docs/alerts.md: `watchdog rules list --format markdown`, with links; what stands before its first section is written by hand."""

import re

from tests.docs.pages import ROOT
from tests.docs.rule_link import rule_link
from watchdog.cli.rules.markdown import rules_markdown
from watchdog.config.rulebook import read_once
from watchdog.config.shipped import shipped_rule_files
from watchdog.tables import TABLES

__all__ = ["alerts_page"]

_NAME = re.compile(r"^\| ([A-Z]\w+) \|", re.MULTILINE)


def alerts_page() -> str:
    """The page."""
    head = (ROOT / "docs" / "alerts.md").read_text(encoding="utf-8").partition("\n## ")[0].rstrip()
    made = rules_markdown(read_once(shipped_rule_files(), TABLES)[0])
    return f"{head}\n\n{_NAME.sub(lambda found: f'| {rule_link(found[1])} |', made)}"
