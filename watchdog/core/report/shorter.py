"""A report that is too large for its receiver, with fewer rows: sums and counts stay, and say how many rows there are."""

from msgspec.structs import replace

from watchdog.core.report.report import Report, TargetReport

__all__ = ["shorter"]


def shorter(report: Report) -> Report | None:
    """Return the report with half the rows of each list; None if it has none left. Every target stays."""
    half = replace(
        report,
        targets=tuple(map(_halved, report.targets)),
        incidents=report.incidents[: len(report.incidents) // 2],
        told=report.told[: len(report.told) // 2],
        quiet=report.quiet[: len(report.quiet) // 2],
    )
    return None if half == report else half


def _halved(target: TargetReport) -> TargetReport:
    return replace(
        target,
        gaps=target.gaps[: len(target.gaps) // 2],
        slow=target.slow[: len(target.slow) // 2],
        failing=target.failing[: len(target.failing) // 2],
        queues=target.queues[: len(target.queues) // 2],
    )
