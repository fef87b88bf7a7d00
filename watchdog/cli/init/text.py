"""The text of the `watchdog.toml` that `watchdog init` writes, and the variables to set for it.

In: what was found and chosen. Out: commented TOML without a secret, which `config check` accepts once the variables it names are set.
"""

import json
from collections.abc import Mapping
from urllib.parse import unquote

from msgspec import Struct
from msgspec.structs import replace

from watchdog.cli.init.look import Found
from watchdog.cli.init.places import Place
from watchdog.cli.output.page import clean

__all__ = ["RECEIVERS", "Setup", "secrets_of", "text_of"]

RECEIVERS = ("screen", "slack", "webhook")
"""Kinds of receivers to choose from: standard output, a Slack channel, anything that accepts a POST."""
_EXAMPLES = {
    "SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/…",
    "WEBHOOK_URL": "https://…",
    "FLOWER_PASSWORD": "…",
    "RABBITMQ_PASSWORD": "…",
    "REDIS_URL": "sentinel://…",
}
_HEAD = """\
# watchdog.toml, written by `watchdog init`. It holds no secret: ${NAME} is read from the environment, ${file:/path} from a file.
# Check it with `watchdog config check`; `watchdog config show` prints the settings in force, defaults included.

# How often the cluster is polled.
interval = "10s"

# A Celery deployment to watch, with its name in messages. For another one, add another [[target]].
[[target]]
name = {name}
"""
_TARGET_FOOT = """\

# Fewer workers online than this is an incident.
# min_workers = {workers}

# Workers, by name or glob, that are missed even if they were never seen.
# expected_workers = ["celery@web-*"]
"""
_RECEIVERS = {
    "screen": """
# Who is notified: here, everybody who reads the output of `watchdog run`.
[[receiver]]
name = "screen"
type = "console"

# A Slack channel: set SLACK_WEBHOOK_URL to the URL of an incoming webhook, remove the #, try `watchdog receivers test ops`.
# [[receiver]]
# name = "ops"
# type = "slack"
# url = "${SLACK_WEBHOOK_URL}"
""",
    "slack": """
# Who is notified: a Slack channel, through an incoming webhook. Try it: `watchdog receivers test ops`.
[[receiver]]
name = "ops"
type = "slack"
url = "${SLACK_WEBHOOK_URL}"
""",
    "webhook": """
# Who is notified: a POST of JSON to this URL. Try it: `watchdog receivers test ops`.
[[receiver]]
name = "ops"
type = "webhook"
url = "${WEBHOOK_URL}"

# Signs each message: "whsec_" and 24 to 64 random bytes in base64.
# secret = "${WEBHOOK_SECRET}"
""",
}
_TITLES = {"flower": "Its Flower", "redis": "Its Redis, the broker", "rabbitmq": "Its RabbitMQ, the broker: the management API"}
_PASSWORDS = {"flower": "FLOWER_PASSWORD", "rabbitmq": "RABBITMQ_PASSWORD"}
"""Kind -> the variable of its password, where user and password stand apart."""
_FOOT = """
# Tunes a rule by name, here for one queue; `watchdog rules list` shows the rules, `watchdog rules show NAME` what can be set.
# [[override]]
# rule = "QueueBacklogHigh"
# match = { name = "bulk" }
# params = { limit = 5000 }
"""


class Setup(Struct, frozen=True):
    """The content of the file. `sources`: kind -> what was found there; an absent one was left out on purpose."""

    name: str
    sources: Mapping[str, Found]
    receiver: str

    @property
    def active(self) -> frozenset[str]:
        """The sources to enable: those that exist or were named; if there are none, all of them, for the user to correct."""
        kept = frozenset(kind for kind, found in self.sources.items() if found.there or found.place.meant)
        return kept or frozenset(self.sources)


def text_of(setup: Setup) -> str:
    """The whole file."""
    workers = next((found.workers for found in setup.sources.values() if found.workers), 2)
    body = "".join(_source(found, active=kind in setup.active) for kind, found in setup.sources.items())
    head = _HEAD.replace("{name}", _toml(setup.name))
    return head + body + _TARGET_FOOT.replace("{workers}", str(workers)) + _RECEIVERS[setup.receiver] + _FOOT


def secrets_of(setup: Setup) -> dict[str, str]:
    """Variable that the file refers to -> an example value, or "" if it is set already and used unchanged."""
    named: list[str] = []
    for kind in sorted(setup.active):
        named += [name for name in (_reference(setup.sources[kind]),) if name]
    named += {"slack": ["SLACK_WEBHOOK_URL"], "webhook": ["WEBHOOK_URL"]}.get(setup.receiver, [])
    examples = {**_EXAMPLES, "REDIS_USERINFO": _userinfo_like(setup.sources.get("redis"))}
    return {name: examples.get(name, "") for name in named}


def _userinfo_like(redis: Found | None) -> str:
    """`user:password`, without the user if there is none."""
    return ":password" if redis is not None and redis.place.userinfo.startswith(":") else "user:password"


def _source(found: Found, *, active: bool) -> str:
    """The lines of one source; commented out if it was only searched for and not found."""
    title = _TITLES[found.place.kind]
    comment = clean(f"# {title}. When this file was written: {found.said}")
    return f"\n{comment}\n{_with_credentials(found)}{'' if active else '# '}{found.place.kind} = {_value(found)}\n"


def _with_credentials(found: Found) -> str:
    """A comment line that shows the setting with credentials, if the source requires them."""
    if not found.wants_credentials or found.place.userinfo:
        return ""
    asked = replace(found, place=found.place.let_in("USER", "-"))
    return f"# With its credentials: {found.place.kind} = {_value(asked)}\n"


def _value(found: Found) -> str:
    """The URL as TOML, without a secret in it."""
    place, reference = found.place, _reference(found)
    if not reference:
        return f"{{ url = {_toml(place.url)}{_vhost(place)} }}" if _vhost(place) else _toml(place.url)
    if place.kind in _PASSWORDS:
        username = unquote(place.userinfo.partition(":")[0])
        url = _toml(place.with_userinfo("").url)
        return f'{{ url = {url}{_vhost(place)}, username = {_toml(username)}, password = "${{{reference}}}" }}'
    if reference != "REDIS_USERINFO":
        return f'"${{{reference}}}"'
    return _toml(place.with_userinfo("").url).replace("://", f"://${{{reference}}}@", 1)


def _vhost(place: Place) -> str:
    """The virtual host as a part of a table, where it is not the usual one."""
    return "" if place.vhost == "/" else f", vhost = {_toml(place.vhost)}"


def _reference(found: Found) -> str:
    """The variable that holds this source's secret; "" if it has none."""
    place = found.place
    if place.kind in _PASSWORDS:
        return _PASSWORDS[place.kind] if place.userinfo else ""
    if "@" not in place.url:
        return ""
    if place.origin in ("$CELERY_BROKER_URL", "$REDIS_URL") and not place.note:
        return place.origin.removeprefix("$")
    return "REDIS_URL" if ";" in place.url else "REDIS_USERINFO"  # each of several sentinels may have a password


def _toml(text: str) -> str:
    """A text as TOML, with `${` escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f").replace("${", "$${")
