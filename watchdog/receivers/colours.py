"""The colours of chats that show a bar beside an incident. In: the incidents beside one bar. Out: `#rrggbb`."""

from collections.abc import Mapping, Sequence

from watchdog.core.incidents.messages import Notice
from watchdog.core.model.severity import Severity, worst
from watchdog.receivers.notice_text import is_over, recovered

__all__ = ["COLOURS", "GOOD", "colour_of"]

COLOURS: Mapping[Severity, str] = {
    Severity.CRITICAL: "#a30200",
    Severity.ERROR: "#e8590c",
    Severity.WARNING: "#daa038",
    Severity.INFO: "#439fe0",
}
GOOD, _OVER = "#2eb886", "#8d8d8d"


def colour_of(notices: Sequence[Notice]) -> str:
    """That of the most severe that is not over; of ended ones, whether all have recovered."""
    burning = [notice.severity for notice in notices if not is_over(notice)]
    if burning:
        return COLOURS[worst(burning)]
    return GOOD if all(map(recovered, notices)) else _OVER
