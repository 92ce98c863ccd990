"""Stems expand to the forms that Okt finds, and forms go back to the stems that Okt gives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oktane import conjugation

syllables = st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3)


@given(syllables)
def test_a_syllable_is_composed_of_what_it_decomposes_into(syllable):
    assert conjugation.compose(*conjugation.decompose(syllable)) == syllable


@given(st.text(syllables, min_size=1, max_size=4), st.booleans())
def test_every_stem_conjugates_to_forms_that_keep_all_but_its_last_two_syllables(stem, is_adjective):
    forms = conjugation.conjugate(stem, is_adjective)
    assert is_adjective or not conjugation.NO_VERB_FORMS & set(forms)
    for form in forms:
        assert form.startswith(stem[:-2])
        assert all("가" <= c <= "힣" for c in form)


@pytest.mark.parametrize(
    ("stem", "is_adjective", "some_forms"),
    [
        ("사랑하", False, {"사랑해", "사랑했", "사랑한", "사랑합", "사랑하는", "사랑하여"}),
        ("예쁘", True, {"예뻐", "예뻤", "예쁜", "예쁩", "예쁘니"}),
        ("고르", False, {"고르는", "골라", "골랐"}),
        ("아름답", True, {"아름다워", "아름다웠", "아름다운", "아름답"}),
        ("파랗", True, {"파래", "파랬", "파란", "파랗"}),
        ("먹", False, {"먹", "먹었", "먹는", "먹은", "먹고"}),
        ("만들", False, {"만들어", "만든", "만드는", "만들"}),
    ],
)
def test_common_stems_have_their_common_forms(stem, is_adjective, some_forms):
    assert some_forms <= set(conjugation.conjugate(stem, is_adjective))


def test_a_form_of_several_stems_goes_to_the_same_stem_in_any_order(lists):
    stems = sorted(lists.words["Verb"])
    assert conjugation.conjugate_all(stems, False) == conjugation.conjugate_all(reversed(stems), False)


@pytest.mark.slow
@pytest.mark.parametrize("pos", ["Verb", "Adjective"])
def test_forms_and_stems_are_those_of_open_korean_text(konlpy_okt, lists, pos):
    import jpype

    part = getattr(jpype.JClass("org.openkoreantext.processor.util.KoreanPos"), pos)()
    provider = getattr(jpype.JClass("org.openkoreantext.processor.util.KoreanDictionaryProvider$"), "MODULE$")
    pairs = str(provider.predicateStems().apply(part).mkString("\n")).split("\n")
    forms = str(provider.koreanDictionary().get(part))[1:-1].split(", ")
    ours = conjugation.conjugate_all(lists.words[pos], is_adjective=pos == "Adjective")
    assert ours == dict(pair.split(" -> ") for pair in pairs)
    assert set(ours) == set(forms)
