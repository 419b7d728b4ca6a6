"""The scoring engine gives lm-eval's own numbers, and goes on where it was interrupted."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    GraniteConfig,
    LlamaConfig,
    MistralConfig,
    PreTrainedConfig,
    Qwen2Config,
    Qwen3Config,
)

from harness.errors import ScoringError
from harness.scoring.batches import Journal, plan_batches
from harness.scoring.engine import SharedPrefixLM
from harness.scoring.prefix import common_prefix

SMALL = {
    "vocab_size": 49152,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "initializer_range": 0.3,  # wide, so that answers differ by more than rounding
    "eos_token_id": 2,
    "bos_token_id": 1,
}
CONFIGS: dict[str, PreTrainedConfig] = {
    "llama": LlamaConfig(**SMALL),
    "granite": GraniteConfig(**SMALL, logits_scaling=2.0, attention_multiplier=0.2),
    "granitemoehybrid": AutoConfig.for_model(
        "granitemoehybrid",
        **SMALL,
        layer_types=["attention"] * 2,
        shared_intermediate_size=64,
        num_local_experts=0,
        num_experts_per_tok=0,
        position_embedding_type="rope",
        mamba_n_heads=4,
    ),
    "qwen2": Qwen2Config(**SMALL),
    "qwen3": Qwen3Config(**SMALL, head_dim=8),
    # Its attention window makes the cache unfit to share.
    "mistral": MistralConfig(**SMALL, sliding_window=16),
}
SHOTS = (
    "Question: what is two and two?\nAnswer: four\n\nQuestion: what is red?\nAnswer: a colour\n\n"
)
ITEMS = ["is it?", "why does the river run to the sea, and not back?", "ሰላም ነው?", "who"]


@pytest.fixture(scope="session")
def checkpoints(smollm2: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Tiny random models of each architecture, with SmolLM2's tokenizer."""
    tokenizer = AutoTokenizer.from_pretrained(smollm2)
    folders = {}
    for name, config in CONFIGS.items():
        folders[name] = tmp_path_factory.mktemp(name)
        torch.manual_seed(0)
        AutoModelForCausalLM.from_config(config).save_pretrained(folders[name])
        tokenizer.save_pretrained(folders[name])
    return folders


def engine(checkpoint: Path, journal: Path, tokens: int = 128) -> SharedPrefixLM:
    return SharedPrefixLM(checkpoint, precision="fp32", batch_tokens=tokens, journal=journal)


def choices(answers: tuple[str, ...], shots: str = SHOTS) -> list[Instance]:
    return [
        Instance("loglikelihood", {}, (f"{shots}Question: {item}\nAnswer:", answer), index)
        for item in ITEMS
        for index, answer in enumerate(answers)
    ]


def translations(limit: int = 12) -> list[Instance]:
    settings = {"until": ["\n"], "max_gen_toks": limit, "do_sample": False, "temperature": 0.0}
    return [
        Instance("generate_until", {}, (f"{SHOTS}Question: {item}\nAnswer:", dict(settings)), 0)
        for item in ITEMS
    ]


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("answers", [(" A", " B", " C"), (" four", " the river runs", " no")])
def test_log_probabilities_are_lm_evals(
    checkpoints: dict[str, Path], tmp_path: Path, name: str, answers: tuple[str, ...]
) -> None:
    ours = engine(checkpoints[name], tmp_path / "j").loglikelihood(choices(answers), True)
    reference = HFLM(str(checkpoints[name]), dtype="float32", device="cpu", batch_size=1)
    theirs = reference.loglikelihood(choices(answers), disable_tqdm=True)
    assert [a[0] for a in ours] == pytest.approx([b[0] for b in theirs], abs=1e-3)
    assert [a[1] for a in ours] == [b[1] for b in theirs]


@pytest.mark.parametrize("name", CONFIGS)
def test_translations_are_lm_evals(checkpoints: dict[str, Path], tmp_path: Path, name: str) -> None:
    ours = engine(checkpoints[name], tmp_path / "j").generate_until(translations())
    reference = HFLM(str(checkpoints[name]), dtype="float32", device="cpu", batch_size=1)
    assert ours == reference.generate_until(translations(), disable_tqdm=True)
    assert len(set(ours)) > 1


def test_a_model_that_cannot_share_says_so(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    assert engine(checkpoints["llama"], tmp_path / "a").notes == []
    (note,) = engine(checkpoints["mistral"], tmp_path / "b").notes
    assert "for every item anew" in note


def test_a_single_request_and_nothing_in_common(
    checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    one = choices((" A",))[:1]
    reference = HFLM(str(checkpoints["llama"]), dtype="float32", device="cpu", batch_size=1)
    theirs = reference.loglikelihood(one, disable_tqdm=True)
    ours = engine(checkpoints["llama"], tmp_path / "j").loglikelihood(one, True)
    assert ours[0][0] == pytest.approx(theirs[0][0], abs=1e-3)
    apart = [Instance("loglikelihood", {}, (text, " A"), 0) for text in ("one", "two three")]
    theirs = reference.loglikelihood(apart, disable_tqdm=True)
    ours = engine(checkpoints["llama"], tmp_path / "k").loglikelihood(apart, True)
    assert [a[0] for a in ours] == pytest.approx([b[0] for b in theirs], abs=1e-3)


def test_it_continues_with_the_same_batches(
    checkpoints: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = choices((" A", " B"))
    whole = engine(checkpoints["llama"], tmp_path / "whole", 8).loglikelihood(requests, True)
    lines = (tmp_path / "whole").read_bytes().splitlines(keepends=True)
    assert len(lines) > 2
    (tmp_path / "cut").write_bytes(lines[0] + lines[1][:-5])  # killed while writing the second

    lm = engine(checkpoints["llama"], tmp_path / "cut", 8)
    computed: list[Any] = []
    score = lm._score
    monkeypatch.setattr(lm, "_score", lambda *a: computed.append(1) or score(*a))
    assert lm.loglikelihood(requests, True) == whole
    assert len(computed) == len(lines) - 1
    assert (tmp_path / "cut").read_bytes() == (tmp_path / "whole").read_bytes()


def test_another_prompt_never_finds_an_old_result(
    checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    first = engine(checkpoints["llama"], tmp_path / "j").loglikelihood(choices((" A",)), True)
    other = engine(checkpoints["llama"], tmp_path / "j").loglikelihood(
        choices((" A",), SHOTS.replace("red", "blue")), True
    )
    assert [a[0] for a in first] != [b[0] for b in other]


def test_prompts_beyond_the_context_are_an_error_before_any_work(
    checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    long = [Instance("loglikelihood", {}, ("word " * 600, " A"), 0)]
    with pytest.raises(ScoringError, match="longer than the model's 512 tokens"):
        engine(checkpoints["llama"], tmp_path / "j").loglikelihood(long, True)


def test_batches_depend_on_lengths_alone() -> None:
    assert plan_batches([3, 9, 4, 4], 9) == [[1], [2, 3], [0]]
    assert plan_batches([20], 9) == [[0]]
    assert plan_batches([], 9) == []


def test_common_prefix_leaves_a_token_of_each() -> None:
    assert common_prefix([[1, 2, 3], [1, 2, 4]]) == [1, 2]
    assert common_prefix([[1, 2], [1, 2, 4]]) == [1]
    assert common_prefix([[1, 2]]) == []
    assert common_prefix([[5], [6]]) == []


def test_journal_keeps_only_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_text(json.dumps({"batch": "a", "results": ["ሀ"]}) + '\n{"batch": "b", "res')
    journal = Journal(path)
    assert (journal.get("a"), journal.get("b")) == (["ሀ"], None)
    journal.put("b", [1])
    assert Journal(path).get("b") == [1]
