from watchdog.tables.workers.evidence import never_ended

NONE: frozenset[str] = frozenset()


def test_what_a_worker_executes_has_not_ended() -> None:
    assert never_ended(["a"], frozenset("a"), NONE, 1) == NONE


def test_of_more_than_it_executes_the_oldest_are_over() -> None:
    assert never_ended(["a", "b"], frozenset("ab"), NONE, 1) == {"a"}


def test_one_known_to_be_over_stays_so_beside_an_older_one_that_runs() -> None:
    assert never_ended(["a", "b"], frozenset("ab"), frozenset("b"), 1) == {"b"}


def test_one_listed_for_the_first_time_may_only_be_quicker_than_the_heartbeat() -> None:
    assert never_ended(["a"], NONE, NONE, 0) == NONE


def test_where_it_is_not_known_how_many_it_executes_what_was_known_stands() -> None:
    assert never_ended(["a", "b"], frozenset("ab"), frozenset("a"), None) == {"a"}


def test_one_that_is_not_listed_any_more_is_let_go() -> None:
    assert never_ended(["b"], frozenset("ab"), frozenset("a"), None) == NONE
