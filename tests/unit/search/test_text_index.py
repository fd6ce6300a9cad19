"""The index gives what looking into every text would give, whatever came and went before."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.search import text_index
from app.search.text_index import TextIndex

WORDS = st.text(alphabet="abLine14./ß\u0130é\n\0", min_size=0, max_size=6)
TEXTS = st.lists(WORDS, max_size=4).map(".".join)
KEYS = st.integers(0, 30).map(lambda number: f"k{number:02d}")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("set"), KEYS, TEXTS),
        st.tuples(st.just("remove"), KEYS, st.just("")),
        st.tuples(st.just("sign"), st.just(""), st.just("")),
        st.tuples(st.just("find"), st.just(""), WORDS),
    ),
    max_size=60,
)


def naive(rows: dict[str, str], query: str) -> list[str]:
    words = query.casefold().replace("\0", " ").split()
    return sorted(key for key, text in rows.items() if all(word in text.casefold().replace("\0", " ") for word in words))


def keys(index: TextIndex, query: str) -> list[str]:
    return [index.keys[place] for place in index.in_order(index.find(query)).tolist()]


@given(STEPS, WORDS)
@settings(max_examples=150, deadline=None)
def test_that_it_finds_what_a_look_into_every_text_finds(steps: list[tuple[str, str, str]], last: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_index, "SIGNED_FROM", 0)
        patch.setattr(text_index, "SLICE_ROWS", 3)
        index, rows = TextIndex(), dict[str, str]()
        for what, key, text in [*steps, ("find", "", last)]:
            if what == "set":
                index.set(key, text, len(text))
                rows[key] = text
            elif what == "remove":
                index.remove(key)
                rows.pop(key, None)
            elif what == "sign":
                index.sign()
            else:
                assert keys(index, text) == naive(rows, text)
        assert len(index) == len(rows)


def test_that_typing_on_looks_only_into_what_was_found_before(monkeypatch: pytest.MonkeyPatch) -> None:
    index = TextIndex()
    index.extend((f"k{number:04d}", f"Filler{number}" if number % 10 == 0 else f"Valve{number}", 0) for number in range(1000))
    looked: list[int] = []
    having = TextIndex._having

    def counting(self: TextIndex, word: str, places: text_index.Places) -> text_index.Places:
        looked.append(len(places))
        return having(self, word, places)

    monkeypatch.setattr(TextIndex, "_having", counting)
    for query, found in (("fi", 100), ("fil", 100), ("fill", 100), ("fil", 100), ("filler99", 1), ("filler990", 1)):
        assert len(index.find(query)) == found
    assert looked == [1000, 100, 100, 100, 1], "going back asks nothing again"


def test_that_a_signature_rules_out_most_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_index, "SIGNED_FROM", 100)
    index = TextIndex()
    index.extend((f"k{number:05d}", f"Line4.Filler{number}.FT-{number % 7}.PV\nnsu=urn:x;s={number}\n", 0) for number in range(5000))
    while not index.sign():
        pass
    assert len(index._fitting(["4711"])) < 250
    assert keys(index, "4711") == ["k04711"]
    assert len(index._fitting(["zebra"])) == 0
    assert index.nbytes < 5000 * 70


@given(st.lists(TEXTS, max_size=20), WORDS)
@settings(max_examples=100, deadline=None)
def test_that_rows_begun_with_the_query_are_told(texts: list[str], begin: str) -> None:
    index = TextIndex()
    index.extend((f"k{number:02d}", text, len(text)) for number, text in enumerate(texts))
    places = index.find("")
    expected = [text.casefold().replace("\0", " ").startswith(begin.casefold().replace("\0", " ")) for text in texts]
    assert index.starts_with(places, begin).tolist() == expected
    assert index.ranks(places).tolist() == [len(text) for text in texts]
