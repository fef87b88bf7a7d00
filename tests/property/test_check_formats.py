"""Whatever rules, workers and errors are called, each format of `check` stays well-formed and says nothing that it did not mean."""

import re
import unicodedata
from urllib.parse import unquote

from hypothesis import given
from hypothesis import strategies as st
from junitparser import JUnitXml
from markdown_it import MarkdownIt

from watchdog.cli.check.github import annotations, job_summary
from watchdog.cli.check.junit import junit_text
from watchdog.cli.check.nagios import nagios_text
from watchdog.core.judging.check_result import CheckResult, Firing, Idle, TargetChecked, Unknown
from watchdog.core.judging.expectations import Answer
from watchdog.core.model.severity import Severity

SPICY = st.sampled_from(
    ["%", "\r", "\n", ":", ",", "::", "]]>", "<", "&", '"', "'", "|", "=", "`", "\\", "##[", "\x00", "\ufffe", "\ud800", "\u2028"]
)
TEXT = st.one_of(
    st.text(max_size=20), st.lists(st.one_of(SPICY, st.text(max_size=3)), max_size=8).map("".join), st.just("::error::x\n::y::")
)
CELL = st.one_of(TEXT, st.floats(), st.booleans(), st.none())
VALUES = st.dictionaries(TEXT, CELL, max_size=3)


@st.composite
def looks(draw: st.DrawFn) -> CheckResult:
    target = draw(TEXT)
    rules = tuple(draw(st.lists(TEXT, min_size=4, max_size=6, unique=True)))
    firing = tuple(
        Firing(
            draw(st.sampled_from(rules)), target, draw(st.sampled_from(Severity)), {draw(TEXT): draw(TEXT)}, {},
            draw(VALUES), draw(TEXT), "f", runbook=draw(TEXT), blind=draw(st.booleans()),
        )
        for _ in range(draw(st.integers(0, 3)))
    )  # fmt: skip
    expected = tuple(
        Answer(draw(TEXT), target, draw(st.sampled_from([True, False, None])), draw(TEXT)) for _ in range(draw(st.integers(0, 2)))
    )
    part = TargetChecked(
        firing=firing,
        unknown=(Unknown(rules[0], target, {draw(TEXT): draw(TEXT)}, draw(TEXT)),) if draw(st.booleans()) else (),
        idle=(Idle(rules[1], target, draw(TEXT)),) if draw(st.booleans()) else (),
        target=target,
        rules=rules,
        expected=expected,
        measured={"workers_online": draw(CELL), "backlog": draw(CELL)},
    )
    return CheckResult(0.0, len(rules), (part, part) if draw(st.booleans()) else (part,))


@given(looks())
def test_junit_is_xml_with_a_case_for_each_rule_and_expectation(look: CheckResult) -> None:
    text = junit_text(look)
    assert text.isascii()
    report = JUnitXml.fromstring(text)
    cases = [case for suite in report for case in suite]
    assert len(cases) == len(look.targets[0].rules) + len(look.targets[0].expected)
    failed = sum(any(type(one).__name__ in ("Failure", "Error") for one in case.result) for case in cases)
    assert (failed > 0) == (look.exit_code != 0)


@given(looks())
def test_github_gets_the_commands_that_were_meant_and_no_other(look: CheckResult) -> None:
    lines = annotations(look).split("\n")
    assert lines.pop() == ""
    verdict = lines.pop()
    assert not verdict.lstrip().startswith("::")
    assert "##[" not in verdict
    for line in lines:
        command = re.fullmatch(r"::(error|warning|notice) title=([^:,\r\n]*)::([^\r\n]*)", line)
        assert command, line
        assert all(re.match(r"%(25|0A|3A|2C)", part) for part in re.findall(r"%.{0,2}", command[2] + "\0" + command[3]))
        assert unquote(command[2]).strip()
    errors = sum(line.startswith("::error") for line in lines)
    assert (errors > 0) == (look.exit_code != 0)


@given(looks())
def test_the_job_summary_is_a_heading_and_tables_and_nothing_else(look: CheckResult) -> None:
    text = job_summary(look, "configuration x")
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    inline = {child.type for token in tokens for child in token.children or []}
    assert inline <= {"text", "text_special"}
    tables = [part for part in (look.firing, look.expected, look.unknown) if part]
    blocks = [token.type for token in tokens if token.level == 0 and token.nesting > 0]
    assert blocks == ["heading_open", *["table_open"] * len(tables), "paragraph_open"]
    assert sum(token.type == "tr_open" for token in tokens) == sum(len(part) + 1 for part in tables)


@given(looks())
def test_nagios_reads_perfdata_once_and_only_ours(look: CheckResult) -> None:
    text = nagios_text(look)
    first, *below = text.rstrip("\n").split("\n")
    words, bar, perfdata = first.partition("|")
    assert bar
    assert "|" not in perfdata + "".join(below)
    assert words.startswith("WATCHDOG ")
    assert not any(unicodedata.category(letter) == "Cc" for line in (words, *below) for letter in line)
    for one in perfdata.split(" "):
        assert re.fullmatch(r"[\w.@/:-]+=(U|-?\d+(\.\d+)?);;;0", one, re.ASCII), one
