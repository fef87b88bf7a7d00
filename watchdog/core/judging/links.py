"""The Flower page that shows what a finding is about; messages link to it.

Input: a finding, the address at which people open Flower (`Target.link`), the readings. Output: a URL; empty if there is no Flower, or a
link is of no use now. Flower 1.2, 2.0 and 2.2 have the same pages. A name is one %-escaped segment of a path, or one term of the search. If
a name has no page (Flower answers 404), the dashboard is linked.
"""

from collections.abc import Callable, Mapping
from urllib.parse import quote, quote_plus

from watchdog.core.judging.findings import Finding
from watchdog.core.model.rows import Cell, Reading
from watchdog.core.rules.rule import Rule

__all__ = ["LONGEST_LINK", "PAGES", "link_of"]

LONGEST_LINK = 1_000
"""Characters. Chats and mail programs cut longer links, which breaks them."""
DASHBOARD = "/"
"""With its slash: below a url_prefix Flower answers 404 without it."""
_SHORTEST_SEARCH = 3
"""Flower 2.2 shows an error instead of tasks if the search term is shorter."""
_ENDS_A_TERM = frozenset('()"\\')
"""What ends a search term besides spaces, unless it is quoted."""

Cells = Mapping[str, Cell]


def _worker(cells: Cells) -> str:
    return f"/worker/{quote(name, safe='@')}" if (name := _name(cells, "name")) else DASHBOARD


def _task(cells: Cells) -> str:
    return f"/task/{quote(task_id, safe='')}" if (task_id := _name(cells, "id")) else "/tasks"


def _tasks(cells: Cells) -> str:
    """Return the list of tasks with this name. Flower before 2.2 ignores the filter and shows all."""
    searched = _searched(_name(cells, "name"))
    return f"/tasks?name={quote(searched, safe='')}" if searched else "/tasks"


def _failures(cells: Cells) -> str:
    """Return the list of failed tasks with this name. Flower may not know the name of a task that no worker registers."""
    searched = "" if cells.get("category") == "unregistered" else _searched(_name(cells, "task"))
    return f"/tasks?state=FAILURE&name={quote(searched, safe='')}" if searched else "/tasks?state=FAILURE"


def _queue(cells: Cells) -> str:
    """Return the page of all queues, at the row of this one. Its anchor is the name as Python's quote_plus writes it."""
    return f"/broker#{quote_plus(name)}" if (name := _name(cells, "name")) else "/broker"


def _source(cells: Cells) -> str | None:
    """Return the dashboard, not the broker page: Flower before 2.2 hangs on that as long as its broker does. None for Flower itself."""
    return None if cells.get("name") == "flower" else DASHBOARD


PAGES: Mapping[str, tuple[str, Callable[[Cells], str | None]]] = {
    "workers": ("name", _worker),
    "groups": ("", lambda _: DASHBOARD),
    "hosts": ("", lambda _: DASHBOARD),
    "kinds": ("", lambda _: DASHBOARD),
    "conf": ("worker", lambda cells: _worker({"name": cells.get("worker")})),
    "flower": ("", lambda _: DASHBOARD),
    "cluster": ("", lambda _: DASHBOARD),
    "running": ("id", _task),
    "tasks": ("name", _tasks),
    "errors": ("task", _failures),
    "schedules": ("task", lambda cells: _tasks({"name": cells.get("task")})),
    "objectives": ("name", lambda _: DASHBOARD),
    "usual": ("name", lambda cells: _queue(cells) if cells.get("what") == "queue" else _tasks(cells)),
    "schedulers": ("", lambda _: DASHBOARD),
    "rhythms": ("task", lambda cells: _tasks({"name": cells.get("task")})),
    "queues": ("name", _queue),
    "broker": ("", lambda _: "/broker"),
    "sources": ("name", _source),
    "blind": ("", lambda _: DASHBOARD),
}
"""Table -> the key column that names what its rows are about, and the page of a row, below Flower's address; None: no page."""


def link_of(finding: Finding, base: str | None, readings: Mapping[str, Reading]) -> str:
    """Return the page's URL. `base` is Flower's address without a slash at its end; None if nothing is to be linked."""
    if base is None:
        return ""
    page = _page(finding, readings)
    if page is None:
        return ""
    return base + (page if len(base) + len(page) <= LONGEST_LINK else DASHBOARD)


def _page(finding: Finding, readings: Mapping[str, Reading]) -> str | None:
    table = _table(finding.rule)
    if table is None or (table in readings and finding.key in readings[table].without_page):
        return DASHBOARD
    return PAGES[table][1](finding.cells)


def _table(rule: Rule) -> str | None:
    """Return the table that a rule is about. For a query: the only one it reads, if its key is the name that it reads there."""
    if rule.table is not None:
        return rule.table if rule.table in PAGES else None
    tables = [name for name in rule.reads if name in PAGES]
    if len(rule.reads) != 1 or not tables:
        return None
    named = PAGES[tables[0]][0]
    return tables[0] if not named or (named in rule.key and named in rule.reads[tables[0]]) else None


def _name(cells: Cells, column: str) -> str:
    """Return the name in a cell; empty if no URL can hold it: a lone surrogate, or dots that browsers take for a folder."""
    name = cells.get(column)
    if not isinstance(name, str) or name in (".", ".."):
        return ""
    return name if name.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in name) else ""


def _searched(name: str) -> str:
    """Return a name as one term of Flower 2.2's search; empty if it cannot be one."""
    if len(name.strip()) < _SHORTEST_SEARCH or name.startswith("("):  # `(name unknown)` is not a name
        return ""
    if not any(letter.isspace() or letter in _ENDS_A_TERM for letter in name):
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
