"""The result of `watchdog rules test` in each format: a page, a JSON document, JUnit XML, GitHub's annotations and job summary.

In: results. Out: text or a document. Each difference is at the line of its expectation, so that an editor can follow it.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from watchdog.cli.check.github import MOST, as_markdown, workflow_command
from watchdog.cli.check.junit import xml_document, xml_text
from watchdog.cli.output.page import Block, Ink, Line
from watchdog.core.scenarios.compare import Difference
from watchdog.core.scenarios.result import Missing, ScenarioResults, Tested
from watchdog.core.text.wording import counted

__all__ = ["annotations", "job_summary", "junit_text", "scenarios_document", "scenarios_page", "verdict"]

_NAMED = 10


def verdict(results: ScenarioResults) -> Ink:
    """The verdict in one line."""
    count = counted(len(results.tested), "scenario")
    missing = f", {counted(len(results.missing), 'rule')} without" if results.complete and results.missing else ""
    if results.exit_code == 0:
        return Ink(f"OK: {count} as expected", "good")
    return Ink(f"WRONG: {len(results.wrong)} of {count}{missing}", "error")


def scenarios_page(results: ScenarioResults, footer: str, *, verbose: bool) -> list[Block]:
    """The page: each scenario in which something is wrong, with every difference; and each other one if `verbose`."""
    page: list[Block] = []
    for one in results.tested:
        if one.differences:
            page.append(Line.of(Ink("wrong", "error"), "  ", Ink(one.scenario.name, "strong")))
            page += [Line.of(_place(one, difference), f"{difference}", indent=2) for difference in one.differences]
        elif verbose:
            page.append(
                Line.of(Ink("ok", "good"), "     ", one.scenario.name, "  ", Ink(f"{one.scenario.file}:{one.scenario.line}", "faint"))
            )
    page += _missing_lines(results)
    page.append(Line.of(verdict(results)))
    return [*page, Line.of(Ink(footer, "faint"))]


def _place(one: Tested, difference: Difference) -> Ink:
    return Ink(f"{one.scenario.file}:{difference.line}: ", "faint")


def _missing_lines(results: ScenarioResults) -> Iterator[Line]:
    if results.complete:
        yield from (Line.of(str(missing)) for missing in results.missing)
        return
    without = [missing.rule for missing in results.missing if not missing.fires and not missing.quiet]
    if without:
        named = ", ".join(without[:_NAMED]) + (f" and {len(without) - _NAMED} more" if len(without) > _NAMED else "")
        yield Line.of(Ink(f"Without any scenario: {named}", "faint"))


def scenarios_document(results: ScenarioResults) -> dict[str, Any]:
    """The JSON document. Its keys are a contract."""
    return {
        "version": 1,
        "exit_code": results.exit_code,
        "scenarios": [
            {
                "name": one.scenario.name,
                "file": one.scenario.file,
                "line": one.scenario.line,
                "ok": not one.differences,
                "differences": [_difference(difference) for difference in one.differences],
            }
            for one in results.tested
        ],
        "missing": [
            {"rule": one.rule, "file": one.file, "line": one.line, "fires": one.fires, "quiet": one.quiet} for one in results.missing
        ],
    }


def _difference(one: Difference) -> dict[str, Any]:
    return {"line": one.line, "at_s": one.at_s, "rule": one.rule, "expected": one.expected, "found": one.found, "todo": one.todo or None}


def junit_text(results: ScenarioResults) -> str:
    """A suite for each file, a case for each scenario; if every rule needs scenarios, a suite for the rules without."""
    files: dict[str, list[Tested]] = {}
    for one in results.tested:
        files.setdefault(one.scenario.file, []).append(one)
    missing = results.missing if results.complete else ()
    root = Element("testsuites", {"name": "watchdog", **_counts(len(results.tested) + len(missing), len(results.wrong) + len(missing))})
    for file, mine in files.items():
        wrong = sum(1 for one in mine if one.differences)
        suite = SubElement(root, "testsuite", {"name": xml_text(file), **_counts(len(mine), wrong)})
        for one in mine:
            case = SubElement(suite, "testcase", {**_case(file, one.scenario.name), "file": xml_text(file), "line": str(one.scenario.line)})
            if one.differences:
                told = [f"{file}:{difference.line}: {difference}" for difference in one.differences]
                SubElement(case, "failure", message=xml_text(str(one.differences[0]))).text = xml_text("\n".join(told))
    if missing:
        suite = SubElement(root, "testsuite", {"name": "rules without scenarios", **_counts(len(missing), len(missing))})
        for rule in missing:
            SubElement(SubElement(suite, "testcase", _case(rule.file, rule.rule)), "failure", message=xml_text(str(rule)))
    return xml_document(root)


def _counts(tests: int, failures: int) -> dict[str, str]:
    return {"tests": str(tests), "failures": str(failures), "errors": "0", "skipped": "0"}


def _case(file: str, name: str) -> dict[str, str]:
    return {"classname": xml_text(file), "name": xml_text(name), "time": "0"}


def annotations(results: ScenarioResults) -> str:
    """An `::error` for each difference and each missing scenario, at its line; and the verdict."""
    told = list(_errors(results))
    lines = [workflow_command("error", title, text, file=file, line=str(line)) for title, text, file, line in told[: _most(told)]]
    if len(told) > MOST:
        lines.append(workflow_command("error", "watchdog", f"{len(told) - MOST + 1} more; the job summary has them all"))
    return "\n".join([*lines, verdict(results).text]) + "\n"


def _most(told: Sequence[object]) -> int:
    return len(told) if len(told) <= MOST else MOST - 1


def _errors(results: ScenarioResults) -> Iterator[tuple[str, str, str, int]]:
    """(title, text, file, line)."""
    for one in results.wrong:
        yield from ((one.scenario.name, str(difference), one.scenario.file, difference.line) for difference in one.differences)
    for missing in results.missing if results.complete else ():
        yield missing.rule, _without_place(missing), missing.file, missing.line


def _without_place(missing: Missing) -> str:
    return str(missing).removeprefix(f"{missing.file}:{missing.line}: ")


def job_summary(results: ScenarioResults, footer: str) -> str:
    """Markdown: the verdict, and everything that is wrong."""
    lines = [f"- {as_markdown(f'{file}:{line}: {title}: {text}')}" for title, text, file, line in _errors(results)]
    return "\n".join([f"## watchdog: {as_markdown(verdict(results).text)}", "", *lines, "", as_markdown(footer)]) + "\n\n"
