"""What watchdog's daemon, Celery's workers and Flower import as they start, and no app, which is made of the environment.

Imported once, by the process that `forked` forks them from, which has a single thread. Celery reads some variables of its own as it is
imported, which no test sets; and Flower makes the secret of its cookies, which all Flowers of one process of tests share.
"""

import gc
from importlib import import_module
from pkgutil import walk_packages

import watchdog
from watchdog.daemon.starting.lazy_imports import without, without_httpx_command_line

OF_DAEMONS = (
    "apscheduler.schedulers.background",
    "apscheduler.triggers.interval",
    "jinja2.sandbox",
    "pydantic_settings",
    "sqlite_utils",
    "waitress",
    "watchdog.cli.configuration",
)
ROOMS = tuple(f"watchdog.{room}." for room in ("app", "cli.run", "daemon", "receivers", "sources", "status", "store", "web"))
OF_WORKERS = (
    "celery.apps.worker",
    "celery.backends.redis",
    "celery.bin.celery",
    "celery.concurrency.prefork",
    "celery.concurrency.solo",
    "celery.concurrency.thread",
    "celery.events.state",
    "celery.worker.consumer",
    "celery.worker.control",
    "celery.worker.strategy",
    "kombu.transport.pyamqp",
    "kombu.transport.redis",
)
OF_FLOWER = ("flower.app", "flower.command", "flower.urls", "tornado.httpserver")

without_httpx_command_line()
with without("rich", "greenlet"):
    import structlog  # noqa: F401 - before the modules that use it, as `watchdog run` does
with without("rich", "numpy", "pandas"):
    for name in (*OF_WORKERS, *OF_FLOWER, *OF_DAEMONS):
        import_module(name)
    for module in walk_packages(watchdog.__path__, "watchdog."):
        if module.name.startswith(ROOMS):
            import_module(module.name)
gc.freeze()  # what is imported stays; a collection would copy its memory into each process
