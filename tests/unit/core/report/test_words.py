"""A report in words: its headline, its chapters, Markdown and JSON."""

from typing import Any

import pytest
from markdown_it import MarkdownIt

from tests.builders.report import DAY, MIDNIGHT, a_burned_incident, a_report, a_target_report
from watchdog.core.report.chapters import Chapter, chapters_of, headline_of, lines_of
from watchdog.core.report.document import report_document
from watchdog.core.report.markdown import report_markdown
from watchdog.core.report.report import Act, QuietRule, Report, Span, TargetReport, WaitingQueue

HOSTILE = "<img src=x>|`rm`\n# *x* [a](http://e.vil) @all :tada: www.e.vil"


def chapter(title: str, **changes: Any) -> Chapter:
    return next(one for one in chapters_of(a_report(**changes)) if one.title == title)


def of_target(**changes: Any) -> str:
    return " | ".join(chapter("prod", targets=(a_target_report(**changes),)).sentences)


def acted(*acts: Act, trial: bool = False) -> str:
    incident = a_burned_incident(acts=acts, trial=trial)
    return chapter("incidents", incidents=(incident,)).rows[0][3]


def test_the_headline_says_the_time_the_tasks_and_the_incidents() -> None:
    assert headline_of(a_report()) == "Report of 1d to Mon 23 Nov 00:00 UTC: 12,345 tasks, 120 failed (1 %); 2 incidents, 1 still firing"


def test_the_headline_of_a_quiet_day_says_so() -> None:
    quiet = a_report(targets=(a_target_report(succeeded=1, failed=0),), incidents=(), incidents_in_all=0, burning=0)
    assert headline_of(quiet) == "Report of 1d to Mon 23 Nov 00:00 UTC: 1 task, 0 failed; no incidents"


def test_the_headline_names_targets_whose_tasks_nobody_counted() -> None:
    report = a_report(targets=(a_target_report(), TargetReport("lab")))
    assert "12,345 tasks, 120 failed (1 %), unknown for lab;" in headline_of(report)


def test_tasks_that_nobody_counted_anywhere_are_unknown() -> None:
    assert "UTC: tasks unknown;" in headline_of(a_report(targets=(TargetReport("lab"),)))


def test_times_are_shown_by_the_clock_of_the_report() -> None:
    assert "to Mon 23 Nov 01:00 CET" in headline_of(a_report(zone="CET", utc_offset_s=3600.0))


def test_a_target_is_a_sentence_of_figures_and_one_about_what_nobody_saw() -> None:
    assert of_target() == (
        "12,345 tasks processed, 120 failed (1 %), 30 retried; took 820ms on average, p50 500ms, p95 12s"
        " | not watched for 48m: Sun 22 Nov 02:10 to 02:58"
    )


def test_gaps_that_are_not_listed_are_counted() -> None:
    assert of_target(gaps_in_all=4).endswith("02:58 and 3 shorter times")


def test_a_gap_over_midnight_names_both_days() -> None:
    assert "Sun 22 Nov 23:00 to Mon 23 Nov 01:00" in of_target(gaps=(Span(MIDNIGHT + DAY - 3600, MIDNIGHT + DAY + 3600),))


def test_a_target_that_nobody_looked_at_has_no_figures() -> None:
    whole = of_target(watched_s=0.0, succeeded=None, failed=None)
    assert whole == "nobody looked at it in this time: nothing is known of it"


def test_tasks_that_were_not_counted_have_no_figures() -> None:
    assert of_target(succeeded=None, failed=None).startswith("tasks were not counted in this time")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"uncounted_s": 7200.0}, "tasks were not counted for 2h of the time watched"),
        ({"queues_unread_s": 7200.0}, "queues were not read for 2h of the time watched"),
        ({"queues_unread_s": DAY}, "queues were not read"),
    ],
)
def test_a_table_that_was_not_read_is_said(changes: dict[str, float], said: str) -> None:
    assert of_target(**changes).endswith(said)


def test_a_failure_among_very_many_is_not_rounded_to_none() -> None:
    assert "1 failed (<0.1 %)" in of_target(succeeded=1_000_000, failed=1)


def test_a_wait_that_nobody_could_read_is_a_question_mark() -> None:
    target = a_target_report(queues=(WaitingQueue("indexing", None, 40.0),))
    assert chapter("queues by wait", targets=(target,)).rows == (("indexing", "?", "40"),)


def test_with_several_targets_each_chapter_names_its_target() -> None:
    titles = [one.title for one in chapters_of(a_report(targets=(a_target_report("prod"), a_target_report("lab"))))]
    assert titles[:5] == ["prod", "prod: slowest tasks", "prod: most failures", "prod: queues by wait", "lab"]


def test_incidents_say_how_long_they_burned_and_who_acted() -> None:
    found = chapter("incidents")
    assert found.sentences == ("2 incidents fired, 1 of them still firing; nobody acted on 1",)
    assert [row[2:] for row in found.rows] == [("10m so far", "nobody acted"), ("1h10m", "acknowledged by ada after 4m (on it)")]


def test_a_day_without_incidents_says_so() -> None:
    assert chapter("incidents", incidents=(), incidents_in_all=0).sentences == ("none fired",)


def test_incidents_on_which_everybody_acted_are_said_so() -> None:
    assert chapter("incidents", unattended=0).sentences[0].endswith("somebody acted on each")


def test_several_acts_are_joined() -> None:
    acts = (Act("silenced", MIDNIGHT + 3600), Act("closed", MIDNIGHT + 4200, "grace", "leftovers"))
    assert acted(*acts) == "silenced; closed by grace after 10m (leftovers)"


def test_an_incident_on_trial_needs_nobody() -> None:
    assert acted(trial=True) == "on trial"


def test_incidents_that_are_not_listed_are_counted() -> None:
    assert chapter("incidents", incidents_in_all=30).more == 28


def test_rules_that_told_nothing_are_grouped_by_why() -> None:
    found = chapter("rules that notified nobody")
    assert found.sentences == (
        "5 of 7 rules notified nobody",
        "fired and stayed quiet: QueueGrowing",
        "could be judged all the time: TaskSlow",
        "could not be judged for 48m in prod: WorkerLost",
        "on trial: Custom",
        "can have no verdict with this configuration: ResultsGrowing",
    )


def test_rules_that_share_the_time_nobody_could_judge_them_are_one_sentence() -> None:
    quiet = tuple(QuietRule(name, unjudged_s=seconds, target="prod") for name, seconds in (("A", 60.2), ("B", 59.9), ("C", 30.0)))
    assert chapter("rules that notified nobody", quiet=quiet, quiet_in_all=3).sentences[1:] == (
        "could not be judged for 1m in prod: A, B",
        "could not be judged for 30s in prod: C",
    )


def test_a_sentence_lists_no_more_names_than_asked_for() -> None:
    quiet = tuple(a_report().quiet[2:3]) * 4
    found = next(one for one in chapters_of(a_report(quiet=quiet), most_names=2) if one.title == "rules that notified nobody")
    assert found.sentences[1] == "could be judged all the time: TaskSlow, TaskSlow and 2 more"


def test_a_time_that_history_does_not_reach_is_said() -> None:
    found = chapter("history", since=MIDNIGHT - 29 * DAY)
    assert found.sentences == ("history keeps 2w: figures of tasks and queues from before that are not known any more",)


def test_a_line_of_a_row_names_each_cell() -> None:
    assert next(iter(lines_of(chapter("most failures")))) == "shop.pay · failed 100 · rate 10 %"


def test_the_lines_of_a_chapter_count_what_is_left_out() -> None:
    assert list(lines_of(chapter("queues by wait")))[-1] == "… and 2 more"


def test_markdown_is_a_heading_and_a_chapter_each() -> None:
    page = report_markdown(a_report())
    assert [line for line in page.splitlines() if line.startswith("#")] == [
        "# Report of 1d to Mon 23 Nov 00:00 UTC: 12,345 tasks, 120 failed (1 %); 2 incidents, 1 still firing",
        "## prod", "## slowest tasks", "## most failures", "## queues by wait", "## incidents", "## rules that notified most",
        "## rules that notified nobody",
    ]  # fmt: skip
    assert "| reports.build | 42s | 20s | 120 |" in page


def test_markdown_interprets_nothing_that_comes_from_outside() -> None:
    report = a_report(targets=(a_target_report(HOSTILE, queues=(WaitingQueue(HOSTILE, 1.0, 1.0),)),),
                      incidents=(a_burned_incident(summary=HOSTILE, acts=(Act("closed", 0.0, HOSTILE, HOSTILE),)),))  # fmt: skip
    tokens = MarkdownIt("commonmark").enable("table").enable("strikethrough").parse(report_markdown(report))
    kinds = {child.type for token in tokens for child in token.children or ()} | {token.type for token in tokens}
    structure = {"table", "thead", "tbody", "tr", "th", "td", "heading", "paragraph", "bullet_list", "list_item"}
    assert kinds <= {"inline", "text", "text_special"} | {f"{name}_{end}" for name in structure for end in ("open", "close")}


def test_markdown_breaks_up_links_and_emoji() -> None:
    page = report_markdown(a_report(targets=(a_target_report(HOSTILE),)))
    assert ("http://" in page, "www." in page, " :tada" in page) == (False, False, False)


def test_the_document_holds_every_figure_with_iso_times() -> None:
    document = report_document(a_report())
    [target] = document["targets"]
    assert (document["since"], document["until"]) == ("2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z")
    assert (target["processed"], target["failed"], target["error_rate"]) == (12345, 120, round(120 / 12345, 6))
    assert (target["watched_s"], target["unwatched_s"]) == (83520.0, 2880.0)
    assert target["gaps"] == [{"since": "2026-11-22T02:10:00Z", "until": "2026-11-22T02:58:00Z"}]
    assert document["incidents"][1]["acted"] == [{"what": "acknowledged", "at": "2026-11-22T01:04:00Z", "by": "ada", "comment": "on it"}]


def test_what_nobody_counted_is_null_in_the_document() -> None:
    [target] = report_document(a_report(targets=(TargetReport("lab"),)))["targets"]
    assert [target[name] for name in ("processed", "failed", "error_rate", "p95_s")] == [None] * 4


def test_the_smallest_report_can_be_shown() -> None:
    assert [one.title for one in chapters_of(Report(MIDNIGHT, MIDNIGHT + DAY))] == ["incidents"]
