"""Names that could not be asked for are not an empty list: what is not seen there is not known to be well."""

import pytest

from tests.builders.answers import a_server
from tests.builders.cluster import healthy
from tests.builders.incidents import a_rule
from tests.builders.looks import Watch, cell
from watchdog.core.judging.check_result import check_target
from watchdog.core.judging.findings import Judgement
from watchdog.core.model.queries import Query, ScanKeys, SetMembers
from watchdog.core.model.replies import KeysFound
from watchdog.core.model.rows import Reading


def queues(gap: type[Query], *, after_a_good_look: bool) -> Reading:
    cluster = healthy()
    cluster.scans = {0: KeysFound(0, ("_kombu.binding.bulk",))}
    cluster.sets = {"_kombu.binding.bulk": frozenset({"bulk\x06\x16\x06\x16bulk"})}
    watch = Watch(cluster)
    if after_a_good_look:
        watch.look(0)
    watch.cluster.gaps[gap] = "redis: NOPERM"
    return watch.look(10)["queues"]


@pytest.mark.parametrize("gap", [ScanKeys, SetMembers])
def test_a_denied_question_for_names_says_that_queues_may_be_missing(gap: type[Query]) -> None:
    reading = queues(gap, after_a_good_look=False)
    assert (reading.missing, reading.partial) == ("redis: NOPERM", "redis: NOPERM")


@pytest.mark.parametrize("gap", [ScanKeys, SetMembers])
def test_names_once_read_are_not_missing_while_the_question_fails(gap: type[Query]) -> None:
    assert queues(gap, after_a_good_look=True).missing is None


def test_a_healthy_look_misses_nothing() -> None:
    assert Watch(healthy()).look(0)["queues"].missing is None


def test_in_a_check_a_rule_on_a_table_that_may_lack_rows_is_unknown() -> None:
    checked = check_target("prod", [Judgement(a_rule())], {"queues": Reading(missing="redis: NOPERM")})
    assert [(u.rule, u.key, u.reason) for u in checked.unknown] == [("QueueBacklogHigh", {}, "redis: NOPERM")]


def test_a_replica_is_up_and_says_what_is_wrong_with_it() -> None:
    cluster = healthy()
    cluster.server = a_server(role="slave")
    reading = Watch(cluster).look(0)["sources"]
    assert (cell(reading, "redis", "up"), str(cell(reading, "redis", "error"))[:35]) == (True, "redis: this is a read-only replica ")
