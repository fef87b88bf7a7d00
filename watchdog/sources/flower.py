"""Flower: carries questions to one Flower's HTTP API and brings back replies or gaps.

Everything but `refresh` runs on Flower's only event loop, so one question at a time is put to one Flower, whoever asks, and
the cheap ones go first. Where Flower does not answer at all, the rest of the batch is not tried: one timeout is enough.
"""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from watchdog.core.gaps import Gap
from watchdog.core.queries import InspectAll, Inspected, InspectOne, Query, ReadEventCounters, WorkerHeartbeats, WorkerStatus
from watchdog.settings_types import PositiveDuration
from watchdog.sources.base import Answers
from watchdog.sources.flower_answers import inspections, worker_beats, worker_status
from watchdog.sources.flower_metrics import event_counters

if TYPE_CHECKING:
    import httpx

    from watchdog.sources.flower_pages import Pages

__all__ = ["FlowerSettings", "FlowerSource"]

QUESTIONS_WORTH = 3
"""A batch may take as long as so many questions that time out: slow answers cannot add up to a hang."""

HEALTH = "/healthcheck"
"""Open under every auth setting; says only that Flower's loop turns."""

_ORDER: tuple[type[Query], ...] = (WorkerStatus, WorkerHeartbeats, ReadEventCounters, Inspected, InspectOne, InspectAll)


class FlowerSettings(BaseModel):
    """`flower = {...}` of a target. `url` with its url_prefix; userinfo in it becomes `username` and `password`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str
    username: str | None = None
    password: SecretStr | None = None
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    ca_file: str | None = None
    timeout: PositiveDuration = 5.0
    connect_timeout: PositiveDuration = 1.0
    max_answer_bytes: int = Field(default=32 * 1024 * 1024, gt=0)

    @model_validator(mode="before")
    @classmethod
    def _userinfo_apart(cls, given: Any) -> Any:
        """Credentials leave the URL, so that it can be shown."""
        url = given.get("url") if isinstance(given, Mapping) else None
        if not isinstance(url, str) or "@" not in url.partition("://")[2].partition("/")[0]:
            return given
        if given.get("username") is not None or given.get("password") is not None:
            raise ValueError("expected the credentials once, found them in `url` and in `username` or `password`")
        scheme, _, rest = url.partition("://")
        authority, slash, path = rest.partition("/")
        userinfo, _, place = authority.rpartition("@")
        username, _, password = userinfo.partition(":")
        apart = {"url": f"{scheme}://{place}{slash}{path}", "username": unquote(username), "password": SecretStr(unquote(password))}
        return {**given, **apart}

    @field_validator("url")
    @classmethod
    def _is_http(cls, url: str) -> str:
        try:
            parts = urlsplit(url.strip())
            parts.port  # noqa: B018 - raises where it is no number
        except ValueError:
            raise ValueError("expected a URL such as http://flower:5555, found one whose host or port cannot be read") from None
        if parts.scheme not in {"http", "https"}:
            found = f'"{parts.scheme}://"' if "://" in url else "no scheme"
            raise ValueError(f"expected a URL that begins with http:// or https://, found {found}")
        if not parts.hostname:
            raise ValueError("expected a host after http:// or https://, found none")
        if parts.query or parts.fragment:
            raise ValueError("expected Flower's address with its url_prefix at most, found a ? or # in the URL")
        return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))

    @field_validator("username")
    @classmethod
    def _has_no_colon(cls, username: str | None) -> str | None:
        if username is not None and ":" in username:
            raise ValueError("expected a user name without a colon (basic auth cannot carry one)")
        return username

    @field_validator("headers")
    @classmethod
    def _are_headers(cls, headers: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for name, value in headers.items():
            if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
                raise ValueError("expected header names of letters, digits and dashes, found another character in one")
            if not re.fullmatch(r"[\t\x20-\x7e]*", value.get_secret_value()):
                raise ValueError(f"expected printable ASCII in header {name}, found another character")
        return headers

    def masked_url(self) -> str:
        """The URL as it may be shown."""
        return self.url


class FlowerSource:
    """One Flower. `client` is a seam for tests; the real one is made on the first question and kept."""

    name = "flower"

    def __init__(
        self, settings: FlowerSettings, *, client: "httpx.Client | None" = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._client = client
        self._clock = clock
        self._opened: Pages | None = None

    @property
    def longest_s(self) -> float:
        """The longest that one batch may take (seconds), name resolution aside."""
        return (QUESTIONS_WORTH + 2) * self._settings.timeout  # the last question may wait for its turn, and for its answer

    def ask(self, queries: Sequence[Query]) -> Answers:
        """Every query gets its reply type or a gap. `WorkerStatus` goes first; where it fails, all fail for its reason."""
        budget_s = QUESTIONS_WORTH * self._settings.timeout
        pages = self._pages()
        ends_at = self._clock() + budget_s
        replies: dict[Query, object] = {}
        latency_ms: float | None = None
        lost: Gap | None = None
        for query in sorted(queries, key=_rank):
            if lost is None and self._clock() >= ends_at:
                lost = Gap(f"flower: not asked: the answers before took longer than {budget_s:g}s together")
            if lost is not None:
                replies[query] = lost
                continue
            began = self._clock()
            answer, gone = _answered(query, pages)
            replies[query] = answer
            if isinstance(query, WorkerStatus):
                latency_ms = (self._clock() - began) * 1000
                gone = isinstance(answer, Gap)
            if gone and isinstance(answer, Gap):
                lost = answer
        return Answers(replies, latency_ms)

    def close(self) -> None:
        """Give back the connection."""
        if self._opened is not None:
            self._opened.close()

    def _pages(self) -> "Pages":
        if self._opened is None:
            from watchdog.sources.flower_pages import Pages  # noqa: PLC0415 - with httpx, slow to import

            self._opened = Pages(self._settings, self._client, self._clock)
        return self._opened


def _answered(query: Query, pages: "Pages") -> tuple[object, bool]:
    """The reply or gap, and whether Flower is gone: it gave no HTTP answer at all."""
    paths, read = _asking(query)
    answer: object = Gap(f"flower: does not know the question {type(query).__name__}")
    for path in paths:
        page = pages.get(path)
        if isinstance(page, Gap):
            return page, True
        if isinstance(query, InspectOne) and page.status == 404 and page.body.startswith(b"Unknown worker"):
            return {}, False
        if page.cut or page.refusal:
            return Gap(page.cut or page.refusal), False
        answer = None if path == HEALTH else read(page.body)
    return answer, False


def _rank(query: Query) -> int:
    """Cheap questions first."""
    return _ORDER.index(type(query)) if type(query) in _ORDER else len(_ORDER)


def _asking(query: Query) -> tuple[tuple[str, ...], Callable[[bytes], object]]:
    """The paths to get, and how to read the last one's body."""
    match query:
        case WorkerStatus():
            return (HEALTH, "/api/workers?status=true"), worker_status
        case WorkerHeartbeats():
            return ("/?json=1",), worker_beats
        case ReadEventCounters():
            return ("/metrics",), event_counters
        case Inspected():
            return ("/api/workers",), inspections
        case InspectOne(worker):
            return (f"/api/workers?refresh=1&workername={quote(worker, safe='@')}",), lambda body: _one(worker, inspections(body))
        case InspectAll():
            return ("/api/workers?refresh=true",), inspections
    return (), lambda _: None


def _one(worker: str, found: Mapping[str, object] | Gap) -> Mapping[str, object] | Gap:
    """That worker's entry alone."""
    return found if isinstance(found, Gap) else {name: entry for name, entry in found.items() if name == worker}
