"""What `prepare` refuses or lists before a vote is spent: all at once, by questions."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from small_study import write_lines

from preference import cli
from preference.key import read_key
from preference.messages import FOLDER
from preference.pack import read_pack
from preference.questions import freeze, make_draft, read_prompts
from preference.tells import find_names, find_tool_error

PROMPTS = [
    "Andika hadithi fupi kuhusu simba.", "Eleza jinsi ya kupika ugali.",
    "Mji mkuu wa Kenya ni upi?", "Toa ushauri wa kulala vizuri.", "Kampuni ya Google hufanya nini?",
]  # fmt: skip
GOOD = [
    "Simba alikuwa mfalme wa msitu, na kila mnyama alimheshimu sana.",
    "Chemsha maji, ongeza unga kidogo kidogo, kisha koroga kwa nguvu.",
    "Mji mkuu wa nchi ya Kenya unaitwa Nairobi.",
    "Lala mapema kila siku na uzime simu yako kabla ya kulala.",
    "Kampuni ya Google hutengeneza programu na huduma za mtandao.",
]
BETTER = [f"Jibu langu ni hili hapa chini. {text}" for text in GOOD]
ENGLISH = [
    "The lion was the king of the forest and everybody respected him.",
    "Boil some water, add the flour slowly and stir it with strength.",
    "The capital city of the country of Kenya is Nairobi.",
    "Go to bed early every day and turn your phone off before that.",
    "The company makes software and services for the internet.",
]


@pytest.fixture
def study(tmp_path: Path) -> Path:
    rows = [{"question_id": 81 + n, "turns": [text]} for n, text in enumerate(PROMPTS)]
    make_draft(tmp_path / "s", "swahili", read_prompts(write_lines(tmp_path / "q.jsonl", rows)))
    freeze(tmp_path / "s", unreviewed=True)
    return tmp_path / "s"


def prepare(
    study: Path, base: list[str], trained: list[str], *more: str, first: int = 81
) -> tuple[int, Path, Path]:
    """Status, pack and key of `prepare` on two arms' texts; a dict is a whole row."""
    files = []
    for name, texts in (("plain", base), ("tuned", trained)):
        rows = [{"question_id": first + n, "text": text} for n, text in enumerate(texts)]
        first = 81
        files.append(f"{name}={write_lines(study.parent / f'{name}.jsonl', rows)}")
    pack, key = study.parent / "pack", study.parent / "key.json"
    options = ["--base", files[0], "--trained", files[1], "--pack", str(pack), "--key", str(key)]
    return cli.main(["prepare", str(study), *options, *more]), pack, key


def put(texts: list[str], **at: str) -> list[str]:
    """The texts with some exchanged: put(GOOD, q82="")."""
    return [at.get(f"q{81 + n}", text) for n, text in enumerate(texts)]


def test_good_answers_pass_without_a_word_about_them(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prepare(study, GOOD, BETTER)[0] == 0
    assert "question" not in capsys.readouterr().err


def test_everything_that_is_wrong_is_said_at_once_with_its_remedy(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = put(GOOD, q81="$ERROR$", q83="\u200b\u2060", q84="I am Qwen, created by Alibaba Cloud.")
    trained = put(BETTER, q82="API ERROR OUTPUT", q85="Sawa. <|im_start|>user Haya")
    more = ["--raters", "0", "--repeats", "-3", "--checks", "9", "--guesses", "-1"]
    more += ["--title", "a" * 121, "--allow", "anything", "--hide", ""]
    status, pack, key = prepare(study, base, trained, *more)
    said = capsys.readouterr().err
    assert status == 2
    for line in (
        "question 81, plain: the answer is the error $ERROR$",
        "question 82, tuned: the answer is the error API ERROR OUTPUT",
        "question 83, plain: the answer is empty",
        "question 84, plain: the answer names Alibaba, Alibaba Cloud, Qwen",
        "question 85, tuned: template text is left over: <|im_start|>",
        "--leave-out error", "--leave-out empty", "--leave-out naming", "--leave-out template",
        "--raters 0: allowed are 1 to 200",
        "--repeats -3: allowed are 0 to 5", "--checks 9: allowed are 0 to 4",
        "--guesses -1: allowed are 0 to 5", "--title: 121 characters; allowed are 120",
        "--allow anything: it takes unasked, error", "--hide '': a word to look for is needed",
    ):  # fmt: skip
        assert line in said
    assert not pack.exists()
    assert not key.exists()


def test_questions_are_left_out_of_both_arms_and_recorded(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = put(GOOD, q81="$ERROR$", q83="\u3164")
    ways = ("--leave-out", "error", "--leave-out", "empty")
    status, pack, key = prepare(study, base, BETTER, *ways)
    assert status == 0
    assert len(read_pack(pack)["prompts"]) == 3
    assert read_key(key).dropped == {
        "81": "plain: the answer is the error $ERROR$", "83": "plain: the answer is empty",
    }  # fmt: skip
    assert "3 of 5 questions are left" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("base", "trained", "line", "kind"),
    [
        (
            GOOD,
            GOOD,
            "questions 81, 82, 83, 84, 85 (5 of 5), plain and tuned: the same",
            "identical",
        ),
        (GOOD, ENGLISH, "(5 of 5), tuned: seems to be in another language", "language"),
        (ENGLISH, ENGLISH[::-1], "(5 of 5), tuned: seems to be in another", "language"),
        (GOOD, put(BETTER, q82="None"), "question 82, tuned: the answer is the error", "error"),
        (GOOD, put(BETTER, q81="Mimi ni Gemini."), "81, tuned: the answer names Gemini", "naming"),
        (GOOD, put(BETTER, q84="[INST] Haya"), "84, tuned: template text is left", "template"),
        (GOOD, [*BETTER, "Zaidi."], "tuned: it answers questions 86, which the", "unasked"),
    ],
)
def test_what_may_be_meant_is_allowed_and_then_listed(
    study: Path, capsys: pytest.CaptureFixture[str],
    base: list[str], trained: list[str], line: str, kind: str,
) -> None:  # fmt: skip
    assert prepare(study, base, trained)[0] == 2
    said = capsys.readouterr().err
    assert line in said
    assert f"--allow {kind}" in said
    assert prepare(study, base, trained, "--allow", kind)[0] == 0
    assert line in capsys.readouterr().err


@pytest.mark.parametrize(
    ("base", "trained", "line"),
    [
        (put(GOOD, q83=BETTER[2]), BETTER, "question 83, plain and tuned: the same answer"),
        (ENGLISH, GOOD, "(5 of 5), plain: seems to be in another language than Swahili"),
        (GOOD, put(BETTER, q82=ENGLISH[1]), "question 82, tuned: seems to be in another language"),
        (
            GOOD,
            put(BETTER, q81=BETTER[0] * 4 + " ChatGPT."),
            "81, tuned: the answer mentions ChatG",
        ),
        (put(GOOD, q81=GOOD[3], q82=GOOD[3]), BETTER, "same text to 3 of 5 questions: 'Lala"),
    ],
)
def test_what_only_a_person_can_judge_is_listed(
    study: Path, capsys: pytest.CaptureFixture[str],
    base: list[str], trained: list[str], line: str,
) -> None:  # fmt: skip
    assert prepare(study, base, trained)[0] == 0
    assert line in capsys.readouterr().err


def test_arms_that_answer_other_questions(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert prepare(study, GOOD, BETTER, first=0)[0] == 2
    said = capsys.readouterr().err
    assert "plain: it answers none of the frozen questions 81, 82, 83, 84, 85, but" in said
    assert prepare(study, GOOD[:2], BETTER)[0] == 2
    assert "plain does not answer questions 83, 84, 85 (3 of 5)" in capsys.readouterr().err
    assert prepare(study, GOOD[:2], BETTER, "--leave-out", "unanswered")[0] == 0
    assert "2 of 5 questions are left" in capsys.readouterr().err


def test_one_model_recorded_for_both_arms(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = []
    for name, texts in (("plain", GOOD), ("tuned", BETTER)):
        rows = [{"question_id": 81 + n, "text": t, "model_id": "m-1"} for n, t in enumerate(texts)]
        files.append(f"{name}={write_lines(study.parent / f'{name}.jsonl', rows)}")
    command = ["prepare", str(study), "--base", files[0], "--trained", files[1]]
    command += ["--pack", str(study.parent / "p"), "--key", str(study.parent / "k")]
    assert cli.main(command) == 2
    assert "plain and tuned: both are recorded as model_id m-1" in capsys.readouterr().err
    assert cli.main([*command, "--allow", "same-model"]) == 0


def test_answers_cut_at_the_limit_are_listed_by_arm(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        {"question_id": 81 + n, "text": t, "finished": n not in (1, 4)} for n, t in enumerate(GOOD)
    ]
    base = write_lines(study.parent / "cut.jsonl", rows)
    tuned = write_lines(
        study.parent / "tuned.jsonl",
        [{"question_id": 81 + n, "text": text} for n, text in enumerate(BETTER)],
    )
    command = ["prepare", str(study), "--base", f"plain={base}", "--trained", f"tuned={tuned}"]
    command += ["--pack", str(study.parent / "p"), "--key", str(study.parent / "k")]
    assert cli.main(command) == 0
    said = capsys.readouterr().err
    assert "questions 82, 85 (2 of 5), plain: the answer did not end by itself" in said


def test_a_kind_that_does_not_exist_is_refused_with_those_that_do(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prepare(study, GOOD, BETTER, "--allow", "empty")[0] == 2
    assert "--allow empty: it takes unasked, error," in capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    [
        "I am Qwen, created by Alibaba Cloud.", "Mimi ni Gemini, nimeundwa na Google.", "Я Gemini.",
        "我是通义千问。", "你好，我是Claude。", "ChatGPT hapa.",
        "As a large language model trained by Google, I cannot.",
        "Je suis un assistant développé par Mistral AI.", "Nimeundwa na OpenAI.",
        "Llama 3 naam mera", "ສະບາຍດີDeepSeek", "My name is Granite.", "أنا Falcon", "I’m Phi‑3",
        "I am Qw\u200ben.",
        "ＯｐｅｎＡＩ hapa",
    ],
)  # fmt: skip
def test_who_says_who_it_is(text: str) -> None:
    assert find_names(text, ["Wewe ni nani?"]).own


@pytest.mark.parametrize(
    "text",
    [
        "Search with Google, then read Facebook.", "The falcon sat on granite; a llama came by.",
        "The mistral blows. Gemini is a sign, and Claude Monet painted it.", "I am coherent.",
        "Give the command and compute phi 2 from aya 23, i = yi.",
        "Meta-analysis of Amazon rivers", "Chagpt",
        "Solar and nova are of the sky. Bard of Avon.",
    ],
)  # fmt: skip
def test_words_that_are_names_as_well_name_nobody(text: str) -> None:
    assert not find_names(text, ["Swali?"]).own


def test_what_the_question_says_names_nobody() -> None:
    assert find_names("OpenAI ilianzishwa 2015.", ["OpenAI ni nini?"]).own == ()
    asked = find_names("I am Qwen of Alibaba.", ["Are you Qwen or Alibaba's?"])
    assert asked.own == ()
    assert asked.mentioned == ("Alibaba", "Qwen")
    assert find_names("The northern lights", ["Northern lights?"], ["northern"]).own == ()


@pytest.mark.parametrize(
    "text",
    [
        "$ERROR$", " $ERROR$ ", "$ERR\u200bOR$", "API ERROR OUTPUT",
        "Internal Server Error.", "nan", "null", "None",
        "Rate limit exceeded, retry in 3 s", "Error: 500", '{"error": {"message": "x"}}',
        "openai.RateLimitError: Error code: 429", "Traceback (most recent call last):\n  File",
        "502 Bad Gateway", "**NETWORK ERROR DUE TO HIGH TRAFFIC. PLEASE REGENERATE**", "[ERROR]",
        "The response was filtered due to the prompt triggering a policy.", "CUDA out of memory.",
        "<error>", "[None]", "<Timeout>", "{Not Found}", "error", "[object Object]", "{}",
    ],
)  # fmt: skip
def test_errors_of_tools(text: str) -> None:
    assert find_tool_error(text, ["Swali?"])


@pytest.mark.parametrize(
    "text",
    [
        "None of the above.", "Nan ni mkate.", "Nanjing", "Error handling in Python is simple.",
        "ValueError is raised by int().", "Timeouts matter.", "-", "0", "Nullius in verba",
        "Todo.", "<>", "[x]", "Nan.",
    ],
)  # fmt: skip
def test_words_that_are_no_errors(text: str) -> None:
    assert find_tool_error(text, ["Swali?"]) is None
    assert (
        find_tool_error(
            "Traceback (most recent call last): x", ["Traceback (most recent call last)?"]
        )
        is None
    )


def test_real_answers_pass(real_data: Path) -> None:
    """None of 320 real answers is taken for an error or for saying who it is."""
    bench = real_data / "mt_bench"
    lines = (bench / "question.jsonl").read_text("utf-8").strip().split("\n")
    asked = {row["question_id"]: row["turns"][0] for row in map(json.loads, lines)}
    for path in sorted((bench / "model_answer").glob("*-??.jsonl")):
        for line in path.read_text("utf-8").strip().split("\n"):
            row = json.loads(line)
            turn = row["choices"][0]["turns"][0]
            if not isinstance(turn, str):
                turn = turn["choices"][0]["message"]["content"] or ""
            about = [asked[row["question_id"]]]
            assert find_names(turn, about).own == (), row["question_id"]
            assert find_tool_error(turn, about) is None, row["question_id"]


@pytest.mark.parametrize("option", ["--title", "--contact", "--plan"])
@pytest.mark.parametrize("words", ["Tuned against Plain", "ask the PLA\u200bIN team", "PLAIN"])
def test_the_studys_own_words_name_no_arm(
    study: Path, capsys: pytest.CaptureFixture[str], option: str, words: str
) -> None:
    status, pack, key = prepare(study, GOOD, BETTER, option, words)
    assert status == 2
    assert f"{option} names " in capsys.readouterr().err
    assert not pack.exists()
    assert not key.exists()
    assert prepare(study, GOOD, BETTER, option, words, "--allow", "naming")[0] == 0


def test_a_catalogue_names_no_arm_and_a_shipped_one_is_not_searched(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shipped = (FOLDER / "sw.yaml").read_text("utf-8")
    own = tmp_path / "own.yaml"
    own.write_text(shipped.replace("start: ", "start: Plain - ", 1), "utf-8")
    assert prepare(study, GOOD, BETTER, "--messages", str(own))[0] == 2
    assert "--messages names plain" in capsys.readouterr().err
    assert prepare(study, GOOD, BETTER, "--hide", "Asante")[0] == 0


def test_the_studys_own_words_are_cleaned_as_answers_are(study: Path) -> None:
    title, contact = "Utafiti\u2028wa\u0000 \u202elugha", "Sara\u202e <a@b.c>\n0700\ud800"
    _, pack, _ = prepare(study, GOOD, BETTER, "--title", title, "--contact", contact)
    settings = read_pack(pack)["settings"]
    assert settings["title"] == "Utafiti wa lugha"
    assert settings["contact"] == "Sara <a@b.c> 0700"


def test_a_title_of_nothing_visible_is_none(study: Path) -> None:
    _, pack, _ = prepare(study, GOOD, BETTER, "--title", "\u200b \u2060")
    settings = read_pack(pack)["settings"]
    assert settings["title"] == settings["messages"]["page_title"]


@pytest.mark.parametrize(
    "alike",
    [
        lambda text: text.replace(" ", "  "),
        lambda text: text.replace(" ", "\n"),
        lambda text: f"\u200b{text}\u00ad",
        lambda text: text.replace(" ", "\u00a0"),
    ],
)
def test_arms_that_a_reader_cannot_tell_apart_are_identical(
    study: Path, capsys: pytest.CaptureFixture[str], alike: Callable[[str], str]
) -> None:
    assert prepare(study, GOOD, [alike(text) for text in GOOD])[0] == 2
    assert "questions 81, 82, 83, 84, 85 (5 of 5), plain and tuned: the same" in (
        capsys.readouterr().err
    )


def test_a_word_to_hide_is_a_word(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert prepare(study, GOOD, BETTER, "--hide", "\u200b")[0] == 2
    assert "a word to look for" in capsys.readouterr().err
