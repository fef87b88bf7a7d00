"""The log of decisions: a line where a decision changes, and never a failure of what it describes."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from tests.builders.answers import NOW, a_target
from tests.builders.incidents import a_finding, a_message, a_notice, a_rule, a_told, an_incident
from watchdog.config.masking import Masking
from watchdog.core.incidents.decide import Situation, decide
from watchdog.core.incidents.explain.explained import Explained, Made
from watchdog.core.incidents.lifecycle import Ended, State
from watchdog.core.incidents.messages import Event
from watchdog.core.incidents.plan import Loaded, Plan
from watchdog.core.incidents.quiet.matchers import Matcher
from watchdog.core.incidents.quiet.reasons import Reason
from watchdog.core.incidents.quiet.silences import Silence
from watchdog.core.incidents.routing import Recipient, Terms
from watchdog.core.judging.findings import Judgement
from watchdog.core.model.reading import Seen
from watchdog.core.model.severity import Severity
from watchdog.daemon.logs import decision_log
from watchdog.daemon.logs.decision_log import DecisionLog

FIRING = an_incident(State.FIRING)
SILENCE = Silence("01SILENCE", (Matcher("rule", "=", "QueueBacklogHigh"),), NOW - 10, NOW + 3600, "a big import", "ada")
OPS = Recipient("ops")


def plan(*recipients: Recipient, now: float = NOW, decisions: bool = True, **loaded: Any) -> Plan:
    """The plan of a cycle that sees FIRING in breach."""
    rule = a_rule()
    situation = Situation(a_target(), now, recipients or (OPS,), decisions=decisions, loaded_rules=frozenset({rule.name}))
    judged = [Judgement(rule, (a_finding(rule=rule),))]
    return decide(situation, judged, Loaded(open=(FIRING,), previous_cycle_at=now - 10, **loaded), Seen({}, {}, {}))


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "decisions.jsonl"


def test_a_decision_says_of_what_to_whom_and_why(path: Path) -> None:
    DecisionLog(path).write(plan(silences=(SILENCE,)))
    assert lines(path) == [
        {
            "at": "2027-01-15T08:00:00Z",
            "target": "prod",
            "rule": "QueueBacklogHigh",
            "key": {"name": "indexing"},
            "incident": FIRING.id,
            "fingerprint": FIRING.fingerprint,
            "state": "firing",
            "verdict": "breach",
            "receiver": "ops",
            "said": None,
            "why": "silenced",
            "reason": {"silence": "01SILENCE", "until": "2027-01-15T09:00:00Z", "comment": "a big import"},
            "until": "2027-01-15T09:00:00Z",
            "next": "first",
        }
    ]


def test_only_what_changes_is_written(path: Path) -> None:
    log = DecisionLog(path)
    for now in (NOW, NOW + 10, NOW + 20):
        log.write(plan(now=now, silences=(SILENCE,)))
    log.write(plan(now=NOW + 30))
    log.write(plan(now=NOW + 40, notified={(FIRING.id, "ops"): a_told()}))
    log.write(plan(now=NOW + 50, notified={(FIRING.id, "ops"): a_told()}))
    assert [(line["said"], line["why"]) for line in lines(path)] == [(None, "silenced"), ("first", None), (None, "known")]


def test_each_receiver_has_its_own_lines(path: Path) -> None:
    DecisionLog(path).write(plan(OPS, Recipient("pager", min_severity=Severity.CRITICAL)))
    assert [(line["receiver"], line["said"], line["why"]) for line in lines(path)] == [
        ("ops", "first", None),
        ("pager", None, "not_routed"),
    ]


def test_what_waits_for_its_group_says_until_when(path: Path) -> None:
    DecisionLog(path).write(plan(Recipient("ops", terms=Terms(group_wait_s=90.0))))
    (line,) = lines(path)
    assert (line["said"], line["why"], line["next"], line["until"]) == (None, "group", "first", "2027-01-15T08:00:30Z")


def test_what_waits_to_be_delivered_is_said_once(path: Path) -> None:
    log = DecisionLog(path)
    log.write(plan())
    log.write(plan(now=NOW + 10, waiting=(a_message(a_notice(FIRING)),)))
    assert len(lines(path)) == 1


def test_an_end_is_a_decision_too(path: Path) -> None:
    over = replace(FIRING, state=State.RESOLVED, ended=Ended.RECOVERED, resolved_at=NOW)
    situation = Situation(a_target(), NOW, (OPS,), decisions=True)
    loaded = Loaded(unsettled=(over,), notified={(over.id, "ops"): a_told(Event.FIRST)})
    DecisionLog(path).write(decide(situation, [], loaded, Seen({}, {}, {})))
    assert [(line["state"], line["said"]) for line in lines(path)] == [("resolved", "resolved")]


def test_nothing_is_worked_out_for_a_log_that_nobody_wants() -> None:
    assert plan(decisions=False).decisions == ()


def test_a_file_that_was_moved_away_is_opened_again(path: Path) -> None:
    log = DecisionLog(path)
    log.write(plan(silences=(SILENCE,)))
    path.rename(path.with_suffix(".1"))
    log.write(plan())
    assert [line["why"] for line in lines(path.with_suffix(".1"))] == ["silenced"]
    assert [line["said"] for line in lines(path)] == ["first"]


def test_a_log_that_cannot_be_written_is_one_warning_and_is_written_later(tmp_path: Path) -> None:
    log, folder = DecisionLog(tmp_path / "later" / "decisions.jsonl"), tmp_path / "later"
    with capture_logs() as logs:
        log.write(plan(silences=(SILENCE,)))
        log.write(plan())
        folder.mkdir()
        log.write(plan())
    assert [(line["event"], line.get("reason")) for line in logs] == [
        ("decisions_not_written", "no such file or directory"),
        ("decisions_written_again", None),
    ]
    assert [(line["why"], line["said"]) for line in lines(folder / "decisions.jsonl")] == [("silenced", None), (None, "first")]


def test_a_full_disk_tears_no_line(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, write = DecisionLog(path), os.write
    room = [100]

    def full(file: int, text: bytes) -> int:
        if not room[0]:
            raise OSError(28, "No space left on device")
        written = write(file, text[: room[0]])
        room[0] -= written
        return written

    monkeypatch.setattr(os, "write", full)
    with capture_logs() as logs:
        log.write(plan(silences=(SILENCE,)))
    assert [line["reason"] for line in logs] == ["no space left on device"]
    room[0] = 10_000
    log.write(plan())
    assert [line["why"] for line in lines(path)] == ["silenced", None]


def test_what_is_kept_for_a_log_that_cannot_be_written_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decision_log, "MOST_KEPT", 500)
    folder = tmp_path / "later"
    log = DecisionLog(folder / "decisions.jsonl")
    with capture_logs() as logs:
        log.write(plan(silences=(SILENCE,)))
        log.write(plan())
        folder.mkdir()
        log.write(plan())
    assert len(lines(folder / "decisions.jsonl")) == 1
    assert logs[-1]["lost"] == 1


def test_a_pipe_that_nobody_reads_stops_nothing(path: Path) -> None:
    os.mkfifo(path)
    with capture_logs() as logs:
        DecisionLog(path).write(plan())
    assert [line["event"] for line in logs] == ["decisions_not_written"]


def test_a_secret_in_a_comment_is_masked(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    masking = Masking()
    masking.learn(["hunter2hunter2"])
    monkeypatch.setattr(decision_log, "MASKING", masking)
    DecisionLog(path).write(plan(silences=(replace(SILENCE, comment="the password is hunter2hunter2"),)))
    assert "hunter2" not in path.read_text()
    assert lines(path)[0]["why"] == "silenced"


@pytest.mark.parametrize("reason", [Reason(same_as=replace(FIRING, id="01TWIN", target="eu")), Reason(cause=replace(FIRING, id="01TWIN"))])
def test_another_incident_that_is_told_instead_is_named_once(path: Path, reason: Reason) -> None:
    made = Made(FIRING, "breach", "ops", Explained(why=reason.word, reason=reason))
    log = DecisionLog(path)
    for at in (NOW, NOW + 10):
        log.write(Plan("prod", at, decisions=(made,)))
    assert [(line["why"], line["reason"]["incident"]) for line in lines(path)] == [(reason.word, "01TWIN")]
