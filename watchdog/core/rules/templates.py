"""Render a rule's texts with a row's values: a small, safe subset of Jinja.

Input: a template and cells. Output: the text for people, or the template's faults. Only names, a few filters, `if`/`elif`/`else` and
comparisons are allowed: Jinja's own sandbox limits neither loops nor `'a'*10**9`, so anything that could cost time or memory is refused by
walking the parsed template before it is compiled.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from watchdog.core.model.rows import Cell
from watchdog.core.text.phrasing import FILTERS, TemplateValue, cut, format_value, tidy, value_of
from watchdog.core.text.suggestions import did_you_mean

if TYPE_CHECKING:
    from jinja2 import Environment, nodes

__all__ = [
    "ALLOWED",
    "DEEPEST",
    "EXTRA_NAMES",
    "LONGEST_TEMPLATE",
    "REFUSED",
    "TemplateCheck",
    "check_template",
    "filter_faults",
    "names_read",
    "on_line",
    "render",
    "sandbox",
]

EXTRA_NAMES = ("rule", "target", "severity", "app")
"""What every template can name besides the row's columns and the rule's params."""

LONGEST_TEMPLATE = 10_000
DEEPEST = 60
ALLOWED = ("Template", "Output", "TemplateData", "Name", "Filter", "If", "Compare", "Operand", "And", "Or", "Not", "Const")
REFUSED = {
    "For": "a loop", "Call": "a call", "CallBlock": "a call", "Getattr": "an attribute", "Getitem": "a subscript", "Macro": "a macro",
    "Include": "an include", "Import": "an import", "FromImport": "an import", "Extends": "extends", "Assign": "set", "AssignBlock": "set",
    "Block": "a block", "With": "with", "FilterBlock": "a filter block", "Test": "is", "CondExpr": "if inside {{ }}", "Concat": "~",
    "List": "a list", "Tuple": "a tuple", "Dict": "a dict", "Add": "+", "Sub": "-", "Mul": "*", "Div": "/", "FloorDiv": "//",
    "Mod": "%", "Pow": "**", "Neg": "-", "Pos": "+",
}  # fmt: skip
_LISTED = ", ".join(FILTERS)


class TemplateCheck(Struct, frozen=True):
    """The result of checking a template: the names it reads, and its faults (none: it is valid)."""

    names: frozenset[str] = frozenset()
    faults: tuple[str, ...] = ()


def check_template(text: str, names: Iterable[str], of: str = "") -> TemplateCheck:
    """Check whether `text` can be rendered with `names` (columns, params, `EXTRA_NAMES`).

    `of`: where the columns come from, for the faults.
    """
    known = tuple(names)
    used, faults = _by_itself(text)
    place = f" in {of}" if of else ""
    unknown = [f'no column or param "{name}"{place}{did_you_mean(name, known)}' for name in used if name not in known]
    return TemplateCheck(frozenset(used), tuple(dict.fromkeys([*faults, *unknown])))


def names_read(text: str) -> frozenset[str]:
    """Return the names that `text` reads, whether there are such or not; none if it is not a template."""
    return frozenset(_by_itself(text)[0])


def render(text: str, cells: Mapping[str, Cell], extra: Mapping[str, Cell]) -> str:
    """Render a text with its values. A gap, an idle column or a missing name becomes `unknown`.

    At most 2,000 characters, without control characters. ValueError or TypeError if the template cannot be rendered (forbidden syntax; a
    text compared with a number).
    """
    if "{" not in text:
        return _literal(text)

    def value(name: str) -> TemplateValue:
        return value_of(cells[name] if name in cells else extra.get(name))

    return cut(tidy(_compiled(text)(value)))


@lru_cache(maxsize=1024)
def _literal(text: str) -> str:
    return cut(tidy(text))


# --- checking a template ------------------------------------------------------------------------------------------------


@cache
def _environment() -> "Environment":
    return sandbox(FILTERS)


def sandbox(filters: Mapping[str, Callable[[object], str]]) -> "Environment":
    """Create a Jinja environment with only these filters.

    Imported here because the import takes 70 ms, and most commands render nothing.
    """
    from jinja2.sandbox import SandboxedEnvironment  # noqa: PLC0415

    environment = SandboxedEnvironment(finalize=format_value, autoescape=False)  # plain text: receivers escape for their own format
    environment.globals.clear()
    environment.tests.clear()
    environment.filters.clear()
    environment.filters.update(filters)
    return environment


@lru_cache(maxsize=1024)
def _compiled(text: str) -> Callable[[Callable[[str], TemplateValue]], str]:
    """Return a function of the values that renders the template. ValueError if it is not a template, or not an allowed one."""
    names, faults = _looked_at(text)
    if faults:
        raise ValueError("; ".join(faults))
    pieces = _pieces(_environment().parse(text))
    if pieces is not None:
        return lambda value: "".join([piece if isinstance(piece, str) else piece.shown(value) for piece in pieces])
    template, named = _environment().from_string(text), frozenset(names)
    return lambda value: template.render({name: value(name) for name in named})


class _Value(Struct, frozen=True):
    """`{{ name | filter }}`: the name, and what turns its value into text, in order."""

    name: str
    steps: tuple[Callable[[Any], str], ...]

    def shown(self, value: Callable[[str], TemplateValue]) -> str:
        shown: Any = value(self.name)
        for step in self.steps:
            shown = step(shown)
        return str(shown)


def _pieces(tree: "nodes.Template") -> list[str | _Value] | None:
    """Return the texts and values of a template without conditions, which need no Jinja to be joined; None for any other."""
    from jinja2 import nodes  # noqa: PLC0415

    pieces: list[str | _Value] = []
    for node in (piece for output in tree.body for piece in (output.nodes if isinstance(output, nodes.Output) else [output])):
        piece = node.data if isinstance(node, nodes.TemplateData) else _value(node, ())
        if piece is None:
            return None
        pieces.append(piece)
    return pieces


def _value(node: "nodes.Node", steps: tuple[Callable[[Any], str], ...]) -> _Value | None:
    from jinja2 import nodes  # noqa: PLC0415

    if isinstance(node, nodes.Filter) and node.node is not None:
        return _value(node.node, (FILTERS[node.name], *steps))
    return _Value(node.name, steps or (format_value,)) if isinstance(node, nodes.Name) else None


def _by_itself(text: str) -> tuple[list[str], list[str]]:
    """Return the names a text reads, and its faults whatever there is to be read, both in order."""
    from jinja2 import TemplateSyntaxError  # noqa: PLC0415

    if len(text) > LONGEST_TEMPLATE:
        return [], [f"{len(text):,} characters are too many; a template may have {LONGEST_TEMPLATE:,}"]
    if "{" not in text:
        return [], []
    try:
        return _looked_at(text)
    except RecursionError:
        return [], ["nested too deeply"]
    except ValueError as error:  # a number with thousands of digits
        return [], [f"not a template: {error}"]
    except TemplateSyntaxError as error:
        return [], [f"not a template: {error.message}{on_line(error.lineno)}"]


@lru_cache(maxsize=1024)
def _looked_at(text: str) -> tuple[list[str], list[str]]:
    """Parse a text and `_walk` it. Cached, because a rule's texts are checked several times. Raises what parsing raises."""
    return _walk(_environment().parse(text))


def _walk(tree: "nodes.Node") -> tuple[list[str], list[str]]:
    """Return the names a template reads and what is forbidden in it, both in order."""
    from jinja2 import nodes  # noqa: PLC0415

    names: list[str] = []
    faults: list[str] = []
    for node in _nodes(tree):
        if isinstance(node, nodes.Name):
            names.append(node.name)
        elif isinstance(node, nodes.Filter):
            faults += filter_faults(node)
        elif not _is_allowed(node):
            what = REFUSED.get(type(node).__name__, type(node).__name__)
            faults.append(f"{what} is not allowed{on_line(node.lineno)}; a template holds names, if, comparisons and filters ({_LISTED})")
    return names, faults


def _nodes(node: "nodes.Node", depth: int = 0) -> "Iterator[nodes.Node]":
    """Yield every node from the top, without the inside of forbidden ones. RecursionError if Python could not compile it."""
    if depth > DEEPEST:
        raise RecursionError
    yield node
    if _is_allowed(node):
        for child in node.iter_child_nodes():
            yield from _nodes(child, depth + 1)


def _is_allowed(node: "nodes.Node") -> bool:
    kind = type(node).__name__
    negative_number = kind == "Neg" and all(type(child).__name__ == "Const" for child in node.iter_child_nodes())
    return kind in ALLOWED or negative_number


def filter_faults(node: "nodes.Filter", filters: Iterable[str] = FILTERS) -> list[str]:
    """Return faults of a filter: it must be one of ours, and takes no arguments."""
    if node.name not in filters:
        return [f'no filter "{node.name}"{on_line(node.lineno)}; there are {", ".join(filters)}{did_you_mean(node.name, tuple(filters))}']
    if node.args or node.kwargs or node.dyn_args or node.dyn_kwargs:
        return [f'the filter "{node.name}" takes no arguments']
    return []


def on_line(line: int) -> str:
    """Where in a template of several lines."""
    return f" (its line {line})" if line > 1 else ""
