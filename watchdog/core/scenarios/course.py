"""A target as it is played, of a scenario or of what was recorded: each look is judged, decided and remembered.

In: the rules that can have something to say, who is told, the readings of each look. Out: what was told, why nobody was, what became of
incidents. A look whose rows are those of the look before is judged once.
"""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from watchdog.core.incidents.decide import Situation, decide
from watchdog.core.incidents.explain.explained import Explained
from watchdog.core.incidents.lifecycle import Incident, State, open_keys
from watchdog.core.incidents.plan import Loaded, Plan
from watchdog.core.incidents.quiet.flapping import Flapping
from watchdog.core.judging.evaluator import Evaluator
from watchdog.core.judging.findings import Judgement
from watchdog.core.judging.judge import judge_all, windows_of
from watchdog.core.model.reading import Looks, Seen
from watchdog.core.model.rows import Reading
from watchdog.core.model.target import Target
from watchdog.core.scenarios.audience import Audience
from watchdog.core.scenarios.memory import Memory
from watchdog.core.scenarios.played import Lived, Remedied, Told
from watchdog.core.scenarios.prepared import Concern

__all__ = ["START", "Course"]

START = 1_800_000_000.0
"""When every scenario begins (epoch seconds): a time as any other."""
NO_RECEIVER = Explained(why="no_receiver")
ALL_EARS = Audience()
NOTHING_KEPT = Seen({}, {}, {})


class Course:
    """The looks of one target, in order."""

    def __init__(
        self,
        target: Target,
        concern: Concern,
        evaluator: Evaluator,
        flapping: Flapping,
        *,
        start: float = START,
        remedies: frozenset[str] = frozenset(),
        audience: Audience = ALL_EARS,
    ) -> None:
        """`start`: when it begins (epoch seconds). `remedies`: those that are allowed. `audience`: who is told."""
        self.told: list[Told] = []
        self.lived: list[Lived] = []
        self.remedied: list[Remedied] = []
        self.untold: dict[str, Explained] = {}
        """Id of an incident that nobody was notified of as it fired -> why not."""
        self._evaluator, self._flapping, self._start = evaluator, flapping, start
        self._remedies, self._audience = remedies, audience
        self.concerning(concern)
        self._target = target
        self._memory = Memory()
        self._since: dict[str, tuple[State, float]] = {}
        self._judgements: list[Judgement] = []

    @property
    def open_rules(self) -> frozenset[str]:
        """The rules with an open incident, or one whose end is still to be told."""
        return frozenset(one.rule for one in (*self._memory.open, *self._memory.unsettled))

    def concerning(self, concern: Concern) -> None:
        """From now on, judge these rules. Those with an open incident must be among them."""
        self._rules, self._held = concern.rules, concern.held
        self._queries = any(tuned.rule.query is not None for tuned in concern.rules)
        self._windows = tuple(windows_of(concern.rules))
        self._names = frozenset(tuned.rule.name for tuned in concern.rules)
        self._judged_of: tuple[object, object] = (None, None)

    def every(self, interval_s: float) -> None:
        """From now on, looks are this far apart."""
        if interval_s != self._target.interval_s:
            self._target = replace(self._target, interval_s=interval_s)

    def look(self, at_s: float, readings: Mapping[str, Reading], windows: Looks | None = None) -> Sequence[Judgement]:
        """One look: judge, decide, remember. `windows`: what is read in each window, if that differs. Return what was judged."""
        now = self._start + at_s
        looked = windows.values() if windows is not None else (readings,)
        if self._memory.quiet and not self._queries and not any(id(one) in self._held for tables in looked for one in tables.values()):
            self._memory = replace(self._memory, previous_at=now)  # nothing is open, and nothing begins: a plan would be empty
            return ()
        judgements = self._judge(readings, windows)
        situation = Situation(
            self._target,
            now,
            self._audience.recipients,
            self._audience.routing,
            readings=readings,
            loaded_rules=self._names,
            flapping=self._flapping,
            servers=self._audience.servers,
            remedies=self._remedies,
        )
        loaded = self._memory.loaded(self._flapping.window(now), self._audience, now)
        plan = decide(situation, judgements, loaded, NOTHING_KEPT)
        self._note_untold(plan, situation, judgements, loaded)
        self._memory = self._memory.after(plan)
        self.lived += [Lived(at_s, incident, self._in_state_since(incident, at_s)) for incident in plan.incidents]
        keys = {incident.id: incident.key for incident in plan.incidents}
        self.remedied += [Remedied(at_s, one, keys.get(one.incident, {})) for one in plan.attempts if one.at == now]
        self.told += [Told(at_s, notice, message.receiver, message.id) for message in plan.messages for notice in message.notices]
        return judgements

    def _note_untold(self, plan: Plan, situation: Situation, judgements: Sequence[Judgement], loaded: Loaded) -> None:
        """Note why nobody is notified of what fires in this look: it is decided once more, with the reasons, which cost as much again."""
        said = {notice.incident for message in plan.messages for notice in message.notices}
        fires = {one.id for one in plan.incidents if one.fired_at == situation.now} - said
        if not fires:
            return
        made = decide(replace(situation, decisions=True), judgements, loaded, NOTHING_KEPT).decisions
        for incident in fires:
            why = [one.explained for one in made if one.incident.id == incident]
            self.untold[incident] = max(why, key=lambda one: one.reason is not None, default=NO_RECEIVER)

    def _judge(self, readings: Mapping[str, Reading], windows: Looks | None) -> list[Judgement]:
        """Judge all rules; those that are the same as in the look before, once."""
        open_now = tuple((one.fingerprint, one.state is State.PENDING) for one in self._memory.open)
        looked = readings if windows is None else windows
        if self._judged_of[0] is not looked or self._judged_of[1] != open_now:
            seen = Seen({one: readings if windows is None else windows.get(one, {}) for one in self._windows}, {}, {})
            self._judgements = judge_all(self._evaluator, self._rules, seen, open_keys(self._memory.open)) if self._rules else []
            self._judged_of = looked, open_now
        return self._judgements

    def _in_state_since(self, incident: Incident, at_s: float) -> float:
        state, since_s = self._since.get(incident.id, (None, at_s))
        since_s = since_s if state is incident.state else at_s
        self._since[incident.id] = incident.state, since_s
        return since_s
