"""The conditions that an operator of Celery wants to be notified of, and the shipped rules that report each."""

from dataclasses import dataclass

__all__ = ["CONDITIONS", "MORE", "Condition"]


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition. `rules`: those that report it; without any, `otherwise` says who does, or that nobody does yet."""

    what: str
    rules: tuple[str, ...] = ()
    otherwise: str = ""


CONDITIONS = (
    Condition("Flower does not answer", ("FlowerUnreachable",)),
    Condition("Flower refuses watchdog (401, 403, 405, a login page)", ("FlowerUnreachable",)),
    Condition("Flower answers, and sees no workers while work is done", ("Blind",)),
    Condition("The broker does not answer, refuses or is loading", ("BrokerUnreachable",)),
    Condition("The broker runs out of memory", ("BrokerMemoryHigh",)),
    Condition("The broker evicts keys", ("BrokerEviction",)),
    Condition("The broker is a replica, or refuses writes", ("BrokerReadOnly",)),
    Condition("The broker cannot save its data", ("BrokerPersistenceFailing",)),
    Condition("The broker runs out of connections", ("BrokerConnectionsHigh",)),
    Condition("The broker is slow", ("BrokerSlow",)),
    Condition("No worker is online", ("NoWorkersOnline", "EveryWorkerLost")),
    Condition("Fewer workers than there should be, in all or of a kind", ("WorkersBelowMinimum",)),
    Condition("A worker is gone without a goodbye", ("WorkerLost", "WorkersLost", "HostLost")),
    Condition("A worker said goodbye", ("WorkerLeft", "WorkerEnded")),
    Condition("A worker comes and goes", ("WorkerFlapping",)),
    Condition("A worker restarts often", ("WorkerRestartedOften", "WorkerCrashLoop", "WorkerKindCrashLoop")),
    Condition("Every worker of a queue is fully busy while messages wait", ("WorkerSaturated",)),
    Condition("Workers are idle while messages wait", ("WorkerIdleWithBacklog",)),
    Condition("Nobody consumes a queue", ("QueueNoConsumers",)),
    Condition("A queue is long", ("QueueBacklogHigh",)),
    Condition("A queue grows", ("QueueGrowing",)),
    Condition("A queue takes too long to be worked off", ("QueueDrainTime",)),
    Condition("A message has waited too long", ("OldestMessageAge",)),
    Condition("A busy queue is unusually empty, and nothing is done", ("QueueUnusuallyIdle",)),
    Condition("Messages in a queue that nobody declared", ("QueueNoConsumers",)),
    Condition("A declared queue that nobody ever used", ("QueueNeverSeen",)),
    Condition("Workers hold too many unacknowledged messages", ("UnackedHigh", "WorkerHoarding")),
    Condition("A message nears or passes the visibility timeout", ("UnackedStale",)),
    Condition("Overdue messages are not delivered again", ("UnackedRestoreStuck",)),
    Condition("A task fails too often", ("TaskFailureRateHigh",)),
    Condition("A task fails far more often than usual", ("TaskFailureRateHigh", "ErrorBurst")),
    Condition("A task of which every failure matters fails", ("TaskFailedAny",)),
    Condition("A task retries without end", ("RetryStorm",)),
    Condition("Tasks are rejected, revoked, or expire", ("TaskStartsAgain", "TasksExpired", "TasksRevoked")),
    Condition("A task that no worker knows", ("TaskNotRegistered",)),
    Condition("A pool process is killed while it works", ("WorkerLostErrors", "ErrorBurst")),
    Condition("A task exceeds its time limit", ("TimeLimitExceeded", "ErrorBurst")),
    Condition("A task runs too long", ("TaskRunningTooLong",)),
    Condition("A task runs close to the visibility timeout", ("TaskNearVisibilityTimeout", "UnackedStale")),
    Condition("A task has become slow", ("TaskRuntimeRegression",)),
    Condition("Tasks wait too long before they start", ("QueueWaitHigh",)),
    Condition("A scheduled task did not succeed", ("TaskOverdue",)),
    Condition("Beat sends nothing at all", ("BeatSilent",)),
    Condition("Much less is done than usual", ("ThroughputDrop",)),
    Condition("Nothing is done that usually is", ("ThroughputZero",)),
    Condition("Workers send no task events", ("Blind",)),
    Condition("A worker's clock is off", ("ClockDrift",)),
    Condition("Workers run different versions", ("VersionSkew",)),
    Condition("A worker's host is overloaded", ("WorkerLoadHigh",)),
    Condition("A worker uses too much memory", ("WorkerMemoryHigh",)),
    Condition("Results are kept for ever", ("ResultBackendGrowth",)),
    Condition("A rule fails", ("RuleFailed",)),
    Condition("watchdog is late", ("EvaluationLate", "EngineSilent")),
    Condition("Notifications do not arrive", ("DeliveryFailing", "ReceiverOff")),
    Condition("watchdog itself is gone", ("HeartbeatFailing",), "an outside service misses its heartbeat (heartbeat.md)"),
)
"""Those that every list of an expert has, from the broker to watchdog itself."""

MORE = (
    Condition("What could be judged before cannot be now", ("Blind",)),
    Condition("The broker lost messages: a restart, a flush", ("BrokerLostMessages",)),
    Condition("The result backend does not answer", ("ResultsUnreachable",)),
    Condition("A queue does not move behind tasks that hang", ("QueueStuck",)),
    Condition("A message starts again and again", ("TaskStartsAgain",)),
    Condition("Two workers execute the same task at once", ("TaskRunsTwice",)),
    Condition("A task reports the same progress for long", ("ProgressStalled",)),
    Condition("An exception type that is new, or back", ("NewExceptionType",)),
    Condition("Two workers of one name", ("DuplicateWorkerName",)),
    Condition("Two beats send the same tasks", ("TwoBeats",)),
    Condition("A scheduled task that no worker registers", ("ScheduledTaskNotRegistered",)),
    Condition("A task that was sent regularly, and is no longer", ("TaskNoLongerSent",)),
    Condition("The entries of a scheduler cannot be read", ("ScheduleUnreadable",)),
    Condition("RabbitMQ blocks publishers: its memory or disk is full", ("BrokerAlarm",)),
    Condition("A node of RabbitMQ is down, or its nodes do not see each other", ("BrokerNodeDown", "BrokerPartitioned")),
    Condition("A promise of starts or successes does not last", ("ObjectiveBurnsFast", "ObjectiveBurnsSlowly", "ObjectiveMissed")),
    Condition("A new configuration was refused", ("ConfigRejected",)),
    Condition("Something is silenced", ("Silenced",)),
)
"""What watchdog reports besides."""
