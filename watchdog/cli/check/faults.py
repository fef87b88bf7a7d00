"""Faults of usage, configuration or rules, in each format of `check`, so that a reader of the format alone is informed too.

In: the faults, one sentence each, most of them beginning with `file:line:`. Out: text or a document. (For a Nagios plugin see `nagios`; for
people they go to standard error, one per line.)
"""

import re
from collections.abc import Sequence
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from watchdog.cli.check.github import MOST, as_markdown, workflow_command
from watchdog.cli.check.junit import xml_document, xml_text
from watchdog.cli.output.page import clean

__all__ = ["faults_document", "github_faults", "job_summary_of_faults", "junit_faults"]

_PLACE = re.compile(r"(?P<file>\S[^:]*\.toml)(?::(?P<line>\d+))?: ")
_LONGEST_NAME = 200
_NOT_CONFIGURED = 2


def faults_document(faults: Sequence[str], exit_code: int = _NOT_CONFIGURED) -> dict[str, Any]:
    """The JSON document: `{"version": 1, "exit_code": 2, "faults": [sentence, …]}`."""
    return {"version": 1, "exit_code": exit_code, "faults": list(faults)}


def junit_faults(faults: Sequence[str]) -> str:
    """A suite with one case per fault, each an error."""
    counts = {"tests": str(len(faults)), "failures": "0", "errors": str(len(faults)), "skipped": "0"}
    root = Element("testsuites", {"name": "watchdog", **counts})
    suite = SubElement(root, "testsuite", {"name": "configuration", **counts})
    for fault in faults:
        case = SubElement(suite, "testcase", classname="watchdog.configuration", name=xml_text(clean(fault))[:_LONGEST_NAME], time="0")
        SubElement(case, "error", message=xml_text(fault)).text = xml_text(fault)
    return xml_document(root)


def github_faults(faults: Sequence[str], exit_code: int = _NOT_CONFIGURED) -> str:
    """An `::error` for each, at its file and line if it has one; and the verdict."""
    shown = faults if len(faults) <= MOST else faults[: MOST - 1]
    title = "watchdog is not configured" if exit_code == _NOT_CONFIGURED else "watchdog could not look"
    lines = [_annotation(title, fault) for fault in shown]
    if len(faults) > MOST:
        lines.append(workflow_command("error", "watchdog", f"{len(faults) - MOST + 1} more faults; the job summary has them all"))
    return "\n".join([*lines, _headline(faults, exit_code)]) + "\n"


def job_summary_of_faults(faults: Sequence[str], exit_code: int = _NOT_CONFIGURED) -> str:
    """Markdown: the verdict and a list."""
    return (
        "\n".join([f"## watchdog: {as_markdown(_headline(faults, exit_code))}", "", *(f"- {as_markdown(fault)}" for fault in faults)])
        + "\n\n"
    )


def _headline(faults: Sequence[str], exit_code: int) -> str:
    count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    return f"NOT CONFIGURED: {count}, nothing was looked at" if exit_code == _NOT_CONFIGURED else "COULD NOT LOOK"


def _annotation(title: str, fault: str) -> str:
    place = _PLACE.match(fault)
    where = {name: value for name, value in place.groupdict().items() if value} if place else {}
    return workflow_command("error", title, fault[place.end() :] if place else fault, **where)
