"""The benchmarks that the paper does not have: their rows, their questions and their traps."""

import json
from pathlib import Path

import pytest
from wide_data import ENDINGS, NEWS, SENTENCES, WORDS, write_lines, write_sets

from core.languages import list_languages
from tasks.benchmarks.gatitos import TAG, read_hub
from tasks.catalogue import BENCHMARKS, PAPERS_TASKS, RETENTION_TASKS, TASKS
from tasks.data import open_data
from tasks.errors import DataMalformed, DataMissing, FileMissing
from tasks.loading import Loaded, load_task
from tasks.protocol import Protocol
from tasks.quality import match_exactly
from tasks.rows import Raw
from tasks.written import read_answer

CASES = {
    "multiblimp": ("eng", "English"),
    "global_piqa": ("eng_latn", "English"),
    "xcopa": ("sw", "Swahili"),
    "afrimmlu": ("swa", "Swahili"),
    "tumlu": ("tatar", "Tatar"),
    "gatitos": ("fo", "Faroese"),
    "ntrex_xx_en": ("swh_Latn", "Swahili"),
    "ntrex_en_xx": ("swh_Latn", "Swahili"),
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sets(tmp_path_factory.mktemp("wide"))


def load(root: Path, name: str, **choices: object) -> Loaded:
    protocol = Protocol(**choices)  # type: ignore[arg-type]
    return load_task(TASKS[name], *CASES[name], open_data(str(root)), protocol)


def test_the_papers_tasks_are_the_papers() -> None:
    assert PAPERS_TASKS == ("sib200", "belebele", "global_mmlu", "flores_xx_en", "flores_en_xx")
    read = {name for name, task in TASKS.items() if task.kind == "reading"}
    assert set(TASKS) == {*PAPERS_TASKS, *CASES, *RETENTION_TASKS, *read}
    assert tuple(TASKS)[-3:] == RETENTION_TASKS


@pytest.mark.parametrize("name", [name for name, one in BENCHMARKS.items() if one.codes])
def test_each_code_is_of_a_language_that_is_known(name: str) -> None:
    known = {language.flores_code for language in list_languages().values()}
    assert BENCHMARKS[name].codes.keys() <= known
    values = list(BENCHMARKS[name].codes.values())
    assert len(set(values)) == len(values)


def test_sentences_are_scored_whole_and_shared_ones_are_a_cluster(root: Path) -> None:
    loaded = load(root, "multiblimp")
    assert (loaded.shots, loaded.task.shots, len(loaded.items)) == ((), 0, len(SENTENCES))
    assert {item.query for item in loaded.items} == {""}
    first, second, third = loaded.items[:3]
    assert first.choices == SENTENCES[0]
    assert (first.answer, first.id, second.id) == (0, "1", "2")
    assert first.cluster == second.cluster != third.cluster
    assert loaded.in_words == "texts of the answers as the end of a plain prompt, no shots"
    # Whatever the protocol of the others is, this has one, and one score.
    variants = [
        load(root, "multiblimp", shots="balanced", prompt="chat-turns", instructions="language"),
        load(root, "multiblimp", answers="labels"),
    ]
    assert {one.protocol for one in variants} == {loaded.protocol}
    assert {one.prompts_sha256 for one in variants} == {loaded.prompts_sha256}
    assert loaded.list_warnings() == [
        f"only {len(SENTENCES)} items are scored: too few to tell two models apart"
    ]


def test_an_ending_follows_its_prompt(root: Path) -> None:
    loaded = load(root, "global_piqa")
    assert [item.query for item in loaded.items] == [prompt for prompt, *_ in ENDINGS]
    assert [item.answer for item in loaded.items] == [label for *_, label in ENDINGS]
    config = loaded.make_lm_eval_tasks()["tasks"][loaded.name].config
    assert (config.num_fewshot, config.target_delimiter) == (0, " ")
    assert [one["metric"] for one in config.metric_list] == ["acc", "acc_bytes"]


def test_a_cause_is_asked_for_in_english_alone(root: Path) -> None:
    loaded = load(root, "xcopa")
    assert loaded.shots[1].query == (
        "Text: Mtoto alilia.\nQuestion: What was the cause?\n"
        "A. Alipata zawadi.\nB. Alianguka.\nAnswer:"
    )
    assert loaded.shots[1].choices[loaded.shots[1].answer] == "B"
    assert load(root, "xcopa", answers="labels").shots[1].choices[1] == "Alianguka."
    with pytest.raises(DataMissing, match="in English only"):
        load(root, "xcopa", instructions="language")


def test_choices_that_are_written_as_a_list(root: Path, tmp_path: Path) -> None:
    loaded = load(root, "afrimmlu", answers="labels")
    assert loaded.shots[0].choices == ("Maji", "Chuma", "Jiwe la 'moto'", "Mbao")
    assert (loaded.shots[2].label, loaded.shots[0].category) == ("C", "all")
    # The published form, and a row whose list is none.
    published = [["all", "Swali?", "['a', 'b', 'c', 'd']", "A"] for _ in range(4)]
    head = ["subject", "question", "choices", "answer"]
    path = tmp_path / "afrimmlu" / "swa" / "test.tsv"
    write_lines(path, ["\t".join(row) for row in [head, *published]])
    assert len(load(tmp_path, "afrimmlu").items) == 1
    for wrong in ("['a', 'b', 'c']", "a, b, c, d", "['a', 'b', 'c', 'd'"):
        write_lines(path, ["\t".join(row) for row in [head, *published, ["all", "S?", wrong, "A"]]])
        with pytest.raises(DataMalformed, match=r"line 6: choices is no list of 4 answers\. Rem"):
            load(tmp_path, "afrimmlu")


def test_exam_questions_that_repeat_are_a_cluster(root: Path) -> None:
    loaded = load(root, "tumlu")
    first, second, third = loaded.shots
    assert first.cluster == second.cluster != third.cluster
    assert (first.id, second.id, first.category, first.label) == ("1", "2", "History", "A")
    assert loaded.items[1].query.endswith("A. a, b\nB. c\nC. d\nD. e\nAnswer:")
    assert load(root, "tumlu", shots="balanced").shots[1].label == "B"


def test_words_have_several_right_answers_and_examples_are_not_scored(
    root: Path, tmp_path: Path
) -> None:
    loaded = load(root, "gatitos")
    assert loaded.left_out == {"answers": 1}, "the rain has no answer"
    entries = {english for english, answer in WORDS if answer.strip()}
    assert len(loaded.items) == len(entries) - 5
    assert {item.id for item in (*loaded.shots, *loaded.items)} == entries
    assert (loaded.shots_shown, loaded.task.kind, loaded.task.metric) == (5, "reading", "exact")
    for item in loaded.items:
        assert item.query.count(TAG) == 5
        assert item.query.endswith(f"\n\nEnglish: {item.id}\n\n")
        assert not any(answer in item.query for answer in item.references)
    # A chat is shown none, and is asked the same.
    chat = load(root, "gatitos", prompt="chat-message")
    assert [item.id for item in chat.items] == [item.id for item in loaded.items]
    assert (chat.shots_shown, chat.items[0].query.count("English: ")) == (0, 1)
    # The order is that of no alphabet, and does not depend on the file's.
    ids = [item.id for item in (*loaded.shots, *loaded.items)]
    assert ids != sorted(ids)
    lines = ["\t".join(row) for row in reversed(WORDS)]
    write_lines(tmp_path / "gatitos" / "en_fo.tsv", lines)
    assert [one.id for one in load(tmp_path, "gatitos").items] == [one.id for one in loaded.items]
    write_lines(tmp_path / "gatitos" / "en_fo.tsv", [*lines, "dog\thundur\tnoun"])
    with pytest.raises(DataMalformed, match="line 12: 3 cells where an entry and an answer are"):
        load(tmp_path, "gatitos")


@pytest.mark.parametrize(
    ("said", "right"),
    [
        ("Translation: Ein rúgva", 1),
        ("Translation: eina ru\u0301gvu.", 1),
        ("Translation: eina r\u00fagvu\nTranslation: hundur", 1),
        ("eina  rúgvu", 1),
        ("Translation: rúgva", 0),
        ("Translation: ein rúgva ella eina rúgvu", 0),
        ("Translation:", 0),
        ("...", 0),
    ],
)
def test_a_word_is_right_where_it_is_one_of_the_right_ones(
    root: Path, said: str, right: int
) -> None:
    loaded = load(root, "gatitos")
    asked = (*loaded.shots, *loaded.items)
    item = next(one for one in asked if one.id == "a lot")
    found = read_answer(loaded.make_document(item), said)
    assert found.scored.quality == right
    written = Raw("f", "line 1", {"src": "a lot", "trgs": ["ein rúgva", "ein rúgva"]})
    (row,) = read_hub(lambda config: [written] if config == "gatitos__en_fo" else [], "fo")
    assert row.cells == {"id": "a lot", "answers": '["ein rúgva"]'}


def test_apostrophes_and_marks_of_scripts() -> None:
    assert match_exactly("Puʼaka!", ["pu'aka", "x"], "gn") == 1
    assert match_exactly("পৰিত্যাগ", ["পৰিত্যক্ত কৰা"], "as") == 0
    assert match_exactly("\u09af\u09bc", ["\u09df"], "as") == 1, "NFC parts what Assamese has"
    assert match_exactly("করা", ["কর"], "as") == 0, "a vowel sign is no punctuation"


def test_news_are_translated_both_ways_and_a_document_is_a_cluster(
    root: Path, tmp_path: Path
) -> None:
    into, out = load(root, "ntrex_en_xx"), load(root, "ntrex_xx_en")
    document, swahili, english = NEWS[3]
    assert (into.items[0].source, into.items[0].target) == (english, swahili)
    assert (out.items[0].source, out.items[0].target) == (swahili, english)
    assert [item.cluster for item in out.items] == [document, "bulletin.2", "bulletin.3"]
    # As published, in the names of its own, and without the documents.
    folder = tmp_path / "NTREX-128"
    write_lines(folder / "newstest2019-ref.swa.txt", [row[1] for row in NEWS])
    write_lines(folder / "newstest2019-src.eng.txt", [row[2] for row in NEWS])
    published = load(tmp_path, "ntrex_xx_en")
    assert published.items[0].cluster == "4"
    assert published.prompts_sha256 != out.prompts_sha256, "a cluster is part of what is known"
    write_lines(folder / "newstest2019-src.eng.txt", [row[2] for row in NEWS[:-1]])
    with pytest.raises(DataMalformed, match=r"has 6 sentences, .* 5; they must be parallel"):
        load(tmp_path, "ntrex_xx_en")
    with pytest.raises(DataMissing, match="nothing to translate"):
        load_task(TASKS["ntrex_xx_en"], "eng_Latn", "English", open_data(str(root)))


@pytest.mark.parametrize("name", CASES)
def test_what_is_not_there_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(FileMissing, match="there is no file"):
        load(tmp_path, name)


@pytest.mark.parametrize(
    ("name", "file", "change", "said"),
    [
        ("multiblimp", "multiblimp/eng.jsonl", {"wrong_sen": None}, None),
        ("multiblimp", "multiblimp/eng.jsonl", {"wrong_sen": ["a"]}, "wrong_sen is .* a list"),
        ("global_piqa", "global_piqa/eng_latn.jsonl", {"label": 2}, "label is '2', allowed are 0"),
        ("xcopa", "xcopa/test.sw.jsonl", {"question": "why"}, "question is 'why', allowed are"),
        ("xcopa", "xcopa/test.sw.jsonl", {"idx": 0}, "repeats idx '0'"),
        ("afrimmlu", "afrimmlu/swa.jsonl", {"answer": "E"}, "answer is 'E', allowed are A, B"),
        ("tumlu", "tumlu/tatar.jsonl", {"answer": "E"}, "answer is 'E', allowed are A, B"),
        ("tumlu", "tumlu/tatar.jsonl", {"choices": ["3", "4"]}, "choices is no list of 4 answers"),
    ],
)
def test_rows_that_make_no_sense_are_named(
    tmp_path: Path, name: str, file: str, change: dict[str, object], said: str | None
) -> None:
    write_sets(tmp_path)
    path = tmp_path / file
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    write_lines(path, [*rows[:-1], rows[-1] | change])
    if said is None:
        assert load(tmp_path, name).left_out == {"wrong_sen": 1}
        return
    with pytest.raises(DataMalformed, match=said):
        load(tmp_path, name)
