import pytest

from dragon_core.linking.dictionary.inflection import forms_of_name


@pytest.mark.parametrize(
    ("name", "forms"),
    [
        ("dog", ["dogs"]),
        ("child", ["children"]),
        ("person", ["people"]),
        ("run", ["ran", "running", "runs"]),
        ("good", ["better", "best"]),
        ("stray dog", ["stray dogs"]),
        ("eat food", ["ate food", "eating food", "eats foods"]),
        ("go fish", ["going fishing"]),
        ("glass of water", ["glasses of water"]),
        ("be bored", ["being bored"]),
        # No dictionary has it: taken for a noun.
        ("blorgification", ["blorgifications"]),
    ],
)
def test_names_inflect_where_english_does(name: str, forms: list[str]) -> None:
    found = forms_of_name(name)
    assert found[name] == 1.0
    assert {form: found.get(form) for form in forms} == dict.fromkeys(forms, 0.9)


def test_a_name_that_is_inflected_itself_is_related_to_its_other_forms() -> None:
    assert forms_of_name("punishing")["punished"] == 0.8
    assert forms_of_name("running shoes")["running shoe"] == 0.8


def test_what_is_no_word_has_one_form() -> None:
    assert forms_of_name("u.s") == {"u.s": 1.0}
    assert forms_of_name("7") == {"7": 1.0}
    assert forms_of_name("x") == {"x": 1.0}
