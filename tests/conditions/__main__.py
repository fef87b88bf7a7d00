"""Print docs/conditions.md."""

import sys

from tests.conditions.page import page
from watchdog.config.shipped import shipped_rule_files
from watchdog.core.rules.files import read_rules
from watchdog.tables import TABLES

sys.stdout.write(page({rule.name: rule for rule in read_rules(shipped_rule_files(), TABLES)[0]}))
