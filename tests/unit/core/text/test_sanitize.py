import json

from hypothesis import given
from hypothesis import strategies as st

from watchdog.core.text.sanitize import log_text, sanitize, sanitize_json

ANY = st.text(st.characters(exclude_categories=()), max_size=30)


@given(ANY)
def test_nothing_invisible_is_left(text: str) -> None:
    assert sanitize(text).isascii() or not any(character in sanitize(text) for character in "\x1b\x9b\u202e\u2028\ud800\ufeff")
    assert "\n" not in log_text(text)


@given(st.recursive(ANY, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY, inner, max_size=3), max_leaves=5))
def test_a_harmless_document_reads_the_same(document: object) -> None:
    written = sanitize_json(json.dumps(document, ensure_ascii=False))
    assert json.loads(written) == json.loads(json.dumps(document))
    written.encode()


def test_joiners_and_letters_of_all_scripts_stay() -> None:
    assert sanitize("żółć 日本") == "żółć 日本"
