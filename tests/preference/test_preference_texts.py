"""Texts: what the normaliser takes out, how answers are shown, what a translation may have lost."""

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.languages import list_languages
from core.text import has_visible_text
from preference.answers import read_answers
from preference.errors import (
    AnswersError,
    MessagesError,
    PreferenceError,
    QuestionsError,
)
from preference.languages import (
    FONTS,
    find_direction,
    find_font_file,
    find_study_language,
    read_common_stacks,
)
from preference.messages import FOLDER, fill, fill_html, read_catalogue, read_english
from preference.normalise import clean_text, find_template_traces, normalise
from preference.output import to_csv
from preference.questions import (
    Correction,
    add_correction,
    freeze,
    make_draft,
    read_prompts,
)
from preference.rendering import render_answer
from preference.tells import find_self_names, list_names
from preference.translation import mark_difference, warn_of_translation
from preference.web import clean


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("<think>so\nso</think>\n\nJibu.", "Jibu."),
        ("thoughts that the template opened</think>Jibu.", "Jibu."),
        (
            "<|channel|>analysis<|message|>x<|end|><|start|>assistant<|channel|>final<|message|>Jibu.<|return|>",
            "Jibu.",
        ),
        ("Jibu.<|im_end|>\n", "Jibu."),
        ("Jibu.</s>", "Jibu."),
        ("<think>never ends", ""),
        ("[THINK]so[/THINK]Jibu.", "Jibu."),
        ("analysisWe answer.assistantfinalJibu.", "Jibu."),
        ("Andika `</think>` mwishoni.", "Andika `</think>` mwishoni."),
        ("a  \r\nb\r\n\n\n\n\nc", "a\nb\n\nc"),
        ("e\u0301 \u202eevil\u202c \u200fnot lost\u200c", "é evil \u200fnot lost\u200c"),
        ("    indented code\n", "    indented code"),
        ("a\x00\x1b[31mb", "a[31mb"),
    ],
)
def test_the_normaliser(raw: str, shown: str) -> None:
    assert normalise(raw).text == shown


@pytest.mark.parametrize(
    "text",
    [
        "", " \t\n", "\u200b", "\u2060\ufeff", "\u00ad\u061c", "\u3164", "\u2800 \uffa0",
        "\u0301\u0302", "\u202e\u2066", "\u00a0\u3000", "\u180e\ufe0f",
        "<think>\u200b", "\u200b<|im_end|>",
    ],
)  # fmt: skip
def test_a_text_without_anything_to_see_is_empty(text: str) -> None:
    assert normalise(text).text == ""


def test_text_of_every_script_can_be_seen() -> None:
    for text in ("a", "ሰ", "ཀ", "א", "字", "७", "?", "🙂", "\u200bх\u0301"):
        assert has_visible_text(text)
        assert normalise(text).text


def test_lines_end_in_one_way_whatever_a_model_writes() -> None:
    assert clean_text("a\r\nb\u2028c\u2029d\x85e\x0bf\x0cg") == "a\nb\nc\nd\ne\nf\ng"


def test_marks_are_bound_and_what_is_written_in_any_script_stays() -> None:
    tower = "Z" + "\u0300\u0301\u0302\u0303\u0304\u0316\u0317\u0318\u0319\u0334\u20dd" * 40
    assert len(unicodedata.normalize("NFD", clean_text(tower))) <= 11
    assert clean_text("ก" + "\u0e47" * 30) == "ก\u0e47\u0e47"
    written = [
        "བསྒྲུབས་པའི་ ཧྐྵྨླྺྼྻྂ", "ကျွန်ုပ်တို့၏ မြန်မာဘာသာ", "ខ្ញុំស្រឡាញ់ភាសាខ្មែរ", "בְּרֵאשִׁ֖ית בָּרָ֣א",
        "ที่นี่ น้ำ", "ạ̀̄ ọ́", "بِسْمِ ٱللَّهِ ٱلرَّحْمَٰنِ", "ꦏꦿꦾꦁ", "می\u200cخواهم क्\u200dष",
        *read_common_stacks(),
    ]  # fmt: skip
    for text in written:
        assert clean_text(text) == unicodedata.normalize("NFC", text)


def test_no_sentence_of_real_text_is_changed(real_data: Path) -> None:
    for path in sorted((real_data / "flores" / "dev").glob("*.txt")):
        for text in path.read_text("utf-8").split("\n"):
            assert clean_text(text) == unicodedata.normalize("NFC", text).rstrip(), path.name


@given(st.text())
def test_the_normaliser_is_idempotent_on_any_text(raw: str) -> None:
    once = normalise(raw).text
    again = normalise(once)
    assert again.text == once
    assert unicodedata.is_normalized("NFC", once)


def test_thinking_is_kept_apart_and_a_cut_is_told() -> None:
    assert normalise("<think>why</think>Because.").thinking == "why"
    assert normalise("<think>why").cut_in_thinking
    assert not normalise("Because.").cut_in_thinking
    assert find_template_traces("a <|start_header_id|> b [INST] <think>") == [
        "<think>",
        "<|start_header_id|>",
        "[INST]",
    ]
    assert find_template_traces("Use `<think>` and `<|im_end|>`.") == []
    assert find_template_traces(normalise("finalHabari!").text) == [
        "mark of reasoning in the answer"
    ]


def test_names_are_found_whatever_their_form() -> None:
    names = list_names("openai/gpt-oss-120b")
    assert names == ["gpt-oss", "gpt-oss-120b", "openai", "openai/gpt-oss-120b"]
    assert find_self_names("Olen GPT OSS, OpenAI:n kouluttama", names) == ["gpt-oss", "openai"]
    assert find_self_names("Egypt's Ossian", names) == []
    assert find_self_names("He has his reasons", list_names("reas")) == []
    assert list_names("base") == []


def show(text: str, direction: str = "ltr") -> str:
    return str(render_answer(text, direction=direction, code_label="Code", table_label="Table"))


@given(st.text(alphabet=st.sampled_from("<>\"'&`|#*-_[]()!a \n:/ا1."), max_size=80))
def test_no_text_makes_an_element_of_its_own(text: str) -> None:
    import re

    tags = {tag.lower() for tag in re.findall(r"</?([a-zA-Z0-9]+)", show(text))}
    safe = {"p", "em", "strong", "code", "pre", "ul", "ol", "li", "blockquote", "hr", "br", "div"}
    assert tags <= safe | {"table", "thead", "tbody", "tr", "th", "td"}
    assert "href" not in show(text)


def test_each_block_has_the_direction_of_most_of_its_letters() -> None:
    html = show("MT-Bench هو اختبار للنماذج\n\nEnglish only\n\n```\nکود\n```", "rtl")
    assert '<p dir="rtl">MT-Bench' in html
    assert '<p dir="ltr">English' in html
    assert '<pre dir="ltr"' in html
    assert find_direction("123", "rtl") == "rtl"


def test_a_models_br_breaks_the_line_and_is_no_html() -> None:
    html = str(
        render_answer(
            "| a |\n|---|\n| one<br>two<BR/>three `<br>` <br onload=x> |",
            direction="ltr", code_label="c", table_label="t",
        )
    )  # fmt: skip
    assert "one<br />\ntwo<br />\nthree <code>&lt;br&gt;</code> &lt;br onload=x&gt;" in html


def test_headings_do_not_enter_the_outline() -> None:
    assert "<h1" not in show("# Big\n\nSmall\n===")


def test_what_a_translation_may_have_lost() -> None:
    source = "Compute 3.5 + 12 in `f(x)` for {name}, see https://e.org, within 20 days."
    found = warn_of_translation(source, "ሒሳብ ፫ እና 12 ለ {ስም} በ f(x)")
    text = "\n".join(found)
    for lost in (
        "number of the English is missing: 35",
        "missing: 20",
        "`f(x)`",
        "{name}",
        "https://e.org",
    ):
        assert lost in text
    assert warn_of_translation("Add 1,000 and 2.", "اجمع ١٠٠٠ و٢.") == []
    assert warn_of_translation("Hi.", "") == ["The translation is empty."]
    assert warn_of_translation("Same text here.", "Same text here.") == [
        "The translation is the English text."
    ]


def test_differences_are_shown_word_by_word_and_escaped() -> None:
    html = str(mark_difference("the old <b> word", "the new <b> word"))
    assert html == "the <del>old</del><ins>new</ins> &lt;b&gt; word"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda p: p.stem)
def test_every_catalogue_is_whole(path: Path) -> None:
    catalogue = read_catalogue(path, check=path.stem != "en")
    assert catalogue.draft == (path.stem != "en"), "only a native speaker may take the mark off"
    assert path.stem == catalogue.tag


def test_a_catalogue_that_lost_a_placeholder_is_refused(tmp_path: Path) -> None:
    text = (FOLDER / "gl.yaml").read_text("utf-8").replace("{done} de {total}", "{done} de moitas")
    (tmp_path / "gl.yaml").write_text(text.replace("  undo:", "  undoo:"), "utf-8")
    with pytest.raises(MessagesError) as raised:
        read_catalogue(tmp_path / "gl.yaml")
    assert "undo is missing" in str(raised.value)
    assert "progress has ['done'], English has ['done', 'total']" in str(raised.value)
    assert fill(read_english().messages["progress"], done=1, total=2) == "1 of 2 done"


def test_every_language_of_the_registry_has_a_tag_and_a_font_that_exists() -> None:
    fonts = set()
    with pytest.raises(PreferenceError, match=r"needs its name.*Remedy: copy"):
        find_study_language("other")
    for name in list_languages():
        language = find_study_language(name)
        assert 2 <= len(language.tag.partition("-")[0]) <= 3
        if language.font:
            fonts.add(language.font)
            assert (FONTS / f"{language.font}.woff2").is_file()
    assert fonts | {"tibetan-common"} == {path.stem for path in FONTS.glob("*.woff2")}
    assert "SIL Open Font License" in (FONTS / "OFL.txt").read_text("utf-8")


def test_the_small_tibetan_font_is_taken_where_it_holds_every_stack() -> None:
    import io

    from fontTools.ttLib import TTFont

    small = find_font_file("tibetan", ["བཀྲ་ཤིས་བདེ་ལེགས། སྐྱེ་བ་ཡིན།", "Latin {}"])
    whole = find_font_file("tibetan", ["བཀྲ་ཤིས་ ཀླྀ"])
    assert len(small) < 52_000 < 140_000 < len(whole)
    letters = {ord(letter) for stack in read_common_stacks() for letter in stack}
    assert letters <= set(TTFont(io.BytesIO(small)).getBestCmap())
    assert len(read_common_stacks()) > 1000


def test_fonts_cover_the_letters_of_real_text(real_data: Path) -> None:
    from fontTools.ttLib import TTFont

    for code, name in (
        ("amh_Ethi", "amharic"),
        ("ckb_Arab", "central_kurdish"),
        ("lao_Laoo", "lao"),
        ("uig_Arab", "uyghur"),
    ):
        font = find_study_language(name).font
        covered = set(TTFont(FONTS / f"{font}.woff2").getBestCmap())
        text = (real_data / "flores" / "devtest" / f"{code}.txt").read_text("utf-8")
        # Letters and marks of the script; Latin ones and common signs every phone has.
        wanted = {ord(c) for c in text if ord(c) > 0x590 and unicodedata.category(c)[0] in "LMN"}
        assert wanted - covered == set(), name


def test_spreadsheets_get_no_formulas() -> None:
    assert to_csv(["a"], [["=1+1"], ["-x"], [-1.5], [None]]) == "a\n'=1+1\n'-x\n-1.5\n\"\"\n"


def test_mt_bench_and_its_answers_are_read(real_data: Path) -> None:
    bench = real_data / "mt_bench"
    prompts = read_prompts(bench / "question.jsonl")
    assert len(prompts) == 80
    assert {category for category, _ in prompts.values()} >= {"writing", "coding", "math"}
    assert (
        read_prompts(bench / "translations" / "question_ga.gemini-mt.jsonl").keys()
        == prompts.keys()
    )
    plain = read_answers(bench / "model_answer" / "gpt-oss-120b-fi.jsonl", "a")
    whole = read_answers(bench / "model_answer" / "gpt-oss-120b-reasoning-fi.jsonl", "b")
    assert plain.answers.keys() == whole.answers.keys() == prompts.keys()
    assert not any(answer.text for answer in whole.answers.values() if answer.question == "133")
    assert {answer.finished for answer in whole.answers.values()} >= {True}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 1: not JSON"),
        ('{"question_id": 1}', "KeyError: 'choices'"),
        ('{"question_id": 1, "text": 5}', "the text is int, not a string"),
        (
            '{"question_id": 1, "text": "a"}\n{"question_id": 1, "text": "b"}',
            "line 2: question 1 is answered twice",
        ),
        ("", "holds no answers"),
    ],
)
def test_bad_answer_files_say_where(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(line, "utf-8")
    with pytest.raises(AnswersError) as raised:
        read_answers(path, "a")
    assert message in str(raised.value)


def test_other_separators_stay_in_answers_and_questions(tmp_path: Path) -> None:
    """JSON may hold U+2028, U+2029 and U+0085 bare, and our own answers files do."""
    said = "one\u2028two\u2029three\u0085four"
    (tmp_path / "a").write_text(f'{{"question_id": 1, "text": "{said}"}}\n', "utf-8")
    (tmp_path / "q").write_text(f'{{"id": 1, "prompt": "{said}"}}\n', "utf-8")
    assert read_answers(tmp_path / "a", "a").answers["1"].text == said
    assert read_prompts(tmp_path / "q") == {"1": ("all", said)}


def test_questions_and_translations_must_be_the_same(tmp_path: Path) -> None:
    (tmp_path / "q").write_text('{"id": 1, "prompt": "a"}\n{"id": 2, "prompt": "b"}', "utf-8")
    (tmp_path / "t").write_text('{"id": 1, "prompt": "c"}\n{"id": 3, "prompt": "d"}', "utf-8")
    texts = {key: text for key, (_, text) in read_prompts(tmp_path / "t").items()}
    with pytest.raises(QuestionsError, match=r"translation \['2'\], without a question \['3'\]"):
        make_draft(tmp_path / "s", "swahili", read_prompts(tmp_path / "q"), texts)
    (tmp_path / "bad").write_text('{"id": 1, "prompt": ""}', "utf-8")
    with pytest.raises(QuestionsError, match="line 1: its prompt is empty"):
        read_prompts(tmp_path / "bad")


def test_questions_translations_and_corrections_are_cleaned_as_answers_are(tmp_path: Path) -> None:
    dirty, shown = "a\u202eb\u2066\u2028e\u0301 ", "ab\né"
    path = tmp_path / "q"
    path.write_text(
        json.dumps({"id": 1, "prompt": dirty}) + "\n" + '{"id": 2, "prompt": "x"}', "utf-8"
    )
    originals = read_prompts(path)
    assert normalise(dirty).text == shown
    draft = make_draft(tmp_path / "s", "swahili", originals, {"1": dirty, "2": "\u200b"})
    assert [(q.source, q.prompt) for q in draft.questions] == [(shown, shown), ("x", "")]
    with pytest.raises(QuestionsError, match="no text that can be seen"):
        add_correction(tmp_path / "s", "2", Correction("\u3164", "speaker"))
    add_correction(tmp_path / "s", "2", Correction(f"\u202d{dirty}", "speaker"))
    assert [q.prompt for q in freeze(tmp_path / "s", unreviewed=True).questions] == [shown, shown]


def test_a_correction_cut_off_by_a_crash_loses_only_itself(tmp_path: Path) -> None:
    (tmp_path / "q").write_text('{"id": 1, "prompt": "a"}\n{"id": 2, "prompt": "b"}', "utf-8")
    study = tmp_path / "s"
    originals = read_prompts(tmp_path / "q")
    make_draft(study, "swahili", originals)
    add_correction(study, "1", Correction("A", "speaker"))
    with (study / "corrections.jsonl").open("a", encoding="utf-8") as out:
        out.write('{"question": "2", "prom')
    add_correction(study, "2", Correction("B", "speaker", "approver"))
    make_draft(study, "swahili", originals)
    with pytest.raises(QuestionsError, match="corrections of other questions"):
        make_draft(study, "swahili", originals | {"2": ("all", "c")})
    with pytest.raises(QuestionsError, match="lack a second speaker's approval: 1"):
        freeze(study, approval=True)
    assert [q.prompt for q in freeze(study).questions] == ["A", "B"]
    assert json.loads((study / "questions.frozen.json").read_text("utf-8"))["review"] == {
        "approved": 1,
        "confirmed": 2,
        "open": 0,
    }
    with pytest.raises(QuestionsError, match="frozen; nothing can be corrected"):
        add_correction(study, "1", Correction("C", "speaker"))


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("\u202eevil\u2066 \u200fنعم", "evil \u200fنعم"),
        ("one\u2028two\x85three\r\nfour", "one\ntwo\nthree\nfour"),
        ("nul\x00bell\x07 \ud83d", "nulbell"),
        ("\u200b\u2060", ""),
        ("e" + "\u0301" * 90, "\u00e9\u0301"),
        ("  <b>x</b>\t| 😀 ", "<b>x</b>\t| 😀"),
        ("x" * 40, "x" * 20),
        ("x" * 19 + " yz", "x" * 19),
    ],
)
def test_what_a_person_typed_is_cleaned_as_answers_are(typed: str, kept: str) -> None:
    assert clean(typed, 20) == kept
    assert clean(kept, 20) == kept


def test_a_value_keeps_its_own_direction_and_is_no_html() -> None:
    filled = fill_html("أسئلة: {contact}، {count}", contact="Sara <a@b.c>", count=3)
    assert filled == "أسئلة: <bdi>Sara &lt;a@b.c&gt;</bdi>، 3"
