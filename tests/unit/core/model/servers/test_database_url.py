import pytest

from watchdog.core.model.servers.database_url import DatabaseUrl, readable_place

PASSWORD = "hunter2-hunter2"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"postgresql://w:{PASSWORD}@db:5433/watchdog?sslmode=require", "postgresql://db:5433/watchdog"),
        (f"postgres://w:{PASSWORD}@[2001:db8::1]:5433/watchdog", "postgresql://[2001:db8::1]:5433/watchdog"),
        (f"postgresql://w:{PASSWORD}@a:1,b:2/watchdog?target_session_attrs=read-write", "postgresql://a:1,b:2/watchdog"),
        (f"postgresql:///watchdog?host=/run/postgresql&password={PASSWORD}", "postgresql:///watchdog"),
        (f"postgresql://w:{PASSWORD}%40%2F@db/watchdog", "postgresql://db/watchdog"),
    ],
)
def test_what_is_shown_has_no_login_and_no_options(url: str, shown: str) -> None:
    assert (str(DatabaseUrl(url)), repr(DatabaseUrl(url)), DatabaseUrl(url).reveal()) == (shown, f"DatabaseUrl({shown})", url)


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://w:{PASSWORD}@db/watchdog",
        f"postgresql+psycopg://w:{PASSWORD}@db/watchdog",
        f"postgresql://w:{PASSWORD}@db",
        f"postgresql://w:{PASSWORD}@db:port/watchdog",
        f"postgresql://w:12/{PASSWORD}@db/watchdog",
        f"postgresql://w:{PASSWORD}@[db/watchdog",
        f"postgresql://w:{PASSWORD}@db/watchdog?{PASSWORD}",
    ],
)
def test_what_cannot_be_one_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValueError, match="expected the path of a file, or postgresql://") as refused:
        readable_place(url)
    assert PASSWORD not in str(refused.value)


def test_a_path_is_a_path() -> None:
    assert readable_place("var/watch dog.db") == "var/watch dog.db"
