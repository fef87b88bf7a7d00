"""Templates of whole messages: the body of a webhook in the form that its server wants.

In: a template and a message. Out: the text, or the template's faults. The same small part of Jinja as in rules, and one thing more: a loop
over the incidents of the message, which cannot be nested. So a text is never longer than its template for each incident.
"""

import json
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from watchdog.core.incidents.messages import Event, Message, strongest
from watchdog.core.incidents.payload import json_cell, payload
from watchdog.core.model.rows import Cell
from watchdog.core.model.severity import Severity, worst
from watchdog.core.rules.templates import ALLOWED, DEEPEST, LONGEST_TEMPLATE, REFUSED, filter_faults, on_line, sandbox
from watchdog.core.text.phrasing import FILTERS, TemplateValue, tidy, value_of
from watchdog.core.text.suggestions import did_you_mean

if TYPE_CHECKING:
    from jinja2 import Environment, Template, nodes

__all__ = ["FIELDS", "NAMES", "faults_of", "names_in", "render", "render_values", "values_of"]

NAMES = (
    "type", "timestamp", "service", "level", "message", "receiver", "target", "group", "event", "severity", "state", "count",
)  # fmt: skip
"""What a template can name, besides `incidents`."""
_MAPPINGS = ("key", "labels", "values")
FIELDS = (
    "id", "fingerprint", "event", "rule", "target", "severity", "state", "ended", "closed_by", "closed_because", "summary", "description",
    "runbook", "link", "deploy", "trend", "remedy", "started_at", "fired_at", "resolved_at", "flapping", "sequence", *_MAPPINGS,
)  # fmt: skip
"""What an incident has, in a loop over them; `_MAPPINGS` have names of their own: `incident.key.name`."""
_LOOP = ("first", "last", "index")


def _as_json(value: object) -> str:
    """A value as JSON: a text in quotes, a number, true, or null for what is unknown."""
    known = isinstance(value, str | bool | int | float)
    return json.dumps(json_cell(value) if known else None, ensure_ascii=False)  # type: ignore[arg-type] # mypy does not follow the flag


_FILTERS = {**FILTERS, "json": _as_json}


@cache
def _environment() -> "Environment":
    return sandbox(_FILTERS)


# --- rendering ----------------------------------------------------------------------------------------------------------


class _Members:
    """A mapping whose members are read as attributes; one that is missing is unknown."""

    __slots__ = ("_members",)

    def __init__(self, members: Mapping[str, Cell]) -> None:
        self._members = members

    def __getattr__(self, name: str) -> TemplateValue:
        return _value(self._members.get(name))


def _value(cell: Cell) -> TemplateValue:
    value = value_of(cell)
    return tidy(value) if isinstance(value, str) else value


def values_of(message: Message) -> dict[str, Cell]:
    """What a template can name, besides the incidents. `state` is that of the group: `firing` while anything of it fires."""
    document = payload(message)
    burning = [notice.severity for notice in message.notices if notice.event is not Event.RESOLVED]
    said: dict[str, Cell] = {
        **{name: document[name] for name in ("type", "timestamp", "service", "level", "message")},
        "receiver": message.receiver,
        "target": message.target,
        "group": message.group_id or message.notices[0].incident,
        "event": strongest([notice.event for notice in message.notices]).value,
        "severity": worst(burning or [notice.severity for notice in message.notices] or [Severity.INFO]).value,
        "state": "resolved" if message.group_is_over else "firing",
        "count": len(message.notices),
    }
    return {name: tidy(cell) if isinstance(cell, str) else cell for name, cell in said.items()}


def render(text: str, message: Message) -> str:
    """Render a text for a message. ValueError or TypeError if the template cannot be rendered (a text compared with a number)."""
    known: dict[str, Any] = {name: _value(cell) for name, cell in values_of(message).items()}
    incidents = [_incident(one) for one in payload(message)["data"]["incidents"]]
    return _compiled(text).render({**known, "incidents": incidents})


def render_values(text: str, values: Mapping[str, Cell]) -> str:
    """Render a text without loops for what `values_of` said of a message."""
    return _compiled(text).render({name: _value(cell) for name, cell in values.items()})


def _incident(document: Mapping[str, Any]) -> SimpleNamespace:
    fields = {name: _Members(document[name]) if name in _MAPPINGS else _value(document[name]) for name in FIELDS}
    return SimpleNamespace(**fields)


@lru_cache(maxsize=64)
def _compiled(text: str) -> "Template":
    if faults := faults_of(text):
        raise ValueError("; ".join(faults))
    return _environment().from_string(text)


# --- checking a template ------------------------------------------------------------------------------------------------


def faults_of(text: str, *, loops: bool = True) -> list[str]:
    """Return what is wrong with a template. `loops`: whether it may have a loop over `incidents`."""
    from jinja2 import TemplateSyntaxError  # noqa: PLC0415

    if len(text) > LONGEST_TEMPLATE:
        return [f"{len(text):,} characters are too many; a template may have {LONGEST_TEMPLATE:,}"]
    try:
        return list(dict.fromkeys(_faults(_environment().parse(text), None, loops=loops)))
    except RecursionError:
        return ["nested too deeply"]
    except ValueError as error:  # a number with thousands of digits
        return [f"not a template: {error}"]
    except TemplateSyntaxError as error:
        return [f"not a template: {error.message}{on_line(error.lineno)}"]


def names_in(text: str) -> frozenset[str]:
    """Return which of `NAMES` a valid template without loops reads."""
    from jinja2 import nodes  # noqa: PLC0415

    return frozenset(node.name for node in _environment().parse(text).find_all(nodes.Name))


def _faults(node: "nodes.Node", item: str | None, depth: int = 0, *, loops: bool) -> Iterator[str]:
    """The faults of a node and everything in it. `item`: what the loop around it calls an incident."""
    from jinja2 import nodes  # noqa: PLC0415

    if depth > DEEPEST:
        raise RecursionError
    children, item_inside = list(node.iter_child_nodes()), item
    match node:
        case nodes.For():
            yield from _faults_of_loop(node, item, loops=loops)
            children, item_inside = [*node.body, *node.else_], node.target.name if isinstance(node.target, nodes.Name) else item
        case nodes.Getattr():
            yield from _faults_of_member(node, item)
            children = []
        case nodes.Name():
            yield from _faults_of_name(node, item)
        case nodes.Filter():
            yield from filter_faults(node, tuple(_FILTERS))
        case nodes.Neg() if all(isinstance(child, nodes.Const) for child in children):
            pass
        case _ if type(node).__name__ not in ALLOWED:
            what = REFUSED.get(type(node).__name__, type(node).__name__)
            yield f"{what} is not allowed{on_line(node.lineno)}; a template holds names, if, comparisons, filters, a loop over incidents"
            return
    for child in children:
        yield from _faults(child, item_inside, depth + 1, loops=loops)


def _faults_of_loop(node: "nodes.For", item: str | None, *, loops: bool) -> Iterator[str]:
    from jinja2 import nodes  # noqa: PLC0415

    where = on_line(node.lineno)
    over_incidents = isinstance(node.iter, nodes.Name) and node.iter.name == "incidents" and isinstance(node.target, nodes.Name)
    if not loops:
        yield f"a loop is not allowed here{where}"
    elif item is not None:
        yield f"a loop inside a loop is not allowed{where}"
    elif not over_incidents or node.test is not None or node.recursive:
        yield f"this loop is not allowed{where}; write {{% for incident in incidents %}} … {{% endfor %}}"
    elif isinstance(node.target, nodes.Name) and node.target.name in (*NAMES, "incidents", "loop"):
        yield f'"{node.target.name}" has another meaning{where}; write {{% for incident in incidents %}}'


def _faults_of_name(node: "nodes.Name", item: str | None) -> Iterator[str]:
    where = on_line(node.lineno)
    if node.name == item:
        yield f"{item} is no text{where}; write {item}.summary or another field of it: {', '.join(FIELDS)}"
    elif node.name == "incidents":
        yield f"incidents is no text{where}; write {{% for incident in incidents %}} … {{% endfor %}}, or {{{{ count }}}}"
    elif node.name not in NAMES:
        hint = did_you_mean(node.name, NAMES) or f"; there are {', '.join(NAMES)}"
        yield f'no "{node.name}" in a message{where}{hint}'


def _faults_of_member(node: "nodes.Getattr", item: str | None) -> Iterator[str]:
    """Of `incident.rule`, `incident.key.name` and `loop.last`."""
    from jinja2 import nodes  # noqa: PLC0415

    where, of = on_line(node.lineno), node.node
    if isinstance(of, nodes.Name) and item is not None and of.name in (item, "loop"):
        known = _LOOP if of.name == "loop" else FIELDS
        if node.attr not in known:
            hint = did_you_mean(node.attr, known) or f"; it has {', '.join(known)}"
            yield f'{of.name} has no "{node.attr}"{where}{hint}'
        elif node.attr in _MAPPINGS:
            yield f"{of.name}.{node.attr} is no text{where}; write {of.name}.{node.attr}.NAME"
        return
    inside = of.node if isinstance(of, nodes.Getattr) and of.attr in _MAPPINGS else None
    if not isinstance(inside, nodes.Name) or inside.name != item or item is None or node.attr.startswith("_"):
        yield f"this attribute is not allowed{where}; only an incident in a loop has any: {{{{ incident.rule }}}}, incident.key.name"
