"""An incident that lasts is passed on without a look at each step: only where no step has an effect, whatever else is true of it."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.builders.answers import NOW, a_target
from tests.builders.incidents import a_finding, a_rule, an_incident
from watchdog.core.incidents import decide as decide_module
from watchdog.core.incidents.decide import Situation
from watchdog.core.incidents.lifecycle import State
from watchdog.core.incidents.plan import Loaded
from watchdog.core.judging.findings import Verdict
from watchdog.core.model.severity import Severity

FLOWER = "http://flower:5555"
LINK = f"{FLOWER}/broker#indexing"


def mostly(usual: object, *others: object) -> st.SearchStrategy[Any]:
    """Mostly what lasts, so that seldom more than one thing has changed."""
    return st.sampled_from([*[usual] * 9, *others])


def some(of: Any, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(fields).map(lambda changes: replace(of, **changes))


SEVERITIES = mostly(Severity.WARNING, *Severity)
FLAGS = mostly(False, True)
NAMES: st.SearchStrategy[Any] = mostly((), ("Other",))
RULES = some(a_rule(), trial=FLAGS, deploy=FLAGS, inhibits=NAMES, labels=mostly({}, {"team": "data"}))
INCIDENTS = some(
    an_incident(link=LINK),
    state=mostly(State.FIRING, State.PENDING, State.RECOVERING),
    severity=SEVERITIES,
    verdict=mostly("breach", "clear", "unknown", "none", ""),
    trial=FLAGS,
    deploy=FLAGS,
    inhibits=NAMES,
    labels=mostly({}, {"team": "data"}),
    values=mostly({"length": 60.0}, {"length": 61.0}, {}),
    summary=mostly("indexing holds 60 messages", ""),
    link=mostly(LINK, ""),
    seen_at=mostly(NOW, NOW - 86_400.0, NOW + 86_400.0),
)
VERDICTS = mostly(Verdict.BREACH, *Verdict)
TARGETS = some(a_target(link=FLOWER), trial=FLAGS, link=mostly(FLOWER, None), forget_after_s=mostly(3600.0, 1e9))


@settings(max_examples=1000, deadline=None)
@given(INCIDENTS, RULES, VERDICTS, SEVERITIES, TARGETS, st.sampled_from([0.0, 10.0]))
def test_what_lasts_is_what_no_step_would_change(
    incident: Any, rule: Any, verdict: Verdict, severity: Severity, target: Any, watched_s: float
) -> None:
    situation, finding = Situation(target, NOW), a_finding(verdict, rule, severity=severity)
    after, _, made = decide_module._step_by_step(situation, Loaded(), incident, finding, watched_s)
    if decide_module._lasts(incident, finding, situation):
        assert after is incident
        assert made == []


def test_one_of_which_nothing_has_changed_lasts() -> None:
    situation = Situation(a_target(link=FLOWER), NOW)
    assert decide_module._lasts(an_incident(link=LINK, state=State.FIRING), a_finding(Verdict.BREACH, a_rule()), situation)
