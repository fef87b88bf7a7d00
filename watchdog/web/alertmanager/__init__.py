"""Alertmanager's API v2 below `/api/v2/`, for amtool, karma and Grafana: what fires as alerts, and silences both ways.

In: requests as Alertmanager's own clients send them. Out: its answers, in its words where a client depends on them. Alerts have the labels
of the mirror (`receivers/alertmanager.py`). Imported only where `[http] alertmanager_api` is set.
"""

from watchdog.web.alertmanager.routes import alertmanager

__all__ = ["alertmanager"]
