"""Drug mentions: what counts, where it stands, which ingredient it is."""

import csv
from importlib.resources import files
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adverse_events.errors import ContractError
from adverse_events.screening.drugs import DrugLexicon
from adverse_events.screening.lexicon_data import read_lexicon

LEXICON = DrugLexicon.load()
DATA = read_lexicon()


def found(text):
    return [(mention.mention, mention.ingredient) for mention in LEXICON.find(text)]


def ingredients(text):
    return [mention.ingredient for mention in LEXICON.find(text)]


@pytest.mark.parametrize(
    ("text", "ingredient"),
    [
        ("started lexapro on monday", "escitalopram"),
        ("escitalopram", "escitalopram"),
        ("citalopram", "citalopram"),
        ("Tylenol", "paracetamol"),
        ("acetaminophen", "paracetamol"),
        ("my albuterol", "salbutamol"),
        ("vyvance again", "lisdexamfetamine"),
        ("took two addies", "amfetamine / dexamfetamine"),
        ("klonipin", "clonazepam"),
        ("zanax", "alprazolam"),
        ("seroquil", "quetiapine"),
        ("lexipro", "escitalopram"),
        ("ozempik", "semaglutide"),
        ("Zepbound", "tirzepatide"),
        ("retatrutide", "retatrutide"),
        ("HCQ", "hydroxychloroquine"),
        ("flu shot", "influenza vaccine"),
        ("Shingrix", "zoster vaccine"),
        ("Comirnaty", "tozinameran"),
        ("Nexplanon", "etonogestrel"),
        ("mirena", "levonorgestrel"),
        ("depo-provera", "medroxyprogesterone"),
        ("Percocet", "oxycodone / paracetamol"),
        ("statins", "statin"),
    ],
)
def test_a_form_names_its_ingredient(text, ingredient):
    assert ingredients(text) == [ingredient]


@pytest.mark.parametrize(
    ("text", "mention"),
    [
        ("Prozac's fault", "Prozac"),
        ("Prozac\u2019s fault", "Prozac"),
        ("so many Xanaxes", "Xanaxes"),
        ("two tylenols", "tylenols"),
        ("seroquel25mg", "seroquel"),
        ("(advil)", "advil"),
        ("anti-prozac", "prozac"),
        ("Pro\u200bzac", "Pro\u200bzac"),
        ("\ufb01nasteride", "\ufb01nasteride"),
        ("\uff30\uff52\uff4f\uff5a\uff41\uff43", "\uff30\uff52\uff4f\uff5a\uff41\uff43"),
        ("took plan\u2011b yesterday", "plan\u2011b"),
        ("Depo Provera", "Depo Provera"),
        ("#Lexapro", "Lexapro"),
        ("#ambienwithdrawal", "ambien"),
        ("#prozacnation", "prozac"),
        ("#TeamXanax", "Xanax"),
        ("#yaz", "yaz"),
        ("tylenol 350mg", "tylenol"),
    ],
)
def test_a_mention_is_cut_out_as_it_was_written(text, mention):
    assert [each.mention for each in LEXICON.find(text)] == [mention]


@pytest.mark.parametrize(
    "text",
    ["", "nothing here", "@prozac", "xprozac", "prozacian", "advilla", "#advi", "@user [link] [email] [phone]", "😭"],
)
def test_what_is_only_part_of_a_word_or_a_handle_is_no_mention(text):
    assert LEXICON.find(text) == []


def test_a_class_is_named_only_where_no_drug_is():
    assert ingredients("which antidepressant helps") == ["antidepressant"]
    assert ingredients("an antidepressant, lexapro I think") == ["escitalopram"]


def test_a_script_without_spaces_may_follow_a_brand():
    assert found("Pristiqのせいで眠れない") == [("Pristiq", "desvenlafaxine")]


def test_offsets_count_code_points_of_the_original_text():
    text = "@user 😭😭 İstanbul \u200b#Lexapro and Zoloft\u2019s [link] ﬁne prozac"
    mentions = LEXICON.find(text)
    assert [mention.ingredient for mention in mentions] == ["escitalopram", "sertraline", "fluoxetine"]
    assert all(text[mention.begin : mention.end] == mention.mention for mention in mentions)


@given(
    st.lists(st.sampled_from(["Prozac", "xanaxes", "ﬁnasteride", "İ", "ß", "😭", "\u200b", "yaz", "pill", "#", " "]))
)
def test_mentions_are_in_order_and_never_overlap(pieces):
    text = "".join(pieces)
    mentions = LEXICON.find(text)
    assert all(text[mention.begin : mention.end] == mention.mention for mention in mentions)
    assert all(one.end <= two.begin for one, two in pairwise(mentions))


def test_the_longest_form_wins():
    assert found("took plan b one-step") == [("plan b one-step", "levonorgestrel")]
    assert ingredients("tylenol 3") == ["codeine / paracetamol"]


@pytest.mark.parametrize(
    ("text", "ingredient"),
    [
        ("prednison", "prednisone"),
        ("hydroxyzne", "hydroxyzine"),
        ("escitaloprm", "escitalopram"),
        ("levothyroxne", "levothyroxine"),
        ("adalimumap", "adalimumab"),
        ("atorvastatn", "atorvastatin"),
    ],
)
def test_a_slip_in_a_long_name_is_forgiven(text, ingredient):
    assert text not in DATA.forms
    assert ingredients(text) == [ingredient]


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("escitalopram", "citalopram"),
        ("levothyroxine", "liothyronine"),
        ("hydroxyzine", "hydralazine"),
        ("clonidine", "klonopin"),
        ("prednisone", "prednisolone"),
        ("clomifene", "clomipramine"),
        ("sumatriptan", "zolmitriptan"),
        ("cefuroxime", "cefotaxime"),
    ],
)
def test_neighbouring_names_stay_apart(name, other):
    assert set(ingredients(name)).isdisjoint(ingredients(other))
    assert len(ingredients(name)) == 1


def test_a_slip_that_could_be_either_of_two_drugs_is_neither():
    assert LEXICON.find("prednisolne") == []


@pytest.mark.parametrize(
    "word", ["clarity", "concert", "singular", "seasonal", "northern", "augmenting", "reactive", "moderate", "estrogen"]
)
def test_an_ordinary_word_is_no_misspelling(word):
    assert LEXICON.find(f"such a {word} thing") == []


def test_a_short_name_is_never_guessed():
    assert LEXICON.find("prozxc") == []


@pytest.mark.parametrize(
    ("text", "n_mentions"),
    [
        ("my cousin Ella came round", 0),
        ("took Ella 30mg last night", 1),
        ("I love yaz", 0),
        ("on yaz since june", 1),
        ("my skin cleared thanks to Yaz honestly", 1),
        ("we need a plan b for dinner", 0),
        ("plan b pill gave me cramps", 1),
        ("pfizer stock is up", 0),
        ("second pfizer shot", 1),
        ("thyroid check tomorrow", 0),
        ("terminal T3 again", 0),
        ("they gave me t3s with prozac", 2),
        ("lithium battery died", 0),
        ("insulin resistance is real", 0),
        ("insulin keeps going up in price", 1),
        ("lithium and a quiet month", 1),
        ("300mg lithium", 1),
        ("#alli", 1),
    ],
)
def test_an_ambiguous_form_needs_something_to_speak_for_it(text, n_mentions):
    assert len(LEXICON.find(text)) == n_mentions


def test_the_lexicon_is_large_enough_and_its_forms_are_plain():
    assert len(DATA.ingredients) >= 450
    assert all(form == form.lower().strip() and ";" not in form and form for form in DATA.forms)


def test_every_ingredient_of_a_combination_is_in_alphabetical_order():
    for ingredient in DATA.ingredients:
        parts = ingredient.split(" / ")
        assert parts == sorted(set(parts))


def test_every_way_to_write_a_form_leads_to_one_ingredient():
    """A space, a hyphen or nothing between the words may not change the drug."""
    glued = {}
    for form, ingredient in DATA.forms.items():
        assert glued.setdefault(form.replace(" ", "").replace("-", ""), ingredient) == ingredient


def test_no_form_is_taken_for_another_ingredient():
    """Each correct name, written plainly with a dose, is found as its own ingredient."""
    wrong = [form for form in sorted(DATA.forms) if ingredients(f"took {form} 10mg") != [DATA.forms[form]]]
    assert wrong == []


def test_no_correct_name_is_an_ordinary_word():
    assert DATA.not_misspellings.isdisjoint(DATA.forms)


def test_the_files_are_sorted_for_review():
    for name, column in (("drugs.csv", "ingredient"), ("ambiguous.csv", "form")):
        text = (files("adverse_events.screening") / "lexicon" / name).read_text("utf-8")
        keys = [row[column] for row in csv.DictReader(text.splitlines())]
        assert keys == sorted(set(keys))


@pytest.mark.parametrize(
    ("drugs", "ambiguous", "message"),
    [
        ("a,x,,same,,\nb,x,,same,,", "", "row 3: 'same' already names a"),
        ("a,x,,,,\na,x,,,,", "", "row 3 repeats a"),
        ("a,x,,Brand,,", "", "row 2: write 'Brand' in lower case"),
        ("a,x,,,,", "a,sometimes,", "row 2: rule 'sometimes'"),
        ("a,x,,,,", "b,strict,", "row 2: 'b' is repeated here, missing"),
        ("a,x,,,,", "a,never,", "row 2: 'a' is repeated here, missing"),
    ],
)
def test_a_broken_lexicon_is_refused_naming_file_and_row(tmp_path, drugs, ambiguous, message):
    (tmp_path / "drugs.csv").write_text(f"ingredient,drug_class,names,brands,short_forms,misspellings\n{drugs}\n")
    (tmp_path / "ambiguous.csv").write_text(f"form,rule,why\n{ambiguous}\n")
    (tmp_path / "not_misspellings.txt").write_text("")
    (tmp_path / "meaning_words.txt").write_text("")
    with pytest.raises(ContractError, match=message):
        read_lexicon(tmp_path)


def test_the_version_follows_the_content(tmp_path):
    (tmp_path / "drugs.csv").write_text("ingredient,drug_class,names,brands,short_forms,misspellings\na,x,,,,\n")
    (tmp_path / "ambiguous.csv").write_text("form,rule,why\n")
    (tmp_path / "not_misspellings.txt").write_text("")
    (tmp_path / "meaning_words.txt").write_text("")
    other = DrugLexicon(read_lexicon(tmp_path))
    assert other.version != LEXICON.version
    assert DrugLexicon(read_lexicon()).version == LEXICON.version
