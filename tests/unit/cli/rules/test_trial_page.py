"""`rules trial`, and what every format of `check` says of what is on trial."""

import json

import pytest
from junitparser import JUnitXml, Skipped
from msgspec.structs import replace

from tests.unit.cli.check.test_formats import REFUSED, a_look, fires
from tests.unit.cli.test_incidents_page import BEGAN, INCIDENT, OVER
from watchdog.cli.check.github import annotations, job_summary
from watchdog.cli.check.json import check_document
from watchdog.cli.check.junit import junit_text
from watchdog.cli.check.nagios import nagios_code, nagios_text
from watchdog.cli.check.page import check_page
from watchdog.cli.database.incidents_page import incidents_page
from watchdog.cli.output.page import ByMedium, Entries, plain, text_of
from watchdog.cli.rules.page import Listed, rule_page, rules_page
from watchdog.cli.rules.trial_page import RuleTried, Tried, trial_document, trial_page, would_have_told
from watchdog.core.incidents.quiet.reasons import Reason
from watchdog.core.judging.check_result import Unknown
from watchdog.core.model.severity import Severity
from watchdog.core.rules.rule import Rule
from watchdog.status.documents.incidents import incidents_document
from watchdog.status.documents.quiet import QuietDocument
from watchdog.store import Watched

NOW = BEGAN + 3600
DAY = 86400.0
HERE = "w.db"


# --- rules trial --------------------------------------------------------------------------------------------------------

BURNING = replace(INCIDENT, id="01K1", trial=True)
ENDED = replace(OVER, id="01K2", trial=True, fired_at=BEGAN)
MAIL = replace(ENDED, id="01K3", key={"name": "mail"}, resolved_at=BEGAN + 60, summary="was: mail holds 60")


def tried(*incidents: object, rules: tuple[str, ...] = (), targets: tuple[str, ...] = (), since: float = NOW - DAY) -> Tried:
    return Tried(would_have_told(incidents, since), rules, targets, DAY)  # type: ignore[arg-type]


def only(told: Tried) -> RuleTried:
    (one,) = told.told
    return one


def test_beginnings_and_ends_are_counted_by_rule() -> None:
    one = only(tried(BURNING, ENDED, MAIL))
    assert (one.rule, one.began, one.ended, one.open, one.messages) == ("QueueBacklogHigh", 3, 2, 1, 5)


def test_a_beginning_before_the_time_looked_at_does_not_count_but_its_end_does() -> None:
    one = only(tried(ENDED, since=BEGAN + 30))
    assert (one.began, one.ended) == (0, 1)


@pytest.mark.parametrize("other", [INCIDENT, replace(BURNING, fired_at=None)], ids=["not on trial", "never fired"])
def test_only_what_fired_on_trial_would_have_been_told(other: object) -> None:
    assert tried(other).told == ()


def test_the_rule_that_would_have_told_most_comes_first() -> None:
    told = tried(BURNING, replace(ENDED, rule="Chatty", id="01K4"), replace(ENDED, rule="Chatty", id="01K5")).told
    assert [one.rule for one in told] == ["Chatty", "QueueBacklogHigh"]


def test_the_page_says_what_about_what_and_for_how_long() -> None:
    listing = trial_page(tried(BURNING, ENDED, MAIL), HERE, NOW)[0]
    assert isinstance(listing, ByMedium)
    (entries,) = listing.on_screen
    assert isinstance(entries, Entries)
    (entry,) = entries.entries
    assert [text_of(piece) for piece in (*entry.head, *entry.lines)] == [
        "warning",
        "QueueBacklogHigh",
        "would have sent 3 beginnings and 2 ends, 1 incident open now",
        "name=indexing in prod (2 times), name=mail in prod; the longest lasted 1h",
        "last: was: mail holds 60",
    ]


def test_a_pipe_gets_a_row_for_each_rule() -> None:
    header, row, *_ = plain(trial_page(tried(BURNING, ENDED, MAIL), HERE, NOW)).splitlines()
    assert header.split("  ")[0] == "rule"
    assert row.split()[:6] == ["QueueBacklogHigh", "warning", "3", "2", "1", "1h"]


def test_what_is_on_trial_and_silent_is_named() -> None:
    page = plain(trial_page(tried(BURNING, rules=("QueueBacklogHigh", "TaskSlow"), targets=("staging",)), HERE, NOW))
    assert "On trial, and would have sent nothing: TaskSlow" in page
    assert "Targets on trial: staging" in page
    assert "1 message not sent in the last 1d · database w.db" in page


def test_without_a_trial_the_page_says_how_to_begin_one() -> None:
    assert "`trial = true` of a rule, a target or an override" in plain(trial_page(tried(), HERE, NOW))


def test_the_document_has_the_counts_and_the_incidents() -> None:
    document = json.loads(json.dumps(trial_document(tried(BURNING, ENDED, rules=("QueueBacklogHigh",), targets=("staging",)), HERE, NOW)))
    assert document["on_trial"] == {"rules": ["QueueBacklogHigh"], "targets": ["staging"]}
    (rule,) = document["rules"]
    assert (rule["began"], rule["ended"], rule["open"], rule["longest_s"]) == (2, 1, 1, 3600)
    assert [one["id"] for one in rule["incidents"]] == ["01K1", "01K2"]


# --- where else it shows ------------------------------------------------------------------------------------------------

RULE = Rule("QueueBacklogHigh", "queues", "length > 50", key=("name",), trial=True)


def test_the_list_marks_a_rule_on_trial() -> None:
    (listing, *_) = rules_page([Listed(RULE, {})], "here")
    assert isinstance(listing, ByMedium)
    assert "QueueBacklogHigh (on trial)" in plain(list(listing.on_screen))
    assert plain(list(listing.piped)).splitlines()[1].split() == ["QueueBacklogHigh", "warning", "queues", "0s", "*", "on", "trial"]


def test_a_rule_on_trial_is_shown_as_such() -> None:
    assert "see `watchdog rules trial`" in plain(rule_page(RULE, ["prod"], [], differs_by_key=False))


def test_an_incident_on_trial_is_held_back_by_its_trial() -> None:
    quiet = {BURNING.id: Reason(trial=True)}
    assert "its trial" in plain(incidents_page([BURNING], HERE, NOW, Watched(), quiet))
    assert incidents_document([BURNING], HERE, Watched(), quiet).incidents[0].held_back_by == QuietDocument(trial=True)


# --- check --------------------------------------------------------------------------------------------------------------

UNSEEN = Unknown("Blind", "prod", {}, REFUSED, trial=True)
LOOK = a_look(replace(fires("Fires", Severity.CRITICAL), trial=True), fires("Mild", Severity.INFO), unknown=(UNSEEN,))


def test_what_is_on_trial_decides_no_exit_code() -> None:
    assert (LOOK.exit_code, nagios_code(LOOK)) == (0, 0)


def test_a_source_that_only_a_rule_on_trial_misses_decides_none_either() -> None:
    assert a_look(replace(fires("Blind", blind=True), trial=True)).exit_code == 0


def test_the_page_says_that_it_is_on_trial() -> None:
    lines = plain(check_page(LOOK, "here")).splitlines()
    assert lines[0] == "OK: 1 below warning, 2 on trial, 5 rules, 1 target"
    assert any("on trial: decides nothing" in line for line in lines)
    assert any("blinds, on trial: Blind" in line for line in lines)


def test_the_document_says_so_of_each() -> None:
    document = check_document(LOOK)
    assert document["version"] == 1
    assert [(one["rule"], one["trial"]) for one in document["firing"]] == [("Mild", False), ("Fires", True)]
    assert [one["trial"] for one in document["unknown"]] == [True]


def test_junit_passes_what_fires_on_trial_and_skips_what_it_cannot_see() -> None:
    cases = {str(case.name): case for suite in JUnitXml.fromstring(junit_text(LOOK)) for case in suite}
    assert list(cases["Fires"].result) == []
    assert "on trial: critical" in str(cases["Fires"].system_out)
    (skipped,) = cases["Blind"].result
    assert (type(skipped), str(skipped.message)) == (Skipped, f"on trial: {REFUSED}")


def test_github_is_given_a_notice_and_no_error() -> None:
    told = annotations(LOOK)
    assert "::notice title=Fires (on trial) in prod::" in told
    assert "::error" not in told
    assert "Fires \\(on trial\\)" in job_summary(LOOK, "here")


def test_nagios_says_it_below_its_first_line() -> None:
    first, *below = nagios_text(LOOK).splitlines()
    assert first.startswith("WATCHDOG OK - info Mild in prod (name=indexing): Mild says so|")
    assert "rules_firing=1;;;0" in first
    assert "on trial: critical Fires in prod (name=indexing): Fires says so" in below
    assert f"on trial: could not be known in prod: {REFUSED}" in below
