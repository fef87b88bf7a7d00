"""The result of `watchdog check` as JUnit XML: a suite per target, a case per rule and per expectation.

In: a `CheckResult`. Out: ASCII text. A rule that fires at or above --fail-on is a failure; one that could not be judged, or that reports a
failed poll, is an error; an idle one is skipped, with the reason; one that fires below --fail-on passes, with its incidents in the output.
One on trial passes in the same way; it is skipped where it could not be judged.
"""

import re
from collections.abc import Iterable, Iterator
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from msgspec import Struct

from watchdog.core.incidents.payload import iso
from watchdog.core.judging.check_result import CheckResult, Firing, Unknown
from watchdog.core.judging.expectations import Answer
from watchdog.core.model.target import SELF
from watchdog.core.text.ci_commands import without_commands_xml
from watchdog.core.text.phrasing import tidy, worth_showing
from watchdog.core.text.sanitize import first_line
from watchdog.core.text.wording import key_text, values_text

__all__ = ["junit_text", "xml_document", "xml_text"]

_NOT_XML = re.compile("[\ufffe\uffff]")  # what `tidy` keeps although XML 1.0 does not allow it
_KINDS = {"failure": "failures", "error": "errors", "skipped": "skipped"}


class _Case(Struct, frozen=True):
    """One case: `outcome` is the name of an element, or empty if it passed."""

    group: str
    name: str
    outcome: str = ""
    message: str = ""
    text: str = ""


def junit_text(result: CheckResult) -> str:
    """The document, with its XML declaration."""
    suites = {checked.target: [*_rules(result, checked.target, checked.rules), *_expected(checked.expected)] for checked in result.targets}
    if result.idle_elsewhere:
        suites[SELF] = [_Case("rules", idle.rule, "skipped", idle.reason) for idle in result.idle_elsewhere]
    root = Element("testsuites", {"name": "watchdog", **_counts([case for cases in suites.values() for case in cases])})
    for target, cases in suites.items():
        about = {"name": xml_text(target), "timestamp": iso(result.checked_at).removesuffix("Z")}
        suite = SubElement(root, "testsuite", {**about, **_counts(cases)})
        for case in cases:
            _add(suite, target, case)
    return xml_document(root)


def _rules(result: CheckResult, target: str, names: Iterable[str]) -> Iterator[_Case]:
    for name in names:
        firing = [f for f in result.firing if (f.rule, f.target) == (name, target)]
        failing = [f for f in result.failing if (f.rule, f.target) == (name, target)]
        unknown = [u for u in result.unknown if (u.rule, u.target) == (name, target)]
        blind = [_why(u) for u in unknown if not u.trial] + [f.summary for f in firing if f.blind and not f.trial]
        tried = [_why(u) for u in unknown if u.trial]
        idle = next((i.reason for i in result.idle if (i.rule, i.target) == (name, target)), "")
        if failing:
            yield _Case("rules", name, "failure", _headline(failing), "\n\n".join(map(_details, firing)))
        elif blind:
            yield _Case("rules", name, "error", blind[0], "\n".join(blind))
        elif tried and not firing:
            yield _Case("rules", name, "skipped", f"on trial: {tried[0]}")
        elif idle:
            yield _Case("rules", name, "skipped", idle)
        else:
            yield _Case("rules", name, text="\n\n".join(map(_details, firing)))


def _why(unknown: Unknown) -> str:
    return f"{key_text(unknown.key)}: {unknown.reason}".removeprefix(": ")


def _expected(answers: Iterable[Answer]) -> Iterator[_Case]:
    for answer in answers:
        outcome = {True: "", False: "failure", None: "error"}[answer.ok]
        rows = "\n".join(values_text(row) for row in answer.rows)
        yield _Case("expect", answer.expect, outcome, answer.reason, rows or answer.reason)


def _headline(failing: list[Firing]) -> str:
    more = f" (and {len(failing) - 1} more)" if len(failing) > 1 else ""
    return failing[0].summary + more


def _details(firing: Firing) -> str:
    key = f" ({key_text(firing.key)})" if firing.key else ""
    trial = "on trial: " if firing.trial else ""
    lines = [f"{trial}{firing.severity}{key}: {firing.summary}", values_text(worth_showing(firing.values)), first_line(firing.runbook)]
    return "\n".join(line for line in lines if line)


def _add(suite: Element, target: str, case: _Case) -> None:
    element = SubElement(suite, "testcase", classname=xml_text(f"{target}.{case.group}"), name=xml_text(case.name), time="0")
    if case.outcome:
        SubElement(element, case.outcome, message=xml_text(case.message)).text = xml_text(case.text) or None
    elif case.text:
        SubElement(element, "system-out").text = xml_text(case.text)


def _counts(cases: list[_Case]) -> dict[str, str]:
    return {"tests": str(len(cases)), **{name: str(sum(c.outcome == outcome for c in cases)) for outcome, name in _KINDS.items()}}


def xml_document(root: Element) -> str:
    """The document as text, in which no CI system finds a command."""
    indent(root)
    document: bytes = tostring(root, encoding="us-ascii", xml_declaration=True)
    return without_commands_xml(document.decode("ascii")) + "\n"


def xml_text(text: str) -> str:
    """Text without characters that XML 1.0 does not allow."""
    return _NOT_XML.sub("", tidy(text))
