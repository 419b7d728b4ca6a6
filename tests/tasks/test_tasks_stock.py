"""Stock lm-eval, with nothing of ours but the folder `tasks`, gets the scores that we get."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from lm_eval import simple_evaluate
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager

from harness.scoring.choice import EngineChoice
from harness.scoring.engines import open_engine
from harness.scoring.score import ScoreRequest, ask_lm_eval, score_task
from tasks.catalogue import TASKS
from tasks.data import open_data
from tasks.loading import Loaded, load_task
from tasks.protocol import Protocol

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parents[2] / "tasks"
LIMIT = 8
ENGINE = EngineChoice("transformers", "fp32", 512)
CODES = {"global_mmlu": "sw"}


def loaded(name: str, **choices: Any) -> Loaded:
    code = CODES.get(name, "swh_Latn")
    return load_task(TASKS[name], code, "Swahili", open_data(None), Protocol(**choices))


def asked_of(checkpoint: Path, task: Loaded) -> ScoreRequest:
    return ScoreRequest(checkpoint, task, {"flores_code": "swh_Latn"}, LIMIT, 16, ENGINE)


def test_the_command_line_gets_the_same_scores(tiny: Path, tmp_path: Path) -> None:
    names = ["sib200", "belebele", "flores_en_xx"]
    tasks = {name: TASKS[name].make_lm_eval_name("swh_Latn") for name in names}
    command = [
        *(sys.executable, "-m", "lm_eval", "--model", "hf", "--device", "cpu"),
        *("--model_args", f"pretrained={tiny},dtype=float32", "--batch_size", "4"),
        *("--include_path", str(FOLDER), "--tasks", ",".join(tasks.values())),
        *("--limit", str(LIMIT), "--gen_kwargs", "max_gen_toks=16"),
        *("--output_path", str(tmp_path / "stock.json")),
    ]
    # Another working directory: what the tasks need is found all the same.
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    (path,) = tmp_path.glob("**/stock*.json")
    stock = json.loads(path.read_text())["results"]
    for name, task in tasks.items():
        (tmp_path / name).mkdir()
        asked = asked_of(tiny, loaded(name))
        score = score_task(asked, tmp_path / name, lambda done, total, note: None)
        theirs = stock[task]
        expected = theirs["chrf++,none"] if name.startswith("flores") else 100 * theirs["acc,none"]
        assert score.n == LIMIT
        assert score.score == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("prompt", ["chat-turns", "chat-message"])
def test_lm_evals_own_chat_options_ask_the_same(tiny: Path, tmp_path: Path, prompt: Any) -> None:
    choices = {"answers": "labels", "shots": "balanced"}
    ready = loaded("sib200", prompt=prompt, system_prompt="You know Swahili.", **choices)
    model = HFLM(str(tiny), dtype="float32", device="cpu", batch_size=4)
    stock = simple_evaluate(
        model,
        tasks=[ready.name],
        task_manager=TaskManager(
            include_path=str(FOLDER), include_defaults=False, metadata=choices
        ),
        limit=LIMIT,
        bootstrap_iters=0,
        apply_chat_template=True,
        fewshot_as_multiturn=prompt == "chat-turns",
        system_instruction="You know Swahili.",
    )
    engine = open_engine(ENGINE, tiny, journal=tmp_path / "journal")
    ours = ask_lm_eval(asked_of(tiny, ready), engine)
    asked, expected = (
        [sample["arguments"] for sample in result["samples"][ready.name]]
        for result in (ours, stock)
    )
    assert asked == expected
    assert ours["results"][ready.name]["acc,none"] == stock["results"][ready.name]["acc,none"]
    prompt_text, answer = asked[0][0]
    assert prompt_text.endswith("<|im_start|>assistant\n")
    assert answer == "entertainment"  # no space before it, where a chat's answer begins
    assert prompt_text.count("<|im_start|>assistant\n") == (4 if prompt == "chat-turns" else 1)
