"""The Celery app of the engine, made in code: one queue, one task, nothing kept.

In: the settings of `[engine]`. Out: an app for a daemon that publishes and for a worker that takes. A look that is lost is no loss, because
the next one follows an interval later: messages are taken without an acknowledgement, and there are no results.
"""

import os
import socket
from typing import TYPE_CHECKING, Any

from watchdog.config.sections.engine import EngineSettings
from watchdog.sources.celery.broker import connection_arguments

if TYPE_CHECKING:
    from celery import Celery

__all__ = ["LOOK", "engine_app", "forget_celery_of_others"]

LOOK = "watchdog.look"
HEALTH_CHECK_S = 5
"""How often kombu asks whether a silent connection is alive. Without it, and a socket timeout, a frozen broker is never noticed."""
KEEPALIVE = {"TCP_KEEPIDLE": 5, "TCP_KEEPINTVL": 2, "TCP_KEEPCNT": 3}


def engine_app(settings: EngineSettings) -> "Celery":
    """An app that knows the engine's broker, and nothing of other apps of this machine."""
    from celery import Celery  # noqa: PLC0415 - takes 0.3 s, and few need it
    from kombu import Exchange, Queue  # noqa: PLC0415

    broker = settings.broker
    arguments = connection_arguments(broker.place, timeout_s=broker.timeout, connect_timeout_s=broker.connect_timeout, key_prefix="")
    app = Celery("watchdog", loader="app", set_as_current=False, fixups=set())
    queue = Queue(settings.queue, Exchange("", type="direct"), routing_key=settings.queue)
    app.conf.update(
        broker_url=arguments["hostname"],
        broker_use_ssl=arguments["ssl"],
        broker_transport_options={**arguments["transport_options"], **_lasting()},
        broker_connection_timeout=broker.connect_timeout,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_heartbeat=0,
        task_queues=[queue],
        accept_content=["json"],
        task_default_queue=settings.queue,
        task_create_missing_queues=False,
        task_ignore_result=True,
        task_store_errors_even_if_ignored=False,
        result_backend=None,
        worker_prefetch_multiplier=1,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_cancel_long_running_tasks_on_connection_loss=True,  # none of ours; what it is otherwise, Celery warns of
        event_queue_ttl=5,
    )
    return app


def _lasting() -> dict[str, Any]:
    """What a connection needs that is kept for days."""
    options = {getattr(socket, name): seconds for name, seconds in KEEPALIVE.items() if hasattr(socket, name)}
    return {
        "ack_emulation": False,
        "health_check_interval": HEALTH_CHECK_S,
        "socket_keepalive": True,
        "socket_keepalive_options": options,
    }


def forget_celery_of_others() -> None:
    """Take Celery's own variables out of this process's environment: they would replace the engine's broker by another one."""
    for name in [name for name in os.environ if name.startswith("CELERY_")]:
        del os.environ[name]
