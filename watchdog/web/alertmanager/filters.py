"""What a client of Alertmanager asks for: filters in the query, matchers in its notation.

In: query parameters. Out: values, or a `RefusedError`. As Alertmanager does, parameters that it does not know are ignored.
"""

import re
from collections.abc import Iterable, Mapping

from msgspec import Struct
from werkzeug.datastructures import MultiDict

from watchdog.core.incidents.quiet.matchers import Matcher, match, new_matcher
from watchdog.core.text.sanitize import one_line
from watchdog.web.refusals import RefusedError

__all__ = ["AlertsAsked", "alerts_asked", "matchers_asked"]

MOST_MATCHERS = 50
_MATCHER = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|=|!=|!~)\s*(.*?)\s*", re.DOTALL)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPE = re.compile(r'\\([n"\\])')
_TRUE = frozenset({"true", "1", "yes", "ok", "y", "on", "selected", "checked", "t", "enabled"})


class AlertsAsked(Struct, frozen=True):
    """Which alerts. `receiver`: those of receivers whose whole name it matches."""

    matchers: tuple[Matcher, ...]
    active: bool
    silenced: bool
    inhibited: bool
    receiver: Matcher | None

    def receivers(self, names: Iterable[str]) -> list[str]:
        """Those of these receivers that are asked for."""
        return [name for name in names if self.receiver is None or self.receiver.holds({"receiver": name})]

    def selects(self, labels: Mapping[str, str]) -> bool:
        """Whether the filters select these labels."""
        return match(self.matchers, labels)


def alerts_asked(query: MultiDict[str, str]) -> AlertsAsked:
    """The parameters of `alerts` and `alerts/groups`."""
    matchers = matchers_asked(query)
    named = _last(query, "receiver")
    try:
        receiver = new_matcher("receiver", "=~", named) if named else None
    except ValueError as error:
        raise RefusedError(400, f"failed to parse receiver param: {error}") from None
    return AlertsAsked(matchers, _flag(query, "active"), _flag(query, "silenced"), _flag(query, "inhibited"), receiver)


def matchers_asked(query: MultiDict[str, str]) -> tuple[Matcher, ...]:
    """Each `filter`, which is one matcher."""
    texts = query.getlist("filter")
    if len(texts) > MOST_MATCHERS:
        raise RefusedError(400, f"expected at most {MOST_MATCHERS} filters, found {len(texts)}")
    return tuple(map(_matcher, texts))


def _matcher(text: str) -> Matcher:
    """`alertname=~"Worker.*"`; without quotes, the value is the rest as it is."""
    found = _MATCHER.fullmatch(text)
    if found is None:
        raise RefusedError(400, f"bad matcher format: {one_line(text)}")
    label, operator, value = found.groups()
    quoted = _QUOTED.fullmatch(value)
    if quoted is None and '"' in value.replace('\\"', ""):
        raise RefusedError(400, f"matcher value contains unescaped double quote: {one_line(value)}")
    try:
        return new_matcher(label, operator, _ESCAPE.sub(_unescaped, value if quoted is None else quoted[1]))
    except ValueError as error:
        raise RefusedError(400, str(error)) from None


def _unescaped(found: re.Match[str]) -> str:
    return "\n" if found[1] == "n" else found[1]


def _flag(query: MultiDict[str, str], name: str) -> bool:
    """A flag that is set unless the query says otherwise."""
    given = _last(query, name)
    return given.lower() in _TRUE if given else True


def _last(query: MultiDict[str, str], name: str) -> str:
    return next(reversed(query.getlist(name)), "")
