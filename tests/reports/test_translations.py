"""Scores of translations beside chrF++: equal to sacrebleu's, and refused where they mislead."""

import json
import random
import shutil
import stat
import sys
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import sacrebleu.tokenizers.tokenizer_spm as theirs
import sentencepiece
from rich.console import Console
from sacrebleu.metrics import BLEU
from store_maker import key_of

from core.languages import list_languages, list_papers_languages
from reports.cli import main
from reports.errors import CometError, PiecesModelError
from reports.outputs.csv_files import write_csv
from reports.outputs.terminal import print_report
from reports.report import Report
from reports.stats.bleu import COUNTS, compare_bleu, compute_bleu
from reports.stats.sentences import compare_sentences
from reports.store.read import read_store
from reports.tables.translations import NO_MODEL
from reports.translated.comet import Comet
from reports.translated.encoder import list_seen, refuse_unseen
from reports.translated.pieces import open_pieces_model

WORDS = ("mto", "maji", "nyumba", "kitabu", "mwalimu", "mtoto", "shule", "habari", "rafiki", "jua")


def write_sentences(n: int, seed: int) -> list[str]:
    draw = random.Random(seed)
    return [" ".join(draw.choices(WORDS, k=draw.randint(0, 9))) for _ in range(n)]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small SentencePiece model of our own words, in the place of FLORES-200's."""
    folder = tmp_path_factory.mktemp("pieces")
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(write_sentences(400, 0)),
        model_prefix=str(folder / "own"),
        vocab_size=30,
        minloglevel=2,
    )
    return folder / "own.model"


@pytest.fixture
def own_store(store: Path, tmp_path: Path) -> Path:
    return shutil.copytree(store, tmp_path / "artifacts")


@pytest.mark.parametrize("seed", range(6))
def test_counts_and_score_are_those_of_sacrebleus_flores200(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    (tmp_path / "models").mkdir()
    shutil.copy(model, tmp_path / "models" / "flores200sacrebleuspm")
    monkeypatch.setattr(theirs, "SACREBLEU_DIR", str(tmp_path))
    metric = BLEU(tokenize="flores200")
    draw = random.Random(seed)
    references = write_sentences(30, seed)
    hypotheses = [
        " ".join(draw.choice(WORDS) if draw.random() < 0.2 * seed else word for word in one.split())
        + draw.choice(["", "  ", " x"])
        for one in references
    ]
    opened = open_pieces_model(model)
    assert opened
    counts = opened.count(hypotheses, references)
    assert counts.shape == (30, COUNTS)
    expected = metric.corpus_score(hypotheses, [references]).score
    assert float(compute_bleu(counts.sum(axis=0))) == pytest.approx(expected, abs=1e-9)
    for at in range(30):
        one = metric.corpus_score([hypotheses[at]], [[references[at]]]).score
        assert float(compute_bleu(counts[at])) == pytest.approx(one, abs=1e-9)


def test_nothing_translated_scores_nothing() -> None:
    assert float(compute_bleu(np.zeros(COUNTS))) == 0


def test_a_change_is_the_difference_of_two_corpora(model: Path) -> None:
    opened = open_pieces_model(model)
    assert opened
    references = write_sentences(40, 7)
    worse = [one.replace("mto", "jua") for one in references]
    counts = opened.count(references, references), opened.count(worse, references)
    found = compare_bleu(counts[1], counts[0])
    assert found.points == pytest.approx(100 - float(compute_bleu(counts[1].sum(axis=0))))
    assert found.interval
    assert found.interval.low < found.points < found.interval.high
    assert found.p is not None
    assert found.p < 0.01
    assert compare_bleu(counts[0], counts[0]).p == 1
    assert compare_bleu(counts[0][:5], counts[1][:5]).why == "a bootstrap needs 12 items"


def test_a_change_of_mean_scores_has_the_plain_standard_error() -> None:
    draw = np.random.default_rng(4)
    before, after = draw.random(400), draw.random(400) + 0.2
    found = compare_sentences(before, after)
    changes = after - before
    assert found.points == pytest.approx(changes.mean())
    assert found.stderr == pytest.approx(changes.std(ddof=1) / 20, rel=0.05)
    assert found.p is not None
    assert found.p < 0.05
    assert compare_sentences(before, before).p == 1
    assert compare_sentences(before[:3], after[:3]).why == "a bootstrap needs 12 items"


def read_table(report: Report, out: Path) -> str:
    files = {path.name: path for path in write_csv(report, out)}
    return files["translations.csv"].read_text()


def test_the_report_has_it_beside_chrf_with_the_files_hash(
    own_store: Path, model: Path, tmp_path: Path
) -> None:
    report = Report.from_store(read_store(own_store), model)
    sheet = report.other_scores
    assert sheet
    names = [column.name for column in sheet.columns]
    rows = [dict(zip(names, row, strict=True)) for row in sheet.rows]
    assert {row["task"] for row in rows} == {"flores_xx_en", "flores_en_xx"}
    for row in rows:
        assert isinstance(row["spbleu"], float)
        assert (row["change"] is None) == (row["producer"] == "base")
    assert any("of 30 pieces, SHA-256" in note for note in sheet.notes)
    assert read_table(report, tmp_path / "csv").startswith("language,task,producer,n,chrf,spbleu")


def print_terminal(report: Report) -> str:
    screen = StringIO()
    print_report(report, Console(file=screen, width=100))
    return screen.getvalue()


def test_a_screen_shows_it_only_where_there_is_something_to_show(
    own_store: Path, model: Path
) -> None:
    view = read_store(own_store)
    assert "Translations beside chrF++" not in print_terminal(Report.from_store(view))
    assert "Translations beside chrF++" in print_terminal(Report.from_store(view, model))


def test_without_the_model_it_is_a_named_gap(own_store: Path) -> None:
    sheet = Report.from_store(read_store(own_store)).other_scores
    assert sheet
    place = [column.name for column in sheet.columns].index("spbleu")
    assert {row[place] for row in sheet.rows} == {None}
    assert NO_MODEL in sheet.notes


def test_sacrebleus_own_copy_is_found(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "models").mkdir()
    monkeypatch.setenv("SACREBLEU", str(tmp_path))
    assert open_pieces_model(None) is None
    shutil.copy(model, tmp_path / "models" / "flores200sacrebleuspm")
    assert open_pieces_model(None)


@pytest.mark.parametrize(("content", "said"), [(b"", "no SentencePiece"), (None, "No such file")])
def test_a_file_that_is_none_is_refused_before_the_store_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, said: str
) -> None:
    path = tmp_path / "pieces.model"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(PiecesModelError, match=said):
        open_pieces_model(path)
    assert main(["--store", str(tmp_path / "none"), "--spbleu", str(path)]) == 2
    assert "Remedy: download dl.fbai" in capsys.readouterr().err


def test_the_encoders_languages_are_known_ones() -> None:
    codes = {language.flores_code for language in list_languages().values()}
    assert list_seen() <= codes
    papers = {one.flores_code for one in list_papers_languages().values()} - {"eng_Latn"}
    assert len(papers & list_seen()) == 23
    assert refuse_unseen("swh_Latn", "eng_Latn") == ""
    assert "trained on Faroese" in refuse_unseen("eng_Latn", "fao_Latn")
    assert refuse_unseen("kmr_Arab")  # the language in another script
    assert refuse_unseen("")


RATING = """
import json, sys
given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
rows = [open(given[name], encoding="utf-8").read().split("\\n")[:-1] for name in ("-s", "-t", "-r")]
assert given["--model"] == "Unbabel/wmt22-comet-da"
found = [{"COMET": len(t) / (1 + len(r))} for _, t, r in zip(*rows, strict=True)]
json.dump({given["-t"]: found}, open(sys.argv[-1], "w"))
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A program with the options and the form of comet-score 2.2.7."""
    path = tmp_path / "comet-score"
    path.write_text(f"#!{sys.executable}\n{RATING}")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_comet_is_kept_and_shown_and_refused_for_other_languages(
    own_store: Path, program: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in own_store.rglob("plan.json"):
        plan = json.loads(path.read_text())
        if plan["language"]["name"] == "Uyghur":
            plan["language"]["flores_code"] = "fao_Latn"
            path.write_text(json.dumps(plan))
    arguments = ["comet", "--store", str(own_store), "--program", str(program)]
    assert main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("Swahili, FLORES en→xx, base: 0.") for line in lines)
    assert any("not scored. XLM-R" in line and "Faroese" in line for line in lines)
    kept = own_store / "report" / "comet"
    first = kept / f"{key_of('score', 'Swahili', 'base', 'flores_en_xx')}.json"
    times = {path: path.stat().st_mtime_ns for path in kept.iterdir()}
    program.unlink()  # what is there is not computed again
    assert main(arguments) == 0
    assert {path: path.stat().st_mtime_ns for path in kept.iterdir()} == times

    sheet = Report.from_store(read_store(own_store)).other_scores
    assert sheet
    names = [column.name for column in sheet.columns]
    rows = [dict(zip(names, row, strict=True)) for row in sheet.rows]
    for row in rows:
        assert (row["comet"] is None) == (row["language"] == "Uyghur")
        changed = row["language"] == "Swahili" and row["producer"] != "base"
        assert (row["comet_change"] is not None) == changed
        if changed:
            assert row["comet_low"] < row["comet_change"] < row["comet_high"]
    assert any("Here by Unbabel/wmt22-comet-da." in note for note in sheet.notes)
    assert any("Faroese: its score would mislead" in note for note in sheet.notes)

    damaged = json.loads(first.read_text())
    first.write_text(json.dumps({**damaged, "samples": "0" * 64}))
    sheet = Report.from_store(read_store(own_store)).other_scores
    assert sheet
    assert any("rates other texts" in note for note in sheet.notes)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("json.dump", "sys.exit('no space') #"), "Its last words:\nno space"),
        (("range", "range"), "cannot be run"),
        (('"COMET"', '"XCOMET"'), "cannot be read"),
        (("found}", "found[1:]}"), "rated"),
    ],
)
def test_what_comet_says_is_passed_on(
    own_store: Path,
    program: Path,
    change: tuple[str, str],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    program.write_text(program.read_text().replace(*change))
    if said == "cannot be run":
        program.unlink()
    assert main(["comet", "--store", str(own_store), "--program", str(program)]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Remedy:" in error


def test_a_model_of_another_encoder_is_refused(tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoints" / "model.ckpt"
    checkpoint.parent.mkdir()
    for name, said in (("McGill-NLP/ssa-comet", "cannot be told"), (str(checkpoint), "cannot be")):
        with pytest.raises(CometError, match=said):
            Comet(model=name).check()
    (tmp_path / "hparams.yaml").write_text("pretrained_model: microsoft/infoxlm-large\n")
    with pytest.raises(CometError, match="infoxlm"):
        Comet(model=str(checkpoint)).check()
    (tmp_path / "hparams.yaml").write_text("pretrained_model: xlm-roberta-large\n")
    Comet(model=str(checkpoint)).check()
