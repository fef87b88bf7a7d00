"""Matchers, in Alertmanager's notation: `rule=WorkerLost, name=~"celery@gpu-.*"` selects incidents by their labels.

Labels of an incident are its rule, target, severity, key columns and the labels of its rule. A label that it does not have is the empty
text. `=` and `!=` compare, `=~` and `!~` match a regular expression against the whole value.

Input: text. Output: matchers, or a ValueError that says what was expected, what was found, and where.
"""

import re
from collections.abc import Iterable, Mapping

from msgspec import Struct

from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.sql.functions import PatternError, compiled_pattern, found_in

__all__ = ["Matcher", "labels_of", "match", "new_matcher", "parse_matchers"]

EXPECTED = 'expected matchers such as rule=WorkerLost or name=~"celery@gpu-.*"'
_MATCHER = re.compile(r'\s*([^\W\d]\w*)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",{}=~!][^",{}=]*?))?\s*(,|$)', re.DOTALL)
_FLAGS = re.compile(r"\(\?([ims]+)\)")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class Matcher(Struct, frozen=True):
    """One condition on one label."""

    label: str
    operator: str
    value: str

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether it holds for these labels."""
        found = labels.get(self.label, "")
        if self.operator in ("=", "!="):
            return (found == self.value) is (self.operator == "=")
        return _matches(self.value, found) is (self.operator == "=~")

    def __str__(self) -> str:
        """As it is written."""
        value = self.value.replace("\\", "\\\\").replace('"', '\\"')
        return f'{self.label}{self.operator}"{value}"'


def labels_of(incident: Incident) -> dict[str, str]:
    """Return what matchers may select an incident by."""
    return {**incident.labels, **incident.key, "rule": incident.rule, "target": incident.target, "severity": incident.severity.value}


def match(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether all of them hold."""
    return all(matcher.holds(labels) for matcher in matchers)


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """Return the matchers of a text, separated by commas, with or without braces around all. ValueError if it holds none or a wrong one."""
    inner = text.strip()
    inner = inner[1:-1].strip() if inner[:1] == "{" and inner[-1:] == "}" else inner
    matchers: list[Matcher] = []
    at = 0
    while at < len(inner):
        found = _MATCHER.match(inner, at)
        if found is None:
            raise ValueError(f"{EXPECTED}, found {_shortened(inner[at:])}")
        label, operator, quoted, bare, _ = found.groups()
        value = _ESCAPED.sub(r"\1", quoted) if quoted is not None else (bare or "")
        matchers.append(new_matcher(label, operator, value))
        at = found.end()
    if not matchers:
        raise ValueError(f"{EXPECTED}, found nothing")
    return tuple(matchers)


def new_matcher(label: str, operator: str, value: str) -> Matcher:
    """Return a matcher. ValueError if its value should be a regular expression, and is none or could take too long."""
    if operator in ("=~", "!~"):
        try:
            compiled_pattern(value)  # first as it was written, so that a fault quotes that
            compiled_pattern(_whole(value))
        except PatternError as error:
            raise ValueError(str(error).removeprefix("regexp: ")) from None
    return Matcher(label, operator, value)


def _matches(pattern: str, text: str) -> bool:
    try:
        return found_in(_whole(pattern), text)
    except PatternError:  # a text so long that it could take too long
        return False


def _whole(pattern: str) -> str:
    flags = _FLAGS.match(pattern)  # `(?i)worker.*`: Python takes flags for a whole pattern only at its very beginning
    return rf"^(?{flags[1]}:{pattern[flags.end() :]})\Z" if flags else rf"^(?:{pattern})\Z"


def _shortened(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "…"
