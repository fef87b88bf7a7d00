"""`watchdog routes`: who would be notified of an incident, and why. Reads only the configuration and the rules."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from watchdog.cli.commands import Commands
from watchdog.cli.options import config_option, format_option
from watchdog.cli.output.refusals import Refused, warn

if TYPE_CHECKING:
    from watchdog.app.configured import Configured
    from watchdog.core.incidents.lifecycle import Incident

__all__ = ["routes"]


@click.group(
    cls=Commands,
    epilog="""\b
Examples:
  watchdog routes test rule=WorkerLost target=prod
  watchdog routes test rule=WorkerLost severity=critical target=prod name=celery@gpu-1
""",
)
def routes() -> None:
    """Test who is notified of what."""


@routes.command(
    epilog="""\b
Examples:
  watchdog routes test rule=WorkerLost target=prod
  watchdog routes test rule=QueueBacklogHigh severity=critical target=prod name=indexing team=data
  watchdog routes test severity=critical --format json
"""
)
@click.argument("labels", metavar="LABEL=VALUE...", nargs=-1, required=True)
@format_option("text", "json")
@config_option
def test(*, labels: tuple[str, ...], style: str, config: Path | None) -> None:
    """Show who would be notified of an incident, when, and why.

    Labels are rule, target, severity, the key columns of the rule (often name), and labels of rules. What is not given is as the rule says,
    if it is named.
    """
    from watchdog.app.receivers import build_receivers, build_recipients, build_routing  # noqa: PLC0415
    from watchdog.cli.configuration import load_with_rules  # noqa: PLC0415
    from watchdog.cli.output.screen import show, show_json  # noqa: PLC0415
    from watchdog.cli.receivers.routes_page import routes_document, routes_page  # noqa: PLC0415

    conf = load_with_rules(config, targets_required=False)
    incident = _meant(_parsed(labels), conf)
    routing = build_routing(conf.settings)
    recipients = build_recipients(build_receivers(conf.settings), conf.settings)
    if not recipients:
        warn(["no [[receiver]] is configured: nobody is notified of anything"])
    if style == "json":
        show_json(routes_document(incident, recipients, routing))
    else:
        show(routes_page(incident, recipients, routing))


def _parsed(texts: Sequence[str]) -> dict[str, str]:
    given: dict[str, str] = {}
    for text in texts:
        label, equals, value = text.partition("=")
        if not equals or not re.fullmatch(r"[^\W\d]\w*", label):
            raise Refused(f"expected LABEL=VALUE such as rule=WorkerLost, found {text}")
        given[label] = value
    return given


def _meant(given: Mapping[str, str], conf: "Configured") -> "Incident":
    """An incident with these labels; the rest as its rule says."""
    from watchdog.core.incidents.lifecycle import Incident, State  # noqa: PLC0415
    from watchdog.core.model.severity import Severity  # noqa: PLC0415
    from watchdog.core.rules.overrides import rule_for_key, tune  # noqa: PLC0415
    from watchdog.core.text.suggestions import did_you_mean  # noqa: PLC0415

    names = [rule.name for rule in conf.book.rules]
    rule, target = given.get("rule", ""), given.get("target", "")
    if rule and rule not in names:
        raise Refused(f'no rule "{rule}"{did_you_mean(rule, names) or "; `watchdog rules list` shows them"}')
    targets = [one.name for one in conf.settings.target]
    if target and target not in (*targets, "watchdog"):
        raise Refused(f'no target "{target}"{did_you_mean(target, targets)}', f"configured: {', '.join(targets) or 'none'}")
    key = {name: value for name, value in given.items() if name not in ("rule", "target", "severity")}
    tuned = next((one for one in tune(conf.book.rules, conf.book.overrides, target or "*") if one.rule.name == rule), None)
    found = rule_for_key(tuned, key) if tuned else next((one for one in conf.book.rules if one.name == rule), None)
    severity = given.get("severity", found.severity.value if found else Severity.WARNING.value)
    if severity not in set(Severity):
        raise Refused(f"expected severity=info, warning, error or critical, found {severity}")
    labels = {name: value for name, value in (found.labels if found else {}).items() if name not in key}
    return Incident("", "", rule, "", target, key, State.FIRING, Severity(severity), 0.0, labels=labels)
