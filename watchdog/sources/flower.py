"""Flower: carries questions to one Flower's HTTP API and brings back replies or gaps.

Everything but `refresh` runs on Flower's only event loop, so one question at a time is put to one Flower, whoever asks, and
the cheap ones go first. Where Flower does not answer at all, the rest of the batch is not tried: one timeout is enough.
"""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit, urlunsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from watchdog.core.gaps import Gap
from watchdog.core.queries import InspectOne, Query, WorkerStatus
from watchdog.settings_types import PositiveDuration
from watchdog.sources.base import Answers
from watchdog.sources.flower_first import first_answer
from watchdog.sources.flower_questions import API, asking, rank

if TYPE_CHECKING:
    import httpx

    from watchdog.sources.flower_pages import Pages

__all__ = ["FlowerSettings", "FlowerSource"]

QUESTIONS_WORTH = 3
"""A batch may take as long as so many questions that time out: slow answers cannot add up to a hang."""


NOT_FOUND = 404
UNKNOWN_WORKER = b"Unknown worker"
"""What Flower says of a worker that its inspect cache lacks: Flower 2.x as a text, 1.x within an HTML page."""


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
        self._no_api: Gap | None = None

    @property
    def longest_s(self) -> float:
        """The longest that one batch may take (seconds), name resolution aside."""
        return (QUESTIONS_WORTH + 3) * self._settings.timeout  # the first question has up to three pages, each with a wait for its turn

    def ask(self, queries: Sequence[Query]) -> Answers:
        """Every query gets its reply type or a gap. `WorkerStatus` goes first; where it fails, all fail for its reason."""
        budget_s = QUESTIONS_WORTH * self._settings.timeout
        ends_at = self._clock() + budget_s
        replies: dict[Query, object] = {}
        took_s: dict[Query, float] = {}
        lost: Gap | None = None
        for query in sorted(queries, key=rank):
            began = self._clock()
            if lost is None and began >= ends_at:
                lost = Gap(f"flower: not asked: the answers before took longer than {budget_s:g}s together")
            if lost is not None:
                replies[query] = lost
                continue
            answer, gone = self._answered(query)
            replies[query], took_s[query] = answer, self._clock() - began
            if gone and isinstance(answer, Gap):
                lost = answer
        first_s = took_s.get(WorkerStatus())
        return Answers(replies, None if first_s is None else first_s * 1000, took_s)

    def close(self) -> None:
        """Give back the connection."""
        if self._opened is not None:
            self._opened.close()

    def _answered(self, query: Query) -> tuple[object, bool]:
        """The reply or gap, and whether Flower is gone: it gave no HTTP answer at all, or none to its first question."""
        if isinstance(query, WorkerStatus):
            first = first_answer(self._pages())
            self._no_api = first.no_api
            return first.answer, isinstance(first.answer, Gap)
        question = asking(query)
        if question is None:
            return Gap(f"flower: does not know the question {type(query).__name__}"), False
        path, read = question
        if self._no_api is not None and path.startswith(API):
            return self._no_api, False
        page = self._pages().get(path)
        if isinstance(page, Gap):
            return page, True
        if isinstance(query, InspectOne) and page.status == NOT_FOUND and UNKNOWN_WORKER in page.body:
            return {}, False
        return Gap(page.cut or page.refusal) if page.cut or page.refusal else read(page.body), False

    def _pages(self) -> "Pages":
        if self._opened is None:
            from watchdog.sources.flower_pages import Pages  # noqa: PLC0415 - with httpx, slow to import

            self._opened = Pages(self._settings, self._client, self._clock)
        return self._opened
