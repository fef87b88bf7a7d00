"""Whatever twins there are and whatever hides them: somebody is told, and nobody is held back by one who is held back itself."""

from hypothesis import given
from hypothesis import strategies as st

from tests.builders.answers import NOW
from tests.builders.incidents import an_incident
from watchdog.core.incidents.lifecycle import Incident, State
from watchdog.core.incidents.quiet.matchers import parse_matchers
from watchdog.core.incidents.quiet.reasons import quiet_reasons
from watchdog.core.incidents.quiet.silences import Silence
from watchdog.core.model.severity import Severity

TARGETS = ("a", "b", "c", "d", "e")


def incidents() -> st.SearchStrategy[list[Incident]]:
    one = st.builds(
        lambda target, state, fired, severity, server, trial: an_incident(
            state, id=f"01{target}", target=target, fired_at=None if state is State.PENDING else NOW - fired, severity=severity,
            server=server, trial=trial,
        ),
        st.sampled_from(TARGETS),
        st.sampled_from([State.PENDING, State.FIRING, State.RECOVERING, State.RESOLVED]),
        st.sampled_from([10.0, 20.0, 30.0]),
        st.sampled_from([Severity.WARNING, Severity.CRITICAL]),
        st.sampled_from(["", "one", "one", "other"]),
        st.booleans(),
    )  # fmt: skip
    return st.lists(one, unique_by=lambda incident: incident.target)


@given(incidents=incidents(), silenced=st.sets(st.sampled_from(TARGETS), max_size=2))
def test_who_is_told_instead_is_told(incidents: list[Incident], silenced: set[str]) -> None:
    silences = [Silence(f"01{target}", parse_matchers(f"target={target}"), NOW - 1, NOW + 1) for target in sorted(silenced)]
    reasons = quiet_reasons(incidents, silences, NOW)
    for incident in incidents:
        instead = reason.same_as if (reason := reasons.get(incident.id)) else None
        if instead is None:
            continue
        assert instead.id not in reasons
        assert instead.severity.at_least(incident.severity)
        assert (instead.server, instead.state in (State.FIRING, State.RECOVERING)) == (incident.server, True)
