import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchdog.core.model.replies import StoredResultSeen, TaskMetaSeen
from watchdog.sources.redis.task_meta import stored_result, task_meta


def seen(status: str = "PROGRESS", /, **report: object) -> TaskMetaSeen:
    found = task_meta(msgspec.json.encode({"status": status, "result": report, "task_id": "x"}))
    assert found is not None
    return found


def test_a_missing_key_says_nothing() -> None:
    assert task_meta(None) == TaskMetaSeen()


@pytest.mark.parametrize(
    ("report", "peak"),
    [
        ({"peak_memory": 3e8}, 3e8),
        ({"current": 1, "total": 2, "memory_bytes": 7}, 7.0),
        ({"progress": {"peak_memory_bytes": 7}}, 7.0),
        ({"peak_memory": "300 MB", "memory_bytes": 7}, 7.0),
        ({"peak_memory": True}, None),
        ({"peak_memory": 0}, None),
        ({"peak_memory": -1}, None),
        ({"memory": 7}, None),
    ],
)
def test_a_peak_of_memory_is_a_number_of_bytes(report: dict[str, object], peak: float | None) -> None:
    assert seen(**report).peak_memory == peak


@pytest.mark.parametrize(
    ("report", "progress"),
    [
        ({"progress": 0.33}, 0.33),
        ({"progress": 0}, 0.0),
        ({"progress": 1}, 1.0),
        ({"progress": 33}, 0.33),
        ({"progress": 100.0}, 1.0),
        ({"progress": "33 %"}, 0.33),
        ({"progress": "0.5"}, 0.5),
        ({"current": 3, "total": 12}, 0.25),
        ({"current": 13, "total": 12}, 1.0),
        ({"current": 3, "total": 0}, None),
        ({"progress": 101}, None),
        ({"progress": -1}, None),
        ({"progress": True}, None),
        ({"progress": None, "current": 1, "total": 2}, 0.5),
        ({"progress": [1]}, None),
        ({"progress": "soon"}, None),
        ({"other": 1}, None),
        ({"pending": False, "current": 5, "total": 20, "percent": 25.0, "description": "x"}, 0.25),  # celery-progress
        ({"done": 3, "total": 12}, 0.25),
        ({"processed": 3, "total": 12}, 0.25),
        ({"current_step": 2, "total_steps": 8}, 0.25),
        ({"percent": 25}, 0.25),
        ({"percent": 0.5}, 0.005),
        ({"percentage": "25%"}, 0.25),
        ({"percent": 250}, None),
        ({"progress": {"current": 3, "total": 12}}, 0.25),
    ],
)
def test_progress_is_a_ratio_however_it_is_written(report: dict[str, object], progress: float | None) -> None:
    assert seen(**report).progress == progress


@pytest.mark.parametrize(
    ("report", "step"),
    [
        ({"step": " a\nb "}, "a b"),
        ({"step": 3}, "3"),
        ({"step": {}}, None),
        ({"step": "", "stage": "upload"}, "upload"),
        *(({name: "x"}, "x") for name in ("current_step", "stage", "phase", "status", "message", "description", "desc", "detail")),
        ({"status": "working", "current_step": "resize"}, "resize"),
        ({"progress": {"current": 3, "total": 12, "stage": "resize"}}, "resize"),
    ],
)
def test_a_step_is_a_text_in_one_line(report: dict[str, object], step: str | None) -> None:
    assert seen(**report).step == step


def test_what_celery_itself_writes_of_a_started_task_is_no_report() -> None:
    assert seen("STARTED", pid=17, hostname="celery@web-1") == TaskMetaSeen("STARTED")


@pytest.mark.parametrize("status", ["SUCCESS", "FAILURE", "RETRY", "REVOKED"])
def test_a_result_is_no_report(status: str) -> None:
    assert seen(status, progress=0.5) == TaskMetaSeen(status)


def test_a_report_that_is_too_long_keeps_its_short_entries_and_stays_json() -> None:
    meta = seen(progress=0.5, log="x" * 5000).meta_json
    assert msgspec.json.decode(meta or "") == {"progress": 0.5}


def test_many_entries_are_cut_and_stay_json() -> None:
    meta = seen(**{f"k{n}": n for n in range(2000)}).meta_json or ""
    assert len(meta) <= 2000
    assert isinstance(msgspec.json.decode(meta), dict)


@pytest.mark.parametrize("raw", [b"", b"x", b"[]", b"{}", b"3", b'{"status": 3}', b"\x80\x04}q\x00.", 3, [b"x"]])
def test_what_is_not_celerys_json_is_not_understood(raw: object) -> None:
    assert (task_meta(raw), stored_result(raw)) == (None, None)


@given(st.binary(max_size=200))
def test_no_bytes_raise(raw: bytes) -> None:
    assert isinstance(task_meta(raw), TaskMetaSeen | None)


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda s: st.lists(s) | st.dictionaries(st.text(), s))
)
def test_no_report_raises_and_progress_stays_within_0_and_1(report: object) -> None:
    found = task_meta(msgspec.json.encode({"status": "P", "result": {"progress": report, "current": report, "total": 3}}))
    assert found is not None
    assert found.progress is None or 0 <= found.progress <= 1


def stored(**entry: object) -> StoredResultSeen:
    found = stored_result(msgspec.json.encode({"status": "SUCCESS", **entry}))
    assert found is not None
    return found


def test_no_entry_has_no_state() -> None:
    assert stored_result(None) == StoredResultSeen()


def test_the_exception_of_an_entry_reads_as_it_was_raised() -> None:
    result = {"exc_type": "KeyError", "exc_message": ["a", 3], "exc_module": "builtins"}
    assert stored(status="FAILURE", result=result).exception == "KeyError('a', 3)"


@pytest.mark.parametrize(("said", "shown"), [(None, "Boom()"), ("gone", "Boom('gone')"), ([], "Boom()")])
def test_the_exception_of_an_entry_may_say_little(said: object, shown: str) -> None:
    assert stored(status="FAILURE", result={"exc_type": "Boom", "exc_message": said}).exception == shown


def test_what_a_task_returned_that_looks_like_an_exception_is_its_result() -> None:
    assert stored(result={"total": 3}).result_json == '{"total":3}'


def test_children_are_found_however_they_are_nested() -> None:
    assert stored(children=[[["a", None], None], [["b", ["p", None]], [[["c", None], None]]], "d", 3]).children == ("a", "b", "d")


def test_an_extended_entry_names_the_task() -> None:
    found = stored(name="shop.pay", worker="w@h", queue="q", retries=2, args=[1], kwargs={"a": 2}, parent_id="p")
    assert (found.name, found.worker, found.queue, found.retries, found.args_json, found.kwargs_json, found.parent_id) == (
        "shop.pay", "w@h", "q", 2, "[1]", '{"a":2}', "p",
    )  # fmt: skip


def test_fields_of_another_type_are_left_out() -> None:
    found = stored(name=3, worker=[], traceback={}, children="x", retries="many")
    assert (found.name, found.worker, found.traceback, found.children, found.retries) == (None, None, None, (), None)
