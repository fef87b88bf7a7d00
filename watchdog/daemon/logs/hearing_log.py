"""Logs whether the events of a target's workers can be heard, once for each change.

In: the target, and why they cannot, or "". Called by the thread that listens.
"""

import structlog

__all__ = ["log_hearing"]

log = structlog.get_logger()


def log_hearing(target: str, reason: str) -> None:
    """Log it: a lack of events is no fault of the cluster's, since Flower's word stands meanwhile."""
    if reason:
        log.warning("events_not_heard", target=target, reason=reason)
    else:
        log.info("events_heard", target=target)
