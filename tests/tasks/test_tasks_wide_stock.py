"""Stock lm-eval gets the scores that we get on the benchmarks that the paper does not have, and its
own tasks of the same names ask the same."""

from pathlib import Path
from typing import Any

import pytest
from lm_eval import simple_evaluate
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager
from wide_data import SENTENCES, write_sets

from harness.scoring.choice import EngineChoice
from harness.scoring.score import ScoreRequest, score_task
from tasks.catalogue import TASKS
from tasks.data import open_data
from tasks.loading import load_task

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parents[2] / "tasks"
ENGINE = EngineChoice("transformers", "fp32", 256)
ASKED = {
    "multiblimp": ("eng", "English"),
    "global_piqa": ("eng_latn", "English"),
    "xcopa": ("sw", "Swahili"),
    "afrimmlu": ("swa", "Swahili"),
    "tumlu": ("tatar", "Tatar"),
    "gatitos": ("fo", "Faroese"),
    "ntrex_en_xx": ("swh_Latn", "Swahili"),
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sets(tmp_path_factory.mktemp("wide"))


@pytest.fixture(scope="module")
def stock(root: Path, tiny: Path) -> dict[str, Any]:
    """The result of stock lm-eval's own model on all tasks."""
    return simple_evaluate(
        HFLM(str(tiny), dtype="float32", device="cpu", batch_size=4),
        tasks=[TASKS[name].make_lm_eval_name(code) for name, (code, _) in ASKED.items()],
        task_manager=TaskManager(
            include_path=str(FOLDER), include_defaults=False, metadata={"data_dir": str(root)}
        ),
        bootstrap_iters=0,
        gen_kwargs={"max_gen_toks": 16},
    )


@pytest.mark.parametrize("name", ASKED)
def test_stock_lm_eval_gets_the_same(
    name: str, root: Path, tiny: Path, tmp_path: Path, stock: dict[str, Any]
) -> None:
    code, language = ASKED[name]
    task = load_task(TASKS[name], code, language, open_data(str(root)))
    request = ScoreRequest(tiny, task, {"flores_code": "swh_Latn"}, None, 16, ENGINE)
    ours = score_task(request, tmp_path, lambda done, total, note: None)
    theirs = stock["results"][task.name]
    samples = stock["samples"][task.name]
    assert (ours.n, ours.shots) == (len(samples), task.shots_shown)
    if task.task.kind == "reading":
        assert ours.score == pytest.approx(theirs["score,none"], abs=1e-9)
        return
    if task.task.kind != "choice":
        assert ours.score == pytest.approx(theirs["chrf++,none"], abs=1e-6)
        return
    assert ours.score == pytest.approx(100 * theirs["acc,none"], abs=1e-6)
    logprobs = read_logprobs(tmp_path)
    expected = [[answer[0] for answer in sample["filtered_resps"]] for sample in samples]
    assert logprobs == [pytest.approx(one, abs=1e-4) for one in expected]
    if task.task.content.cloze:
        per_byte = 100 * theirs["acc_bytes,none"]
        assert ours.measures.accuracy_per_byte == pytest.approx(per_byte, abs=1e-6)


def read_logprobs(folder: Path) -> list[list[float]]:
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(folder / "samples.parquet")
    return [row["logprobs"] for row in table.to_pylist()]


def test_lm_evals_own_task_asks_the_same(root: Path) -> None:
    """Its `multiblimp_eng` and `global_piqa_nonparallel_cloze_eng_latn` ask as ours do."""
    import lm_eval.tasks

    own = Path(lm_eval.tasks.__file__).parent
    template = (own / "multiblimp" / "_template_yaml").read_text(encoding="utf-8")
    task = load_task(TASKS["multiblimp"], "eng", "English", open_data(str(root)))
    config = task.make_lm_eval_tasks()["tasks"][task.name].config
    for said in ('doc_to_text: ""', 'target_delimiter: ""', "doc_to_target: 0", "num_fewshot: 0"):
        assert said in template
    assert (config.target_delimiter, config.num_fewshot) == ("", 0)
    assert [(item.query, item.choices, item.answer) for item in task.items] == [
        ("", pair, 0) for pair in SENTENCES
    ]
    template = (own / "global_piqa" / "nonparallel_cloze" / "_template").read_text("utf-8")
    assert "doc_to_text: prompt\n" in template
    assert 'doc_to_choice: "{{[solution0, solution1]}}"' in template
