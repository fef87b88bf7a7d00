"""One action on one target: what is known before, and then the action itself.

In: a target of the configuration, what the database remembers of it, a request. Out: the `Cluster` as it is now, then an `Outcome`. Nothing
hangs: whatever does not answer in time is left to a thread that keeps no process alive, and is said. Workers are reached through the broker
where `redis` or `celery` is configured, else through Flower.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from redis.exceptions import NoPermissionError, ResponseError

from watchdog.app.acting_on_amqp import amqp_of, on_amqp_queues, with_amqp_queues
from watchdog.app.polling import build_sources
from watchdog.app.retrying import not_all_sent, runs_meant, send_again
from watchdog.config.settings import TargetSettings
from watchdog.core.actions.kinds import KINDS
from watchdog.core.actions.outcome import Answer, Outcome, Word, outcome_of
from watchdog.core.actions.request import Cluster, Foreseen, QueueKnown, Request, WorkerKnown
from watchdog.core.actions.steps import in_steps, steps_of
from watchdog.core.model.demand import Demand
from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import WholeTask
from watchdog.core.model.reading import Past
from watchdog.core.model.replies import WholeTaskSeen
from watchdog.core.model.target import Target, covers
from watchdog.net.background import in_background
from watchdog.polling.poller import Poller
from watchdog.sources.celery.broker import connection_arguments
from watchdog.sources.control.again import mark_of, message_of
from watchdog.sources.control.queues import QueuesOnRedis
from watchdog.sources.redis.address import RedisAddress
from watchdog.sources.redis.connection import FAILURES, TooLargeError
from watchdog.sources.redis.reasons import Asked, failure
from watchdog.sources.redis.settings import RedisSettings
from watchdog.tables import TABLES
from watchdog.tables.queues.keys import QueueKeys, queue_keys, queues_of
from watchdog.tables.workers.memory import known_workers_of

__all__ = ["NO_BROKER", "Acting"]

T = TypeVar("T")

HOLDING = {"STARTED": "active", "PROGRESS": "active", "RECEIVED": "reserved"}
RECENT_S = 600.0
"""For how long a worker that was online counts as one that is merely silent now."""
QUESTIONS = 5
"""How often the workers are asked at most before an action, and once for it."""
NO_BROKER = (
    'this target has neither `redis` nor `celery = "amqp://…"`: its queues can only be changed in the broker itself, with its own tools'
)


class Acting:
    """One target that is acted on. `wait_s`: how long workers have for each answer."""

    def __init__(self, settings: TargetSettings, target: Target, past: Past, wait_s: float) -> None:
        self._settings, self._target, self._past, self._wait_s = settings, target, past, wait_s
        self._amqp = amqp_of(settings)
        self._keys: QueueKeys | None = None
        self._others: tuple[str, ...] = ()

    def look(self, request: Request, progress: Callable[[str], None] = lambda _: None) -> Cluster:
        """The cluster as far as it matters for this request."""
        progress("the cluster")
        keys = self._read()
        progress("the workers")
        workers, holders, silence = self._workers(request)
        cluster = Cluster(workers, holders, silence=silence or ("" if workers else keys.unsure or ""))
        if self._amqp is None and self._settings.redis is None:
            return cluster if KINDS[request.kind].command else Cluster(workers, silence=NO_BROKER)
        if self._amqp is None and keys.unsure and not KINDS[request.kind].command:
            return Cluster(workers, silence=keys.unsure)
        if request.kind == "retry":
            meant = runs_meant(self._settings, request, progress)
            return Cluster(workers, silence=meant.reason) if isinstance(meant, Gap) else Cluster(workers, runs=meant[0], cut=meant[1])
        progress("the queues")
        if self._amqp is not None:
            return with_amqp_queues(self._amqp, request, cluster)
        assert self._settings.redis is not None  # noqa: S101 - one of the two is there
        return self._with_queues(self._settings.redis, keys, request, cluster)

    def perform(self, request: Request, foreseen: Foreseen, cluster: Cluster, progress: Callable[[str], None] = lambda _: None) -> Outcome:
        """Do it, and tell what came back."""
        progress(f"{request.kind}")
        if not KINDS[request.kind].command and self._amqp is not None:
            return on_amqp_queues(self._amqp, request, cluster, progress)
        if not KINDS[request.kind].command:
            return self._on_queues(request, cluster, progress)
        try:
            answers = self._bounded(
                lambda: self._told(request, foreseen.workers, cluster), len(steps_of(request)) * (2 * self._wait_s + self._connect_s)
            )
        except Exception as error:  # noqa: BLE001 - kombu raises whatever its transports do
            return Outcome(Word.UNKNOWN, {"broker": Answer(None, f"{self._reason(error)}; whether workers got it is not known")})
        if not self._by_broker and request.kind == "revoke":
            return outcome_of((), answers)  # Flower tells all workers, and waits for none
        held = [name for name in foreseen.workers if name not in answers or not answers[name].nothing]
        if not any(answer.worked and not answer.nothing for answer in answers.values()):
            return outcome_of(foreseen.workers, answers)
        return outcome_of(held, {name: answer for name, answer in answers.items() if not answer.nothing})

    # --- workers ------------------------------------------------------------------------------------------------------

    def _workers(self, request: Request) -> tuple[Mapping[str, WorkerKnown], Mapping[str, str], str]:
        """The workers, who holds the task of the request, and why nobody could be asked."""
        limit_s = QUESTIONS * self._wait_s + self._connect_s
        try:
            return self._bounded(lambda: self._asked(request), limit_s)
        except Exception as error:  # noqa: BLE001 - kombu raises whatever its transports do
            return {}, {}, self._reason(error)

    def _asked(self, request: Request) -> tuple[Mapping[str, WorkerKnown], Mapping[str, str], str]:
        if not self._by_broker:
            return self._asked_by_flower(request)
        from watchdog.sources.control.workers import WorkersByControl  # noqa: PLC0415 - imports celery, which is slow

        workers = WorkersByControl(self._connection(), self._wait_s)
        try:
            known = self._own(workers.known(request, self._others))
            there = [name for name, worker in known.items() if worker.answers]
            return known, workers.holders(request.task_id, there) if request.task_id else {}, ""
        finally:
            workers.close()

    def _asked_by_flower(self, request: Request) -> tuple[Mapping[str, WorkerKnown], Mapping[str, str], str]:
        from watchdog.sources.control.flower import WorkersByFlower  # noqa: PLC0415 - imports httpx, which is slow

        assert self._settings.flower is not None  # noqa: S101 - a target has one of the two
        flower = WorkersByFlower(self._settings.flower)
        try:
            known = flower.known()
        finally:
            flower.close()
        if isinstance(known, Gap):
            return {}, {}, known.reason
        return self._own(known), self._holder_by_flower(request.task_id) if request.task_id else {}, ""

    def _holder_by_flower(self, task_id: str) -> dict[str, str]:
        """Who has the task, by the last event about it that Flower saw."""
        source = build_sources(self._settings)["flower"]
        try:
            found = source.ask([WholeTask(task_id)]).replies.get(WholeTask(task_id))
        finally:
            source.close()
        if not isinstance(found, WholeTaskSeen) or found.worker is None or found.state not in HOLDING:
            return {}
        return {found.worker: HOLDING[found.state]}

    def _told(self, request: Request, workers: Sequence[str], cluster: Cluster) -> dict[str, Answer]:
        if not self._by_broker:
            from watchdog.sources.control.flower import WorkersByFlower  # noqa: PLC0415

            assert self._settings.flower is not None  # noqa: S101 - a target has one of the two
            flower = WorkersByFlower(self._settings.flower)
            try:
                return in_steps(request, lambda step: flower.act(step, workers))
            finally:
                flower.close()
        from watchdog.sources.control.workers import WorkersByControl  # noqa: PLC0415

        control = WorkersByControl(self._connection(), self._wait_s)
        try:
            silent = [name for name in workers if not cluster.workers[name].answers]
            return in_steps(request, lambda step: control.act(step, workers, silent))
        finally:
            control.close()

    def _own(self, workers: Mapping[str, WorkerKnown]) -> dict[str, WorkerKnown]:
        """Those of this target that answer, or were online a moment ago."""
        globs = self._target.workers
        there = {name: worker for name, worker in workers.items() if worker.answers or name in self._others}
        return {name: worker for name, worker in there.items() if not globs or covers(name, globs)}

    @property
    def _by_broker(self) -> bool:
        """Whether workers are reached through the broker, not through Flower."""
        return self._settings.redis is not None or self._amqp is not None

    def _connection(self) -> dict[str, object]:
        redis = self._settings.redis
        if redis is None:
            from watchdog.sources.control.amqp import control_arguments  # noqa: PLC0415 - imports kombu, which is slow

            assert self._amqp is not None  # noqa: S101 - it is reached by the broker
            return control_arguments(self._amqp)
        prefix = self._keys.prefix if self._keys else redis.key_prefix or ""
        limits = {"timeout_s": redis.timeout, "connect_timeout_s": redis.connect_timeout}
        return connection_arguments(redis.place, **limits, key_prefix=prefix)

    # --- queues -------------------------------------------------------------------------------------------------------

    def _with_queues(self, redis: RedisSettings, keys: QueueKeys, request: Request, cluster: Cluster) -> Cluster:
        names = [name for name in (request.queue, request.other) if name]
        if request.kind == "shutdown":
            names += sorted({queue for worker in cluster.workers.values() for queue in worker.queues or ()})
        queues = QueuesOnRedis(redis)
        try:
            found = {name: QueueKnown(name, queues.lengths(keys.lists(name))) for name in dict.fromkeys(names)}
            matching = queues.matching(keys.lists(request.queue), request.only) if request.only and request.queue else None
        except (*FAILURES, TooLargeError) as error:
            return Cluster(cluster.workers, cluster.holders, silence=cluster.silence or self._reason(error))
        finally:
            queues.close()
        return Cluster(cluster.workers, cluster.holders, found, matching=matching, silence=cluster.silence)

    def _on_queues(self, request: Request, cluster: Cluster, progress: Callable[[str], None]) -> Outcome:
        redis, keys, queue = self._settings.redis, self._keys, request.queue or ""
        assert redis is not None  # noqa: S101 - without it the queue was not found before
        assert keys is not None  # noqa: S101 - it was looked at before
        queues = QueuesOnRedis(redis)
        done, answers = 0, dict[str, Answer]()
        try:
            if request.kind == "retry":
                send_again(
                    cluster.runs,
                    lambda run: queues.send_once(keys.lists(run.queue)[0], mark_of(run, keys.prefix), message_of(run)),
                    answers,
                )
                return outcome_of((), answers)
            if request.kind == "purge":
                done = queues.purge(keys.lists(queue))
            else:
                other = request.other or ""
                left = cluster.matching
                for key, to in zip(keys.lists(queue), keys.lists(other), strict=True):
                    most = cluster.queues[queue].lengths.get(key, 0) if left is None else left
                    for moved in queues.move(key, to, other, most, request.only):
                        done += moved
                        progress(f"{done} moved")
                    left = None if left is None else cluster.matching - done if cluster.matching is not None else None
        except (*FAILURES, TooLargeError) as error:
            if request.kind == "retry":
                return not_all_sent(self._reason(error), answers)
            return _broken_off(request, done, self._reason(error))
        finally:
            queues.close()
        verb = "deleted" if request.kind == "purge" else f"moved to {request.other}"
        return outcome_of((), {queue: Answer(worked=True, text=f"{done} {verb}")})

    # --- what it stands on --------------------------------------------------------------------------------------------

    def _read(self) -> QueueKeys:
        """How the keys are named, and which workers were online when last looked at: from memory and one poll."""
        now, sources = time.time(), build_sources(self._settings)
        poller = Poller(self._target, sources, {name: TABLES[name] for name in ("workers", "queues")})
        try:
            replies = poller.ask(self._past, now, demand=Demand({}))
        finally:
            poller.close()
        workers = known_workers_of(self._past.memories.get("workers"))
        if workers.looked_at is not None and 0 <= now - workers.looked_at <= RECENT_S:
            self._others = tuple(name for name, worker in workers.known.items() if worker.state == "online")
        self._keys = queue_keys(self._target, replies, workers, queues_of(self._past.memories.get("queues")))
        return self._keys

    def _bounded(self, work: Callable[[], T], seconds: float) -> T:
        outcome = in_background(work, "acting")
        if not outcome.wait(seconds):
            raise TimeoutError(f"no answer within {seconds:g}s: it hangs, or is too busy")
        return outcome.result()

    @property
    def _connect_s(self) -> float:
        one = self._settings.redis or self._amqp or self._settings.flower
        return 0.0 if one is None else 2 * (one.timeout + one.connect_timeout)

    def _reason(self, error: Exception) -> str:
        """Why, without secrets."""
        redis = self._settings.redis
        if redis is None and self._amqp is not None:
            return f"rabbitmq: {error}" if isinstance(error, TimeoutError) else f"rabbitmq: {type(error).__name__}"
        if redis is None:
            return f"flower: {error}" if isinstance(error, TimeoutError) else f"flower: {type(error).__name__}"
        address = redis.place if isinstance(redis.place, RedisAddress) else redis.place.to_master
        if isinstance(error, NoPermissionError):
            return "redis: the ACL of this user denies the commands EVAL, LLEN or LRANGE, or the queue's keys (NOPERM)"
        if isinstance(error, ResponseError) and str(error).startswith("WRONGTYPE"):
            return "redis: expected the queue's keys to be lists, found another type (WRONGTYPE)"
        return failure(error, Asked(address, redis.timeout, redis.connect_timeout))


def _broken_off(request: Request, done: int, reason: str) -> Outcome:
    """The outcome if Redis did not answer any more."""
    whole = "each message is in one of the two queues" if request.kind == "move" else "all of them are there, or none is"
    text = f"{done} done, then: {reason}; {whole}"
    return Outcome(Word.PARTLY if done else Word.UNKNOWN, {request.queue or "": Answer(None, text)})
