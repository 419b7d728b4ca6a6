"""The scoring engine gives lm-eval's own numbers, and goes on where it was interrupted."""

import json
import subprocess
import sys
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

from decoding.prompts import TokenPrompt, find_common_prefix
from harness.errors import ScoringError
from harness.scoring.batches import BatchJournal, plan_batches
from harness.scoring.engine import SharedPrefixLM

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
    # Attention windows and recurrent layers cannot continue from shared shots.
    "mistral": MistralConfig(**SMALL, sliding_window=16),
    "granitemoehybrid-mamba": AutoConfig.for_model(
        "granitemoehybrid",
        **SMALL,
        layer_types=["mamba", "attention"],
        shared_intermediate_size=64,
        num_local_experts=0,
        num_experts_per_tok=0,
        position_embedding_type="rope",
        mamba_n_heads=4,
        mamba_d_head=16,
        mamba_d_state=16,
        mamba_chunk_size=32,
    ),
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
    return SharedPrefixLM(checkpoint, precision="fp32", budget=tokens, journal=journal)


def hflm(checkpoint: Path, **options: Any) -> HFLM:
    return HFLM(str(checkpoint), dtype="float32", device="cpu", batch_size=1, **options)


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
    ours = engine(checkpoints[name], tmp_path / "j").loglikelihood(choices(answers))
    reference = hflm(checkpoints[name])
    theirs = reference.loglikelihood(choices(answers), disable_tqdm=True)
    assert [a[0] for a in ours] == pytest.approx([b[0] for b in theirs], abs=1e-3)
    assert [a[1] for a in ours] == [b[1] for b in theirs]


@pytest.mark.parametrize("name", CONFIGS)
def test_translations_are_lm_evals(checkpoints: dict[str, Path], tmp_path: Path, name: str) -> None:
    ours = engine(checkpoints[name], tmp_path / "j").generate_until(translations())
    reference = hflm(checkpoints[name])
    assert ours == reference.generate_until(translations(), disable_tqdm=True)
    assert len(set(ours)) > 1


def test_a_model_that_cannot_share_says_so(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    assert engine(checkpoints["llama"], tmp_path / "a").notes == []
    for name in ("mistral", "granitemoehybrid-mamba"):
        (note,) = engine(checkpoints[name], tmp_path / name).notes
        assert "for every item anew" in note


def test_a_single_request_and_nothing_in_common(
    checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    one = choices((" A",))[:1]
    reference = hflm(checkpoints["llama"])
    theirs = reference.loglikelihood(one, disable_tqdm=True)
    ours = engine(checkpoints["llama"], tmp_path / "j").loglikelihood(one)
    assert ours[0][0] == pytest.approx(theirs[0][0], abs=1e-3)
    apart = [Instance("loglikelihood", {}, (text, " A"), 0) for text in ("one", "two three")]
    theirs = reference.loglikelihood(apart, disable_tqdm=True)
    ours = engine(checkpoints["llama"], tmp_path / "k").loglikelihood(apart)
    assert [a[0] for a in ours] == pytest.approx([b[0] for b in theirs], abs=1e-3)


def test_it_continues_with_the_same_batches(
    checkpoints: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = choices((" A", " B"))
    whole = engine(checkpoints["llama"], tmp_path / "whole", 8).loglikelihood(requests)
    lines = (tmp_path / "whole" / "0.jsonl").read_bytes().splitlines(keepends=True)
    assert len(lines) > 3  # one says how the model is run
    (tmp_path / "cut").mkdir()
    # Killed while it wrote the third.
    (tmp_path / "cut" / "0.jsonl").write_bytes(lines[0] + lines[1] + lines[2][:-5])

    lm = engine(checkpoints["llama"], tmp_path / "cut", 8)
    computed: list[Any] = []
    score = lm.score_batch
    monkeypatch.setattr(lm, "score_batch", lambda *a: computed.append(1) or score(*a))
    assert lm.loglikelihood(requests) == whole
    assert len(computed) == len(lines) - 2
    assert (tmp_path / "cut" / "0.jsonl").read_bytes() == b"".join(lines)


def test_another_prompt_never_finds_an_old_result(
    checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    first = engine(checkpoints["llama"], tmp_path / "j").loglikelihood(choices((" A",)))
    other = engine(checkpoints["llama"], tmp_path / "j").loglikelihood(
        choices((" A",), SHOTS.replace("red", "blue"))
    )
    assert [a[0] for a in first] != [b[0] for b in other]


@pytest.mark.parametrize("limit", [64, 40])
def test_prompts_beyond_the_context_are_cut_as_lm_eval_cuts_them_and_counted(
    checkpoints: dict[str, Path], tmp_path: Path, limit: int
) -> None:
    """Some fit and share the shots, some lose their beginning."""
    asked = choices((" A", " B")) + choices((" A", " B"), SHOTS + "Filler: " + "x y " * 9)
    lm = engine(checkpoints["llama"], tmp_path / "j")
    lm.max_length = limit
    reference = hflm(checkpoints["llama"], max_length=limit)
    ours, theirs = lm.loglikelihood(asked), reference.loglikelihood(asked, disable_tqdm=True)
    assert [a[0] for a in ours] == pytest.approx([b[0] for b in theirs], abs=1e-3)
    shortened = {text: facts for text, facts in lm.prompts.items() if facts.truncated}
    assert {facts.tokens for facts in shortened.values()} == {limit}
    if limit == 64:
        assert len(shortened) < len(lm.prompts)
    assert lm.generate_until(translations()) == reference.generate_until(
        translations(), disable_tqdm=True
    )


def test_answers_that_fill_the_context_are_an_error(
    checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    with pytest.raises(ScoringError, match="max_new_tokens"):
        engine(checkpoints["llama"], tmp_path / "j").generate_until(translations(limit=512))


@pytest.mark.parametrize("name", ["llama", "mistral"])
def test_a_finished_sequence_makes_room_for_a_waiting_one(
    checkpoints: dict[str, Path], tmp_path: Path, name: str
) -> None:
    """With two slots for many prompts, that end at different times, and a penalty."""
    settings = {"until": [" t", "i"], "max_gen_toks": 24, "repetition_penalty": 1.3}
    prompts = [
        f"{SHOTS}Question: {item} {number}\nAnswer:" for item in ITEMS for number in range(4)
    ]
    lm = engine(checkpoints[name], tmp_path / "j", tokens=64)
    assert lm.slots == 2
    ours = lm.generate_until(
        [Instance("generate_until", {}, (prompt, settings), 0) for prompt in prompts]
    )
    model = AutoModelForCausalLM.from_pretrained(checkpoints[name])
    tokenizer = AutoTokenizer.from_pretrained(checkpoints[name])
    lengths = set()
    for prompt, text in zip(prompts, ours, strict=True):
        ids = tokenizer(prompt, return_tensors="pt").input_ids
        whole = model.generate(
            ids, max_new_tokens=24, do_sample=False, repetition_penalty=1.3, pad_token_id=2
        )
        expected = tokenizer.decode(whole[0, ids.shape[1] :], skip_special_tokens=True)
        assert text == TokenPrompt((), 24, tuple(settings["until"])).take_answer(expected)
        lengths.add(lm.continuations[prompt].tokens)
    assert len(lengths) > 2


def test_a_token_across_the_join_is_counted_and_the_answer_kept_whole(
    checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    lm = engine(checkpoints["llama"], tmp_path / "j")
    lm.loglikelihood([Instance("loglikelihood", {}, ("the riv", "er"), 0)])
    assert lm.joins == 1
    lm.loglikelihood([Instance("loglikelihood", {}, ("the river", " runs"), 0)])
    assert lm.joins == 1


def test_out_of_memory_halves_the_batch_and_goes_on(
    checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    """A real one, in a process whose address space is limited."""
    script = f"""
import resource, sys
from pathlib import Path
from lm_eval.api.instance import Instance
from harness.scoring.engine import SharedPrefixLM
def engine(journal, tokens):
    return SharedPrefixLM(Path({str(checkpoints["llama"])!r}), precision="fp32", budget=tokens,
        journal=Path({str(tmp_path)!r}) / journal)
asked = [Instance("loglikelihood", {{}}, (f"one two three {{n}}:", " A"), 0) for n in range(1500)]
small = engine("small", 200).loglikelihood(asked)
lm = engine("large", 100_000)
lm.shares
used = int(next(l for l in open("/proc/self/status") if l.startswith("VmSize")).split()[1]) * 1024
resource.setrlimit(resource.RLIMIT_AS, (used + 400_000_000,) * 2)
large = lm.loglikelihood(asked)
print(lm.halving.times, max(abs(a[0] - b[0]) for a, b in zip(small, large)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    times, difference = done.stdout.split()[-2:]
    assert int(times) >= 1
    assert float(difference) < 1e-3


def test_batches_depend_on_lengths_alone() -> None:
    assert plan_batches([3, 9, 4, 4], 9) == [[1], [2, 3], [0]]
    assert plan_batches([3, 4, 2, 2], 9) == [[1, 0, 2], [3]]
    assert plan_batches([3, 4, 2, 2], 9, padded=True) == [[1, 0], [2, 3]]
    assert plan_batches([20], 9) == [[0]]
    assert plan_batches([], 9) == []


def test_common_prefix_leaves_a_token_of_each() -> None:
    assert find_common_prefix([(1, 2, 3), (1, 2, 4)]) == (1, 2)
    assert find_common_prefix([(1, 2), (1, 2, 4)]) == (1,)
    assert find_common_prefix([(1, 2)]) == ()
    assert find_common_prefix([(5,), (6,)]) == ()


def test_journal_keeps_only_whole_lines(tmp_path: Path) -> None:
    (tmp_path / "0.jsonl").write_text(
        json.dumps({"batch": "a", "results": ["ሀ"]}) + '\n{"batch": "b", "res'
    )
    journal = BatchJournal(tmp_path)
    assert (journal.get("a"), journal.get("b")) == (["ሀ"], None)
    journal.put("b", [1])
    assert BatchJournal(tmp_path).get("b") == [1]
    BatchJournal(tmp_path, rank=1).put("c", [2])
    assert BatchJournal(tmp_path).get("c") == [2]
