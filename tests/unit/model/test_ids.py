from hypothesis import given
from hypothesis import strategies as st

from app.model.ids import ID_FORM, ID_LENGTH, make_id, slug


def test_that_an_id_is_readable_and_the_same_on_every_machine() -> None:
    assert make_id("tag", "filler-aaaaaa", "fillFlow", "nsu=urn:x;s=Flow") == "fillflow-wjkfyr"
    assert slug("Füllmenge °C / Straße") == "fullmenge-c-strasse"
    assert slug("流量") == "x"


@given(st.text(), st.text(), st.text(), st.text())
def test_that_any_text_becomes_an_id_that_files_take(kind: str, parent: str, name: str, address: str) -> None:
    made = make_id(kind, parent, name, address)
    assert ID_FORM.fullmatch(made)
    assert len(made) <= ID_LENGTH
    assert made == make_id(kind, parent, name, address)


def test_that_a_taken_id_gives_another_one_and_again_the_same() -> None:
    first = make_id("tag", "", "a")
    second = make_id("tag", "", "a", taken={first})
    assert second != first
    assert make_id("tag", "", "a", taken={first, second}) not in {first, second}
    assert make_id("tag", "", "a", taken={first}) == second


def test_that_half_a_character_in_a_name_does_no_harm() -> None:
    assert ID_FORM.fullmatch(make_id("tag", "", "a\ud800"))
