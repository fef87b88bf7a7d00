"""docs/reference/configuration.md: every key with its type and default, from the models, and what it does, from config.example.toml."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tests.docs.reference.example import EXAMPLE, Section
from tests.docs.reference.markdown import GENERATED_BY, code, escaped, table
from tests.docs.reference.types_in_words import default_of, type_of
from watchdog.config.sections.actions import ActionSettings
from watchdog.config.sections.alertmanager import AlertmanagerSettings
from watchdog.config.sections.engine import EngineSettings
from watchdog.config.sections.heartbeat import HeartbeatSettings
from watchdog.config.sections.http import HttpSettings
from watchdog.config.sections.mutes import MuteSettings
from watchdog.config.sections.objectives import ObjectiveSettings
from watchdog.config.sections.overrides import OverrideSettings
from watchdog.config.sections.routes import RouteSettings
from watchdog.config.sections.schedules import ScheduleSettings
from watchdog.config.settings import Settings, TargetSettings
from watchdog.receivers import RECEIVERS
from watchdog.receivers.settings import DigestSettings
from watchdog.sources import SOURCES
from watchdog.sources.flower.access.settings import OAuthSettings

__all__ = ["configuration_page", "sections"]

HEAD = f"""# Configuration

Every key of `watchdog.toml`. {GENERATED_BY} [config.example.toml](../../config.example.toml) has the same as a file to copy from.

watchdog reads the first file that exists of: `--config`, `$WATCHDOG_CONFIG`, `./watchdog.toml`, `/etc/watchdog/watchdog.toml`.
`watchdog config check` reports every mistake with its line; `watchdog config show` prints what is in force, secrets masked.

In every text, `${{VAR}}` is an environment variable, `${{file:/path}}` the content of a file, `${{credential:name}}` a systemd credential;
a literal `${{` is written `$${{`. A duration is a text such as `"10s"`, `"5m"` or `"1h30m"`, with ms, s, m, h, d or w.
"""
_DOC = re.compile(r"docs/([\w-]+)\.md(#[\w-]+)?")
_TABLE = re.compile(r"\[+[a-z][a-z.]*\]+")
_CODE = re.compile(r"(`[^`]*`)")


@dataclass(frozen=True, slots=True)
class Shown:
    """One section of the page: a table of the configuration, the model that reads it, and where the example speaks of it."""

    title: str
    model: type[BaseModel]
    said: Section
    without: Sequence[str] = ()
    """Keys that another section shows."""
    besides: str = ""


def configuration_page() -> str:
    """The page."""
    return "\n".join([HEAD, *chain.from_iterable(map(_section, sections()))])


def sections() -> Iterator[Shown]:
    """Every section, in the order of the example."""
    yield Shown("The top of the file", Settings, EXAMPLE[""])
    yield Shown("heartbeat", HeartbeatSettings, _borrowed(HEARTBEAT), besides="`heartbeat` as a table; see [heartbeat](../heartbeat.md).")
    yield Shown("engine", EngineSettings, Section(keys=ENGINE), besides=f"`engine` as a table; see [many targets]({MANY}).")
    yield Shown("[http]", HttpSettings, EXAMPLE["http"])
    yield Shown("[actions]", ActionSettings, EXAMPLE["actions"])
    yield Shown("[[target]]", TargetSettings, EXAMPLE["target"])
    for name, kind in SOURCES.items():
        yield Shown(f"[target.{name}]", kind.settings, _of_source(name), besides=_BESIDES.get(name, ""))
    yield Shown(
        "oauth", OAuthSettings, _borrowed(OAUTH), besides="`oauth` of `[target.flower]`; see [the login before Flower](../flower-auth.md)."
    )
    yield Shown("[[target.schedule]]", ScheduleSettings, EXAMPLE["target.schedule"])
    yield Shown("[[target.objective]]", ObjectiveSettings, EXAMPLE["target.objective"])
    yield from _receivers()
    yield Shown("[[alertmanager]]", AlertmanagerSettings, EXAMPLE["alertmanager"])
    yield Shown("[[route]]", RouteSettings, EXAMPLE["route"])
    yield Shown("[[mute]]", MuteSettings, EXAMPLE["mute"])
    yield Shown("[[override]]", OverrideSettings, EXAMPLE["override"])


def _receivers() -> Iterator[Shown]:
    shared = list(DigestSettings.model_fields)
    first, *_ = RECEIVERS
    yield Shown("[[receiver]]", DigestSettings, EXAMPLE[f"receiver {first}"], without=["type"], besides=KINDS)
    for kind, of_kind in RECEIVERS.items():
        without = [name for name in shared if name != "type"]
        said = replace(
            EXAMPLE[f"receiver {kind}"], about="" if of_kind.settings.takes_digests else "Without `digest` and `digest_timezone`."
        )
        yield Shown(f'[[receiver]] type = "{kind}"', of_kind.settings, said, without=without)


def _section(shown: Shown) -> Iterator[str]:
    about = " ".join(text for text in (_sentence(shown.said.about), shown.besides) if text)
    yield from (f"## {shown.title.replace('[', chr(92) + '[').replace(']', chr(92) + ']')}", "", *([about, ""] if about else []))
    fields = {one.alias or name: one for name, one in shown.model.model_fields.items() if name not in shown.without}
    in_order = sorted(fields, key=[*shown.said.keys, *fields].index)
    yield from table(("key", "type", "default", "what it does"), (_row(key, fields[key], shown) for key in in_order))
    yield ""


def _row(key: str, one: FieldInfo, shown: Shown) -> tuple[str, str, str, str]:
    said = shown.said
    if key not in said.keys and (below := _own_section(key)):
        return code(key), type_of(one), default_of(one), below
    if key not in said.keys:
        raise LookupError(f"expected {key} of {shown.title} in config.example.toml, with a comment before it; found none")
    example = said.examples.get(key, "")
    more = f" Example: {code(example)}" if example else ""
    return code(key), type_of(one), default_of(one), _sentence(said.keys[key]) + more


def _own_section(key: str) -> str:
    """Where a key that is a table has its section."""
    title = next((title for title in TABLES if title.strip("[]").rpartition(".")[2] == key), None)
    return f"see [`{title}`](#{title.strip('[]').replace('.', '')})" if title else ""


def _sentence(comment: str) -> str:
    """A comment as Markdown: tables that it names are code, pages are links."""
    return "".join(part if part.startswith("`") else _plain(part) for part in _CODE.split(_outside_code(comment)))


def _outside_code(comment: str) -> str:
    return "".join(part if part.startswith("`") else _TABLE.sub(lambda found: f"`{found[0]}`", part) for part in _CODE.split(comment))


def _plain(text: str) -> str:
    return _DOC.sub(lambda found: f"[{found[1]}](../{found[1]}.md{found[2] or ''})", escaped(text))


def _of_source(name: str) -> Section:
    if name != "results":
        return EXAMPLE[f"target.{name}"]
    return Section(keys=EXAMPLE["target.redis"].keys, examples=EXAMPLE["target.redis"].examples)


def _borrowed(own: Mapping[str, str]) -> Section:
    """What is said of keys that the example has only in a line, beside what it says of keys of the same name elsewhere."""
    webhook = EXAMPLE["receiver webhook"]
    return Section(keys=webhook.keys | dict(own), examples=dict.fromkeys(own, ""))


TABLES = (
    "[http]",
    "[actions]",
    "[[target]]",
    *(f"[target.{name}]" for name in SOURCES),
    "[[target.schedule]]",
    "[[target.objective]]",
    "[[receiver]]",
    "[[alertmanager]]",
    "[[route]]",
    "[[mute]]",
    "[[override]]",
)
KINDS = f"What all kinds have in common; `type` is one of {', '.join(map(code, RECEIVERS))}, each with keys of its own below."
_BESIDES = {"results": "`results` as a table: the Redis in which results are, if that is not the broker."}
MANY = "../high-availability.md#some-hundreds-of-targets-and-more"
ENGINE = {
    "broker": "A Redis of the engine's own: its URL, or a table with the keys of `[target.redis]` that say how to connect.",
    "queue": "The queue for the looks, if several watchdogs share that Redis.",
}
HEARTBEAT = {
    "url": "The URL to request while all is well.",
    "fail_url": "The URL to request while it is not. Unset: `url` with /fail after its path.",
    "every": "How often.",
    "headers": "Additional headers for each request.",
    "timeout": "How long one request may take.",
}
OAUTH = {
    "token_url": "The token endpoint.",
    "client_id": "The client's name there.",
    "client_secret": "The client's secret.",
    "scope": "The scope to ask for.",
    "audience": "The audience to ask for.",
    "client_auth": "How the client identifies itself: in a header, or in the body.",
}
