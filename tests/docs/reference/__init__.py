"""The generated pages of docs/: each made of the code alone. `make docs-reference` writes them; a test fails while one is stale.

To add one: a module here with a function that returns the page, and a line in `GENERATED`.
"""

from collections.abc import Callable, Mapping

from tests.conditions.page import conditions_page
from tests.docs.reference.alerts import alerts_page
from tests.docs.reference.commands import commands_page
from tests.docs.reference.configuration import configuration_page
from tests.docs.reference.rules import rules_page
from tests.docs.reference.tables import tables_page

__all__ = ["GENERATED"]

GENERATED: Mapping[str, Callable[[], str]] = {
    "docs/alerts.md": alerts_page,
    "docs/conditions.md": conditions_page,
    "docs/reference/commands.md": commands_page,
    "docs/reference/configuration.md": configuration_page,
    "docs/reference/rules.md": rules_page,
    "docs/reference/tables.md": tables_page,
}
"""Page -> what makes it."""
