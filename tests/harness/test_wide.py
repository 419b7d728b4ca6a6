"""`evaluate=wide`: every task that there is, from a name to a report, with gaps that say why."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small import KAKUGO, manifests

from core.languages import list_languages
from harness.experiment import plan_experiment
from harness.overrides import prepare_arguments
from harness.stages.scoring import Cell
from tasks.catalogue import BENCHMARKS, PAPERS_TASKS, RETENTION_TASKS, TASKS
from tasks.errors import DataMissing

ALONE = ("producers=[base]", "evaluate=wide")
XCOPA = ("evaluate.tasks=[xcopa]", "evaluate.retention=false")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """XCOPA in Swahili and in Haitian, the same rows."""
    rows = [
        {"premise": f"Mvua {n}.", "choice1": "Ndiyo.", "choice2": "Hapana.", "question": "cause",
         "label": n % 2, "idx": n}
        for n in range(6)
    ]  # fmt: skip
    for code in ("sw", "ht"):
        path = tmp_path / "data" / "xcopa" / f"test.{code}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return tmp_path / "data"


def test_all_tasks_are_planned_and_gaps_say_why(
    composed: Callable[..., Any], tmp_path: Path
) -> None:
    config = composed(*prepare_arguments(["language=faroese", *ALONE]))
    made = plan_experiment(config, tmp_path / "ledgers")
    assert [cell.task for cell in made.cells] == list(TASKS)
    gaps = {cell.task: str(cell.gap) for cell in made.cells}
    assert gaps["xcopa"] == (
        "XCOPA has no Faroese (its 10 languages that are known here do not include it; "
        "language.benchmarks.xcopa=CODE gives a code)."
    )
    assert "(its one language that is known here does not include it; " in gaps["seahelm_kalahi"]
    assert "the embedded sets have no ntrex/fao_Latn.txt" in gaps["ntrex_xx_en"]
    # The paper's own preset is the paper's.
    config = composed("language=faroese", "producers=[base]", "evaluate=paper")
    made = plan_experiment(config, tmp_path / "ledgers")
    assert [cell.task for cell in made.cells] == list(PAPERS_TASKS)


def test_english_is_asked_too_and_a_base_is_asked_once_for_all_languages(
    composed: Callable[..., Any], tmp_path: Path
) -> None:
    def find_keys(language: str, *more: str) -> dict[str, str | None]:
        given = [f"language={language}", "producers=[base]", "evaluate.retention=true", *more]
        cells = plan_experiment(composed(*prepare_arguments(given)), tmp_path).cells
        return {cell.task: cell.score.key if cell.score else None for cell in cells}

    swahili, yoruba = find_keys("swahili"), find_keys("yoruba")
    assert list(swahili) == [*PAPERS_TASKS, *RETENTION_TASKS]
    for task in RETENTION_TASKS:
        assert swahili[task] == yoruba[task] is not None, task
    # The prompts are in English, whatever those of the language are.
    assert (
        find_keys("swahili", "evaluate.protocol.instructions=language")["english_belebele"]
        == swahili["english_belebele"]
    )
    assert find_keys("english")["english_sib200"] is None, "its own task tells"
    planned = find_keys("swahili", "evaluate.tasks=[english_belebele,sib200]")
    assert list(planned) == ["english_belebele", "sib200", "english_sib200", "english_global_mmlu"]


def test_a_language_that_the_paper_did_not_score_is_scored_where_it_is_there(
    composed: Callable[..., Any], tmp_path: Path
) -> None:
    def find_gap(preset: str) -> str:
        given = ["language=chichewa", f"evaluate={preset}", "producers=[base]"]
        cells = plan_experiment(composed(*prepare_arguments(given)), tmp_path).cells
        return next(str(cell.gap) for cell in cells if cell.task == "global_mmlu")

    assert "The paper reports no Global-MMLU score for Nyanja" in find_gap("paper")
    assert "the embedded sets have no global_mmlu/ny.jsonl" in find_gap("wide")


def test_a_code_of_the_benchmarks_own_is_found_and_can_be_given(
    composed: Callable[..., Any], data: Path, tmp_path: Path
) -> None:
    def find_key(*more: str) -> str:
        given = ["language=swahili", *ALONE, *XCOPA, f"data_dir={data}", *more]
        (cell,) = plan_experiment(composed(*prepare_arguments(given)), tmp_path).cells
        assert cell.score is not None, cell.gap
        assert cell.score.settings.code == ("ht" if more else "sw")
        return str(cell.score.key)

    assert find_key() != find_key("language.benchmarks.xcopa=ht")


def test_an_answer_that_is_read_is_scored_anew_by_another_reading(
    composed: Callable[..., Any], tmp_path: Path
) -> None:
    folder = tmp_path / "seahelm" / "nlu" / "sentiment_analysis" / "data"
    folder.mkdir(parents=True)
    asked = "Jawaban: $OPTION{fewshot_examples}\n\n{text}"
    for name, label in (("jv_own", "positive"), ("jv_own_examples", "positif")):
        rows = [
            {"label": label, "prompts": [{"text": f"Ukara {n}."}], "prompt_templates": [asked]}
            for n in range(6)
        ]
        lines = "".join(f"{json.dumps(row)}\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")

    def find_settings(*more: str) -> Any:
        given = ["language=javanese", *ALONE, "evaluate.tasks=[seahelm_sentiment]", *more,
                 f"data_dir={tmp_path}", "evaluate.retention=false"]  # fmt: skip
        (cell,) = plan_experiment(composed(*prepare_arguments(given)), tmp_path).cells
        assert cell.score is not None, cell.gap
        return cell.score

    first = find_settings()
    assert first.settings.max_new_tokens == 32
    assert first.key != find_settings("evaluate.protocol.extraction=strict").key
    assert first.key != find_settings("evaluate.protocol.prompt=chat-turns").key
    assert (
        first.key
        == find_settings("evaluate.max_new_tokens=7", "evaluate.protocol.shots=balanced").key
    )


def test_it_is_scored_and_reported(data: Path, tiny: Path, tmp_path: Path) -> None:
    common = (f"store={tmp_path}/store", f"cache={tmp_path}/cache", f"data_dir={data}",
              "student=directory", "student.name=tiny", f"student.path={tiny}",
              "evaluate.batch_tokens=64")  # fmt: skip
    done = subprocess.run(
        [*KAKUGO, "language=swa", *ALONE, *common], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    (score,) = manifests(tmp_path / "store", "score")
    assert (score["facts"]["task"], score["facts"]["n"]) == ("xcopa", 3)
    assert "XCOPA" in done.stdout


def test_languages_without_question_answering_have_wide_benchmarks() -> None:
    has = {
        name: {
            one.id for one in list_languages().values() if content.find_code(None, one.flores_code)
        }
        for name, content in BENCHMARKS.items()
        if not content.paper
    }
    assert {"faroese", "welsh", "galician", "northern_kurdish"} <= has["multiblimp"]
    assert {"faroese", "uyghur", "galician"} <= has["global_piqa"]
    assert {"welsh", "irish", "faroese", "samoan", "tatar", "bashkir"} <= has["ntrex"]
    assert {"haitian_creole", "swahili", "tamil", "indonesian"} <= has["xcopa"]
    assert {"kinyarwanda", "southern_sotho", "xhosa", "zulu"} <= has["afrimmlu"]
    assert {"tatar", "uyghur", "kyrgyz"} <= has["tumlu"]
    assert {"bashkir", "chuvash", "faroese", "mizo", "papiamento", "rundi"} <= has["gatitos"]


def test_bits_per_byte_are_planned_in_both_languages_and_gaps_say_why(
    composed: Callable[..., Any], tmp_path: Path
) -> None:
    def plan(*given: str) -> dict[str, Cell]:
        config = composed(*prepare_arguments([*ALONE, *given]))
        return {cell.task: cell for cell in plan_experiment(config, tmp_path / "ledgers").texts}

    swahili, faroese = plan("language=swahili"), plan("language=faroese")
    assert list(swahili) == ["flores", "english flores"]
    assert swahili["flores"].score
    assert "fao_Latn" in str(faroese["flores"].gap)
    english = [found["english flores"].score for found in (swahili, faroese)]
    assert len({score.key for score in english if score}) == 1, "a base is measured once"
    assert list(plan("language=english")) == ["flores"]
    ntrex = plan("language=guarani", "evaluate.text=ntrex")["ntrex"]
    assert str(ntrex.gap).startswith("NTREX has no Guarani")
    served = plan("language=swahili", "evaluate.engine=vllm")["flores"]
    assert "evaluate.engine=transformers does" in str(served.gap)
    with pytest.raises(DataMissing, match="there is no text"):
        plan("language=swahili", f"evaluate.text={tmp_path}/none.txt")


def test_a_text_of_ones_own_is_looked_for_in_the_mixture(
    composed: Callable[..., Any], tmp_path: Path
) -> None:
    text = tmp_path / "mine.txt"
    text.write_text("Mvua ilinyesha jana.\nMito imejaa.\n\nSoko limefunguliwa.\n", "utf-8")
    config = composed("language=swahili", f"++evaluate.text={text}")
    (stage,) = plan_experiment(config, tmp_path / "ledgers").list_named("contamination")
    own = [item for item in stage.settings.items if item.benchmark == "mine.txt"]
    assert [item.text for item in own] == [
        "Mvua ilinyesha jana.",
        "Mito imejaa.",
        "Soko limefunguliwa.",
    ]
    assert [item.cluster for item in own] == ["line 1", "line 1", "line 4"]
