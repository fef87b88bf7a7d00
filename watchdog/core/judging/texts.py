"""The texts that people read about a finding: its rule's templates, rendered with the row's values.

Input: a finding, the target's name and app, the incident's severity. Output: summary, description and runbook, or the text for the
incident's end.
"""

from collections.abc import Mapping

from msgspec import Struct

from watchdog.core.judging.findings import Finding
from watchdog.core.model.rows import Cell
from watchdog.core.model.severity import Severity
from watchdog.core.rules.templates import render
from watchdog.core.text.phrasing import cut, format_value, tidy, value_of

__all__ = ["NO_TEXTS", "Texts", "plain", "render_or_plain", "resolved_text", "texts_of"]

_ANY_APP = "APP"


class Texts(Struct, frozen=True, gc=False):
    """The three rendered texts of a rule. The summary is one line."""

    summary: str
    description: str
    runbook: str


NO_TEXTS = Texts("", "", "")


def render_or_plain(text: str, finding: Finding, target: str, severity: Severity, app: str | None = None) -> str:
    """Render a rule's text for a finding. If the template fails, return rule, key and values, so that no message is lost."""
    return _rendered(text, finding, _extra(finding, target, severity, app))


def _extra(finding: Finding, target: str, severity: Severity, app: str | None) -> Mapping[str, Cell]:
    """Return what a text can name besides the cells."""
    rule = finding.rule
    return {"app": app or _ANY_APP, **rule.params, "rule": rule.name, "target": target, "severity": severity.value}


def _rendered(text: str, finding: Finding, extra: Mapping[str, Cell]) -> str:
    try:
        return render(text, finding.cells, extra)
    except Exception:  # noqa: BLE001  whatever error a template raises, the message must be sent
        return plain(finding)


def texts_of(finding: Finding, target: str, severity: Severity, app: str | None = None) -> Texts:
    """Return the three texts of a finding. A rule without a summary gets rule, key and values.

    `severity` is the incident's; `app` is the argument of `celery -A` (None: not configured; a placeholder is used).
    """
    rule, extra = finding.rule, _extra(finding, target, severity, app)
    summary = _rendered(rule.summary, finding, extra) if rule.summary.strip() else plain(finding)
    return Texts(
        summary=" ".join(summary.split()),
        description=_rendered(rule.description, finding, extra),
        runbook=_rendered(rule.runbook, finding, extra),
    )


def resolved_text(finding: Finding, target: str, severity: Severity, summary: str, app: str | None = None) -> str:
    """Return the summary of a recovered incident: what the row shows now; without a row or a template for it, what was true (`summary`)."""
    there = not set(finding.cells) <= set(finding.rule.key) or not finding.rule.key
    if finding.rule.resolved.strip() and there:
        return " ".join(render_or_plain(finding.rule.resolved, finding, target, severity, app).split())
    return cut(f"was: {summary}") if summary else ""


def plain(finding: Finding) -> str:
    """Return `QueueBacklogHigh on indexing: length=60, consumers=2`."""
    key = f" on {', '.join(finding.key)}" if finding.key else ""
    values = ", ".join(f"{name}={format_value(value_of(cell))}" for name, cell in finding.values.items())
    return cut(tidy(f"{finding.rule.name}{key}{': ' if values else ''}{values}"))
