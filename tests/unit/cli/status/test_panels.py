"""What each panel says, and that it never shows a zero where nobody could look."""

import re

import pytest
from msgspec.structs import replace

from tests.builders.answers import a_target, a_task
from tests.builders.cluster import healthy
from tests.builders.looks import Watch
from tests.builders.outbox import incident
from tests.unit.cli.output.test_page import on_a_terminal
from tests.unit.cli.status.builders import NOON, a_day, blind_target, shown_of, text
from watchdog.cli.output.page import plain
from watchdog.cli.status.on_terminal import on_terminal
from watchdog.cli.status.page import status_page
from watchdog.core.incidents.lifecycle import State
from watchdog.core.incidents.quiet.acknowledgements import Acknowledgement
from watchdog.core.incidents.quiet.deploys import Deploy
from watchdog.core.incidents.quiet.reasons import Reason
from watchdog.core.model.severity import Severity
from watchdog.status.documents.status import DaemonsDocument, status_document
from watchdog.status.panel import Sheet
from watchdog.status.panels import PANELS
from watchdog.status.panels.figures import metrics, overview
from watchdog.status.panels.tables import queues, tasks, workers
from watchdog.status.panels.trend import trend
from watchdog.status.panels.trouble import errors, incidents
from watchdog.status.shown import TargetShown
from watchdog.store.sql import Daemons

ESCAPE = re.compile(r"\x1b\[[\d;]*m")
NEVER = TargetShown("prod", NOON, why_not="flower: no answer")


def line_of(shown: str, word: str) -> str:
    """The line that begins with a word."""
    return next(line for line in shown.splitlines() if line.strip().startswith(word))


def test_the_overview_counts_workers_tasks_and_messages() -> None:
    shown = text(overview(shown_of(day=a_day())))
    assert line_of(shown, "2 of 2").split() == ["2", "of", "2", "288", "24", "8.3", "%", "500ms", "0"]
    assert "● flower" in shown


def test_the_overview_says_how_long_history_reaches_back() -> None:
    assert "history of 3h" in text(overview(shown_of(day=a_day(*range(3, 24)))))
    assert "no history yet" in text(overview(shown_of()))


@pytest.mark.parametrize("name", PANELS)
def test_a_panel_of_a_target_that_was_never_seen_has_no_zero(name: str) -> None:
    if name != "incidents":
        assert " 0" not in text(PANELS[name](NEVER)).replace("no history", "")


def test_a_flower_that_does_not_answer_leaves_queues_and_no_zero() -> None:
    shown = blind_target("flower")
    assert line_of(text(overview(shown)), "?").split()[0] == "?"
    assert "○ flower down" in text(overview(shown))
    assert "workers (? of 1 online)" in text(workers(shown))
    assert "could not look: no answer" in text(workers(shown))
    assert "could not look: no answer" in text(tasks(shown))
    assert "0 waiting" in text(queues(shown))


def test_a_redis_that_does_not_answer_leaves_workers_and_no_zero() -> None:
    shown = blind_target("redis")
    assert "? waiting" in text(queues(shown))
    assert "1 of 1 online" in text(workers(shown))
    assert line_of(text(overview(shown)), "1 of 1").split()[-1] == "?"


def test_lost_workers_stand_first() -> None:
    cluster = healthy("celery@a", "celery@b")
    shown = shown_of(cluster)
    rows = tuple(
        replace(row, cells={**row.cells, "state": "lost" if row.cells["name"] == "celery@b" else "online"})
        for row in shown.readings["workers"].rows
    )
    shown = replace(shown, readings={**shown.readings, "workers": replace(shown.readings["workers"], rows=rows)})
    lines = text(workers(shown)).splitlines()
    assert (lines[0], lines[2].split()[:3]) == ("workers (1 of 2 online)", ["celery@b", "●", "lost"])


def test_columns_that_nothing_can_fill_are_left_out() -> None:
    watch = Watch(healthy(), a_target(sources=frozenset({"flower"})))
    assert "oldest" not in text(queues(TargetShown("prod", NOON, watch.look(0))))


def test_a_task_shows_its_progress_and_when_it_may_end() -> None:
    shown = shown_of()
    row = {"id": "6e1d7625-long", "name": "video.encode", "worker": "celery@web-1", "running_s": 30.0, "progress": 0.25, "step": "part 2"}
    reading = replace(shown.readings["running"], rows=(replace(shown.readings["workers"].rows[0], cells=row, gaps={}),))
    told = text(tasks(replace(shown, readings={**shown.readings, "running": reading})))
    assert line_of(told, "video.encode").split() == [
        "video.encode", "6e1d7625", "celery@web-1", "30s", "██░░░░░░", "25", "%", "part", "2", "~1m30s",
    ]  # fmt: skip


def test_many_queues_are_cut_unless_their_panel_is_asked_for() -> None:
    shown = shown_of()
    [one, *_] = shown.readings["queues"].rows
    many = replace(shown.readings["queues"], rows=tuple(replace(one, cells={**one.cells, "name": f"q{nth}"}) for nth in range(12)))
    shown = replace(shown, readings={**shown.readings, "queues": many})
    assert "and 4 more: watchdog status --panel queues" in text(queues(shown))
    assert "more" not in text(queues(shown, most=12))


def test_without_a_database_nobody_says_that_nothing_burns() -> None:
    assert "no database here" in text(incidents(shown_of(incidents=None)))


def test_arguments_stand_beside_a_task_where_they_are_shown() -> None:
    cluster = healthy("celery@web-1")
    cluster.tasks = [a_task("t", "STARTED", worker="celery@web-1", started=cluster.now - 5, arguments="('4711',)")]
    readings = Watch(cluster, a_target(show_arguments=True)).look(0)
    assert "('4711',)" in text(tasks(replace(shown_of(), readings=readings)))


def test_metrics_are_of_all_tasks_and_of_each() -> None:
    told = text(metrics(shown_of(day=a_day())))
    assert line_of(told, "all tasks").split()[2:] == ["288", "-", "24", "8.3", "%", "500ms", "500ms", "500ms", "500ms", "-"]
    assert line_of(told, "shop.pay")


def test_the_trend_shows_every_hour_in_a_pipe_and_a_gap_as_a_question_mark() -> None:
    told = text(trend(shown_of(day=a_day(5, 6))))
    assert line_of(told, "10:00").split() == ["10:00", "11", "1", "1h"]
    assert line_of(told, "06:00").split() == ["06:00", "?", "?", "0s"]
    assert "·· not watched (" in told


def test_hours_are_shown_by_the_clock_on_the_wall() -> None:
    assert TargetShown("prod", NOON, utc_offset_s=7200.0).clock(NOON) == "14:00"
    assert TargetShown("prod", NOON, utc_offset_s=-5 * 3600.0).clock(NOON) == "07:00"


def test_errors_are_counted_by_category_task_and_queue() -> None:
    told = text(errors(shown_of(day=a_day())))
    assert line_of(told, "timeout").split()[-7:] == ["24", "100", "%", "after", "30s", "on", "average"]
    assert line_of(told, "TimeoutError").split() == ["TimeoutError", "shop.pay", "indexing", "24", "30s"]


def with_errors(*values: float | None) -> TargetShown:
    """A target whose only failures of 24 hours have these figures: count, timed, seconds, new, returned."""
    day = a_day()
    errors_part = replace(day.totals["errors"], rows={("shop.pay", "KeyError", "indexing"): values})
    return shown_of(day=replace(day, totals={**day.totals, "errors": errors_part}))


@pytest.mark.parametrize(("new", "returned", "mark"), [(1.0, 0.0, ["NEW"]), (0.0, 1.0, ["RETURNED"]), (0.0, 0.0, [])])
def test_a_kind_of_failure_is_marked_if_it_is_new_or_has_returned(new: float, returned: float, mark: list[str]) -> None:
    told = text(errors(with_errors(5.0, 5.0, 5.0, new, returned)))
    assert line_of(told, "KeyError").split() == ["KeyError", *mark, "shop.pay", "indexing", "5", "1s"]


def test_a_kind_of_failure_of_which_nobody_knows_whether_it_is_new_has_no_mark_but_a_reason() -> None:
    told = text(errors(with_errors(5.0, 5.0, 5.0, None, None)))
    assert "? of 1 kind it is not known whether they are new" in told
    assert "NEW" not in told


def test_the_memory_of_failed_runs_is_shown_where_a_task_reports_it() -> None:
    told = text(errors(with_errors(5.0, 5.0, 5.0, 0.0, 0.0, 3e8)))
    assert line_of(told, "peak memory").split() == ["peak", "memory", "shop.pay", "286.1", "MiB"]


def test_where_none_reports_its_memory_one_line_says_so() -> None:
    assert text(errors(with_errors(5.0, 5.0, 5.0, 0.0, 0.0, None))).count("peak memory: none of these runs reported any") == 1


def test_metrics_show_how_busy_the_workers_were_over_24_hours() -> None:
    assert line_of(text(metrics(shown_of(day=a_day()))), "busy 24 h").split()[-2:] == ["25", "%"]


def test_incidents_say_who_knows() -> None:
    burning = replace(incident("A"), started_at=NOON - 90)
    known = Acknowledgement(burning.id, NOON, Severity.WARNING, author="ann")
    assert line_of(text(incidents(shown_of(incidents=(burning,)))), "warning").split()[-2:] == ["nobody", "yet"]
    heard = text(incidents(shown_of(incidents=(burning,), notified={burning.id: ("chat", "pager")})))
    assert line_of(heard, "warning").endswith("chat, pager")
    told = text(incidents(shown_of(incidents=(burning,), notified={burning.id: ("chat",)}, acknowledged={burning.id: known})))
    assert line_of(told, "warning").split()[1:] == ["1m30s", "A", "holds", "60", "messages", "ann"]


def test_incidents_say_why_nobody_is_notified() -> None:
    burning, cause = incident("A"), incident("B")
    told = text(incidents(shown_of(incidents=(burning,), quiet={burning.id: Reason(cause=cause)})))
    assert "follows from QueueBacklogHigh" in told
    assert "sent for prod" in text(incidents(shown_of(incidents=(burning,), quiet={burning.id: Reason(same_as=cause)})))


def test_deploys_are_marked_below_their_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    deploys = (Deploy("d1", "1.9", ("prod",), NOON - 40 * 3600, NOON), Deploy("d2", "2.0", ("prod",), NOON - 3 * 3600 + 600, NOON))
    drawn = ESCAPE.sub(
        "", on_a_terminal([on_terminal(trend(shown_of(day=a_day(), deploys=deploys)))], monkeypatch, COLUMNS="80")
    ).splitlines()
    [marks, named] = [line for line in drawn if "▲" in line]
    labels = next(line for line in drawn if " 13 " in line)
    assert marks.index("▲") == labels.index("07") + 6
    assert "deploys: 2.0 at 09:10" in named


def test_what_is_pending_is_not_called_firing() -> None:
    told = text(incidents(shown_of(incidents=(incident("A", state=State.PENDING),))))
    assert "0 incidents firing" in told
    assert line_of(told, "pending")


def test_the_page_says_how_old_it_is() -> None:
    assert " prod as watchdog saw it 4s ago, every 10s" in plain(status_page([shown_of()], (), ""))
    assert "looked at just now; no `watchdog run` uses this database" in plain(
        status_page([shown_of(live=True, seen_at=NOON, watched=False)], (), "")
    )
    assert "could not look: flower: no answer" in plain(status_page([NEVER], (), ""))


@pytest.mark.parametrize(
    ("daemons", "said"),
    [
        (Daemons("web-1, pid 8", ("web-2, pid 9",)), "web-1, pid 8 works; web-2, pid 9 stands by"),
        (Daemons("web-1, pid 8"), "web-1, pid 8 works; none stands by"),
        (Daemons(), "no watchdog works; none stands by"),
    ],
)
def test_who_works_on_a_shared_database_and_who_stands_by_is_the_last_line_but_one(daemons: Daemons, said: str) -> None:
    assert plain(status_page([shown_of(daemons=daemons)], (), "configuration x")).splitlines()[-2] == said


def test_of_a_file_nobody_says_who_works() -> None:
    assert "stands by" not in plain(status_page([shown_of()], (), "configuration x"))


@pytest.mark.parametrize(
    ("daemons", "shared"),
    [(None, None), (Daemons(), DaemonsDocument(works=None, stand_by=())), (Daemons("a"), DaemonsDocument(works="a", stand_by=()))],
)
def test_a_document_says_so_too_where_no_daemon_works(daemons: Daemons | None, shared: DaemonsDocument | None) -> None:
    assert status_document([shown_of(daemons=daemons)]).daemons == shared


def test_a_hostile_task_name_stays_harmless() -> None:
    cluster = healthy("celery@web-1")
    cluster.tasks = [a_task("t", "STARTED", name="evil\x1b[2J[red]\u202e", worker="celery@web-1", started=cluster.now - 5)]
    told = plain(status_page([shown_of(cluster)], (), ""))
    assert "\x1b" not in told
    assert "\u202e" not in told
    assert "evil[2J[red]" in told


@pytest.mark.parametrize("name", ["workers", "queues", "tasks", "errors"])
def test_each_row_says_what_it_is_about_by_its_whole_name(name: str) -> None:
    cluster = healthy("celery@web-1")
    cluster.tasks = [a_task("5bbc3642-ff83-442c-9dc9-ed150e4335aa", "STARTED", worker="celery@web-1", started=cluster.now - 5)]
    shown = replace(shown_of(day=a_day()), readings=Watch(cluster, a_target()).look(0))
    table = {"workers": "workers", "queues": "queues", "tasks": "running"}.get(name)
    whole = {str(row.cells["id" if name == "tasks" else "name"]) for row in shown.table(table).rows} if table else {"shop.pay"}
    sheet = [block for block in PANELS[name](shown, most=100).blocks if isinstance(block, Sheet)][-1]
    assert ({one.name for one in sheet.subjects}, len(sheet.subjects)) == (whole, len(sheet.rows))
