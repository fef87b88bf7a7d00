"""Silences through Alertmanager's API of the page server, beside a real Alertmanager that is asked for the same ones.

Left out of the comparison are their ids, and when each of the two began, changed or ended one that began, changed or ended now.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.servers.alertmanager import AMTOOL, PROGRAM, amtool
from tests.servers.alertmanager_beside_ours import Both, Json, both_alertmanagers, shape, told

pytestmark = pytest.mark.skipif(not (PROGRAM and AMTOOL), reason="no prometheus-alertmanager or amtool on PATH (make peers)")
UNKNOWN = "8c8eb1b0-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    with both_alertmanagers(tmp_path_factory.mktemp("both")) as one:
        yield one


def asked(*matchers: tuple[str, str, str], starts: float = -60, ends: float = 3600, **more: Any) -> dict[str, Any]:
    """The body that asks for a silence."""
    written = [
        {"name": name, "value": value, "isRegex": operator[-1] == "~", "isEqual": operator[0] == "="} for name, operator, value in matchers
    ]
    return {"matchers": written, "startsAt": at(starts), "endsAt": at(ends), "createdBy": "ada", "comment": "an import", **more}


STARTED = float(int(time.time()))
"""When the tests were collected: these may run an hour later."""


def at(later_s: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(STARTED + later_s))


BETA = ("name", "=", "beta")
WRONG: list[Json] = [
    {}, {**asked(BETA), "comment": None}, {**asked(BETA), "matchers": []}, {**asked(BETA), "matchers": [{}]}, asked(("", "=", "x")),
    asked(("name", "=~", "(")), asked(("a b", "=", "c")), asked(BETA, ends=-70), asked(BETA, starts=-100, ends=-70),
    asked(BETA, id=UNKNOWN),
]  # fmt: skip


@pytest.mark.parametrize("body", WRONG)
def test_a_silence_that_is_wrong_is_refused_alike(both: Both, body: Json) -> None:
    real, ours = both.ask("POST", "/silences", body)
    assert shape(ours) == shape(real)


@pytest.mark.parametrize("body", [[], "name=beta", {**asked(BETA), "matchers": "name=beta"}, {**asked(BETA), "startsAt": "yesterday"}])
def test_what_is_no_silence_is_refused_with_the_same_status(both: Both, body: Json) -> None:
    (real, _), (ours, said) = both.ask("POST", "/silences", body)
    assert (ours, type(said)) == (real, str)  # Alertmanager sends an object here, of which its own clients show nothing


@pytest.mark.parametrize("matcher", [("name", "=", ""), ("name", "=~", ".*"), ("name", "=~", "|a")])
def test_a_silence_of_everything_is_refused_by_both(both: Both, matcher: tuple[str, str, str]) -> None:
    (real, _), (ours, said) = both.ask("POST", "/silences", asked(matcher))
    assert (ours, "would silence nearly everything" in said) == (real, True)


@dataclass
class Pair:
    """The same silence in both."""

    both: Both
    real: str
    ours: str

    @classmethod
    def posted(cls, both: Both, body: Json, before: "Pair | None" = None) -> "Pair":
        """Set it; in the place of the one before, if there is one."""
        ids = [
            told(both.client.post(f"{base}/api/v2/silences", json=body | ({"id": old} if old else {})))
            for base, old in ((both.real, before and before.real), (both.ours, before and before.ours))
        ]
        assert [status for status, _ in ids] == [200, 200], ids
        return cls(both, *(made["silenceID"] for _, made in ids))

    def shown(self) -> tuple[Json, Json]:
        """What both show of it, apart from its id and when it was changed."""
        found = [self.both.client.get(f"{base}/api/v2/silence/{name}").json() for base, name in self.each()]
        assert [one.pop("id") for one in found] == [self.real, self.ours]
        return without_changes(found[0]), without_changes(found[1])

    def ended(self) -> tuple[tuple[int, Json], tuple[int, Json]]:
        first, second = (told(self.both.client.delete(f"{base}/api/v2/silence/{name}")) for base, name in self.each())
        return first, second

    def each(self) -> tuple[tuple[str, str], tuple[str, str]]:
        return (self.both.real, self.real), (self.both.ours, self.ours)


def without_changes(silence: Json) -> Json:
    """What began now or ended now did so in each at its own moment."""
    moment = {"startsAt"} if silence["status"]["state"] != "pending" else set()
    ended = {"endsAt"} if silence["status"]["state"] == "expired" else set()
    return {name: value for name, value in silence.items() if name not in {"updatedAt"} | moment | ended}


SILENCES = [
    asked(BETA),
    asked(("alertname", "=", "QueueBacklogHigh"), ("severity", "!=", "warning")),
    asked(("name", "=~", "a.*|beta"), ("team", "!~", "x|")),
    asked(("alertname", "=", "WorkerLost"), starts=1800, comment="", createdBy=""),
    asked(("nothing", "=", 'quoted " and \\ and \n')),
]


@pytest.mark.parametrize("body", SILENCES)
def test_a_silence_comes_back_the_same_and_suppresses_the_same(both: Both, body: Json) -> None:
    pair = Pair.posted(both, body)
    real, ours = pair.shown()
    assert ours == real
    of_alerts = both.get("/alerts")
    assert statuses(of_alerts[1], pair.ours) == statuses(of_alerts[0], pair.real)
    assert [status for status, _ in pair.ended()] == [200, 200]


def statuses(answer: tuple[int, Json], silence: str) -> list[tuple[str, str, bool, Json]]:
    return [
        (one["fingerprint"], one["status"]["state"], one["status"]["silencedBy"] == [silence], one["status"]["inhibitedBy"])
        for one in answer[1]
    ]


def test_a_changed_end_and_comment_keep_the_silence(both: Both) -> None:
    first = Pair.posted(both, asked(BETA))
    started = [one["startsAt"] for one in (both.client.get(f"{base}/api/v2/silence/{name}").json() for base, name in first.each())]
    for base, name, began in zip((both.real, both.ours), (first.real, first.ours), started, strict=True):
        body = asked(BETA, ends=7200, comment="takes longer", id=name, createdBy="bob") | {"startsAt": began}
        assert both.client.post(f"{base}/api/v2/silences", json=body).json() == {"silenceID": name}
    real, ours = first.shown()
    assert (ours, ours["comment"], ours["endsAt"]) == (real, "takes longer", at(7200))
    first.ended()


def test_other_matchers_end_a_silence_and_begin_another(both: Both) -> None:
    first = Pair.posted(both, asked(BETA))
    second = Pair.posted(both, asked(("name", "=", "alpha")), first)
    assert (second.real == first.real, second.ours == first.ours) == (False, False)
    assert [one["status"]["state"] for one in (*first.shown(), *second.shown())] == ["expired", "expired", "active", "active"]
    second.ended()


def test_a_silence_that_lies_ahead_may_be_moved(both: Both) -> None:
    first = Pair.posted(both, asked(BETA, starts=1000))
    second = Pair.posted(both, asked(BETA, starts=2000), first)
    assert (second.real, second.ours) == (first.real, first.ours)
    real, ours = second.shown()
    assert (ours, ours["startsAt"]) == (real, at(2000))
    second.ended()


def test_a_silence_that_has_ended_is_asked_for_anew(both: Both) -> None:
    first = Pair.posted(both, asked(BETA))
    first.ended()
    second = Pair.posted(both, asked(BETA), first)
    assert (second.real == first.real, second.ours == first.ours) == (False, False)
    second.ended()


def test_a_silence_may_be_ended_before_it_begins_and_again(both: Both) -> None:
    pair = Pair.posted(both, asked(BETA, starts=1000))
    assert [pair.ended(), pair.ended()] == [((200, None), (200, None))] * 2


def test_a_silence_that_is_not_there_is_refused_alike(both: Both) -> None:
    real, ours = both.ask("DELETE", f"/silence/{UNKNOWN}")
    assert ours == real


@pytest.mark.parametrize(
    "query", ["", "?filter=name=beta", '?filter=name=~"a.*"', "?filter=name!=beta", "?filter=alertname=x&filter=name=beta"]
)
def test_silences_are_listed_in_the_same_order(both: Both, query: str) -> None:
    bodies = [
        asked(BETA, ends=9000), asked(("name", "=~", "a.*"), ends=7200),
        asked(BETA, ("alertname", "=", "x"), starts=11_000, ends=20_000, comment="later"),
        asked(("name", "!=", "beta"), ("a", "=", "b"), starts=10_000, ends=20_000),
    ]  # fmt: skip
    pairs = [Pair.posted(both, body) for body in bodies]
    (_, real), (_, ours) = both.get(f"/silences{query}")
    open_real, open_ours = (
        [without_changes(one) | {"id": ""} for one in found if one["status"]["state"] != "expired"] for found in (real, ours)
    )
    assert open_ours == open_real
    for pair in pairs:
        pair.ended()


def test_amtool_silences_updates_queries_and_expires(both: Both) -> None:
    named = both.tool(
        both.ours, "silence", "add", "alpha", "severity=~warn.*", "team!=web", "--comment=an import", "--author=ada", "-d2h"
    ).strip()
    assert named in both.tool(both.ours, "silence", "query", "alertname=alpha")
    both.tool(both.ours, "silence", "update", named, "--comment=takes longer", "-d3h")
    assert "takes longer" in both.tool(both.ours, "silence", "query", "-o", "extended")
    both.tool(both.ours, "silence", "expire", named)
    assert named not in both.tool(both.ours, "silence", "query")
    assert named in both.tool(both.ours, "silence", "query", "--expired")


def test_amtool_shows_why_a_silence_was_refused(both: Both) -> None:
    done = amtool(both.ours, "silence", "add", "severity!=critical", "--comment=x", home=both.home)
    assert (done.returncode, "would silence nearly everything" in done.stderr) == (1, True)
