"""`[[route]]`: which incidents go to which receivers, on which terms; a tree.

In: plain values. Out: settings, the core's routes (`routing_of`), and the faults that concern several of them (`route_faults`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictStr

from watchdog.config.file import shown_name
from watchdog.config.sections.mutes import muting
from watchdog.core.model.severity import Severity
from watchdog.core.rules.toml_lines import Path as TomlPath
from watchdog.core.text.suggestions import did_you_mean
from watchdog.net.settings_types import Duration
from watchdog.receivers.settings import GroupTime, Label, as_tuple, checked_matchers

if TYPE_CHECKING:
    from watchdog.core.incidents.quiet.windows import Window
    from watchdog.core.incidents.routing import Route, Routing, Terms

__all__ = ["RouteSettings", "route_faults", "routing_of", "tables_in"]


class RouteSettings(BaseModel):
    """One `[[route]]`, with `[[route.route]]` below it. What is not set is as in the route around it, and else as in the receiver."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)

    receivers: Annotated[tuple[StrictStr, ...], BeforeValidator(as_tuple)] | None = None
    match: Annotated[str, AfterValidator(checked_matchers)] | None = None
    min_severity: Severity = Severity.INFO
    continue_: StrictBool = Field(default=False, alias="continue")
    after: Duration | None = None
    repeat: Duration | None = None
    repeat_most: Annotated[int, Field(ge=0)] | None = None
    group_by: Annotated[tuple[Label, ...], BeforeValidator(as_tuple)] | None = None
    group_wait: GroupTime | None = None
    group_interval: GroupTime | None = None
    mute: Annotated[tuple[StrictStr, ...], BeforeValidator(as_tuple)] | None = None
    route: tuple["RouteSettings", ...] = ()


UNTAKEN = (
    "nobody would be notified of incidents that none of the routes selects: add a last [[route]] without match and min_severity "
    "(with receivers = [] if that is meant)"
)
_TERMS = ("after", "repeat", "repeat_most", "group_by", "group_wait", "group_interval")


def routing_of(routes: Iterable[RouteSettings], terms: Mapping[str, "Terms"], windows: Sequence["Window"] = ()) -> "Routing":
    """The routes as the core sees them. `terms`: receiver -> its own; `windows`: all that are configured."""
    from watchdog.core.incidents.routing import Routing  # noqa: PLC0415 - only the daemon notifies

    return Routing([_route(route, f"route {number}", {}, terms, windows) for number, route in enumerate(routes, 1)])


def _route(
    settings: RouteSettings, name: str, around: Mapping[str, Any], receivers: Mapping[str, "Terms"], windows: Sequence["Window"]
) -> "Route":
    from msgspec.structs import replace  # noqa: PLC0415

    from watchdog.core.incidents.quiet.matchers import parse_matchers  # noqa: PLC0415
    from watchdog.core.incidents.routing import Route  # noqa: PLC0415

    own = {key: getattr(settings, key) for key in ("receivers", "mute", *_TERMS) if getattr(settings, key) is not None}
    given = {**around, **own}
    changes = {key if key in ("group_by", "repeat_most") else f"{key}_s": given[key] for key in _TERMS if key in given}
    if "mute" in given:
        changes["mutes"] = muting(windows, given["mute"])
    return Route(
        receivers={receiver: replace(receivers[receiver], **changes) for receiver in given.get("receivers", ()) if receiver in receivers},
        matchers=parse_matchers(settings.match) if settings.match else (),
        min_severity=settings.min_severity,
        goes_on=settings.continue_ or bool(given.get("after")),
        routes=tuple(_route(below, f"{name}.{number}", given, receivers, windows) for number, below in enumerate(settings.route, 1)),
        name=name,
    )


def route_faults(values: Mapping[str, Any]) -> Iterator[tuple[TomlPath, str]]:
    """Faults as (path, sentence): a receiver that is not configured, a route that leads nowhere, and incidents that no route takes."""
    routes = tables_in(values.get("route"))
    names = [table["name"] for _, table in tables_in(values.get("receiver")) if isinstance(table.get("name"), str)]
    windows = [table["name"] for _, table in tables_in(values.get("mute")) if isinstance(table.get("name"), str)]
    for index, route in routes:
        yield from _faults_of(("route", index), route, names, windows, around=False)
    if routes and not any(_takes_all(route) for _, route in routes):
        yield ("route", routes[-1][0]), UNTAKEN


def _faults_of(
    path: TomlPath, route: Mapping[str, Any], names: list[str], windows: list[str], *, around: bool
) -> Iterator[tuple[TomlPath, str]]:
    receivers = route.get("receivers")
    for name in as_tuple(receivers) if isinstance(receivers, list | str) else ():
        if isinstance(name, str) and name not in names:
            near = did_you_mean(name, names) or f"; there are {', '.join(names) or 'none'}"
            yield (*path, "receivers"), f'expected the name of a receiver, found "{shown_name(name)}"{near}'
    mutes = route.get("mute")
    for name in as_tuple(mutes) if isinstance(mutes, list | str) else ():
        if isinstance(name, str) and name not in windows:
            near = did_you_mean(name, windows) or f"; there are {', '.join(windows) or 'none'}"
            yield (*path, "mute"), f'expected the name of a [[mute]], found "{shown_name(name)}"{near}'
    below = tables_in(route.get("route"))
    if receivers is None and not below and not around:
        yield path, 'leads to nobody: add receivers = ["…"], or [] if nobody is to be notified'
    for index, inner in below:
        yield from _faults_of((*path, "route", index), inner, names, windows, around=around or receivers is not None)


def _takes_all(route: Mapping[str, Any]) -> bool:
    """Whether every incident ends here, at the latest."""
    unconditional = not route.get("match") and route.get("min_severity", "info") == "info" and not route.get("after")
    below = [inner for _, inner in tables_in(route.get("route"))]
    return unconditional and ("receivers" in route or any(_takes_all(inner) for inner in below))


def tables_in(written: Any) -> list[tuple[int, Mapping[str, Any]]]:
    """The tables of an array that are tables, with their indexes; none if it is no array."""
    tables = written if isinstance(written, list | tuple) else ()
    return [(index, table) for index, table in enumerate(tables) if isinstance(table, Mapping)]
