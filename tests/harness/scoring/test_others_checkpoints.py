"""Checkpoints of others: what their tokenizer or generation settings add never decides a score."""

import json
from pathlib import Path
from typing import Any

import pytest
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM
from safetensors.torch import load_file, save_file
from small_checkpoints import TURNS, copied, edit, save_model, small_tokenizer

from core.checkpoints.errors import CheckpointError
from decoding.prompts import TokenPrompt
from harness.errors import ScoringError
from harness.scoring.choice import EngineChoice
from harness.scoring.engine import SharedPrefixLM
from harness.scoring.score import compute_share
from harness.scoring.workers import run_workers
from harness.study.answers import generate_answers

pytestmark = pytest.mark.slow

SHOTS = "the river: the sea\n\nthe sea: "
ITEMS = ("four", "the answer", "and")


def engine(checkpoint: Path, journal: Path) -> SharedPrefixLM:
    return SharedPrefixLM(checkpoint, precision="fp32", budget=128, journal=journal)


def choices() -> list[Instance]:
    return [
        Instance("loglikelihood", {}, (f"{SHOTS}{item}\nA:", answer), number)
        for item in ITEMS
        for number, answer in enumerate((" the", " river", " to"))
    ]


def translations(**more: Any) -> list[Instance]:
    settings = {"until": [" zzz"], "max_gen_toks": 8, **more}
    return [
        Instance("generate_until", {}, (f"{SHOTS}{item}\nA:", dict(settings)), 0) for item in ITEMS
    ]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("others")
    return {
        kind: save_model(folder / kind, kind)
        for kind in ("llama", "mistral", "bloom", "mamba", "gpt2")
    }


@pytest.mark.parametrize("kind", ["bloom", "mamba", "gpt2"])
def test_kinds_without_a_stated_length_score_as_lm_eval_does(
    models: dict[str, Path], tmp_path: Path, kind: str
) -> None:
    lm = engine(models[kind], tmp_path / "j")
    reference = HFLM(str(models[kind]), dtype="float32", device="cpu", batch_size=1)
    assert lm.max_length == reference.max_length
    theirs = reference.loglikelihood(choices(), disable_tqdm=True)
    assert [a[0] for a in lm.loglikelihood(choices())] == pytest.approx(
        [b[0] for b in theirs], abs=1e-3
    )
    assert lm.generate_until(translations()) == reference.generate_until(
        translations(), disable_tqdm=True
    )
    assert any("no longest text; 2048 tokens" in note for note in lm.notes) == (kind != "gpt2")


@pytest.mark.parametrize("put", ["$A </s>", "<s> $A </s>", "<s> $A </s> </s>"])
def test_a_tokenizer_that_ends_every_text_changes_nothing(
    models: dict[str, Path], tmp_path: Path, put: str
) -> None:
    for name, frame in (("ends", put), ("does not", put.replace("</s>", "").strip())):
        copied(models["llama"], tmp_path / name)
        small_tokenizer(frame=frame).save_pretrained(tmp_path / name)
    ours, plain = (engine(tmp_path / name, tmp_path / f"{name}-j") for name in ("ends", "does not"))
    assert ours.loglikelihood(choices()) == plain.loglikelihood(choices())
    assert ours.generate_until(translations()) == plain.generate_until(translations())
    assert (ours.joins, plain.joins) == (0, 0)
    assert "the tokenizer ends every text with </s>" in ours.notes[0]
    assert plain.notes == []
    assert ours.describe_engine()["spoken"]["end_not_added"].startswith("</s>")
    reference = HFLM(str(tmp_path / "does not"), dtype="float32", device="cpu", batch_size=1)
    theirs = reference.loglikelihood(choices(), disable_tqdm=True)
    assert [a[0] for a in ours.loglikelihood(choices())] == pytest.approx(
        [b[0] for b in theirs], abs=1e-3
    )


LEAKS: dict[str, dict[str, Any]] = {
    "sampling": {"do_sample": True, "temperature": 5.0, "top_k": 0},
    "beams": {"num_beams": 3},
    "penalty": {"repetition_penalty": 3.0, "no_repeat_ngram_size": 1},
    "forced": {"forced_bos_token_id": 7, "forced_eos_token_id": 1, "suppress_tokens": [5, 6, 7, 8]},
    "length": {"max_length": 3, "min_new_tokens": 7, "min_length": 60},
    "several": {"do_sample": True, "num_return_sequences": 2},
    "as an object": {"return_dict_in_generate": True, "output_scores": True},
    "stops": {"stop_strings": ["a", "e", " "]},
    "search": {"prompt_lookup_num_tokens": 2},
    "guidance": {"guidance_scale": 2.0},
    "no cache": {"use_cache": False},
}


@pytest.mark.parametrize("kind", ["llama", "mistral"])
@pytest.mark.parametrize("leak", LEAKS)
def test_greedy_means_greedy(models: dict[str, Path], tmp_path: Path, kind: str, leak: str) -> None:
    """With and without shared prefixes, whatever generation_config.json says."""
    folder = copied(models[kind], tmp_path / "model")
    edit(folder / "generation_config.json", **LEAKS[leak])
    for asked in (translations(), translations(repetition_penalty=1.3)):
        plain = engine(models[kind], tmp_path / "plain").generate_until(asked)
        assert engine(folder, tmp_path / "leaky").generate_until(asked) == plain


def test_settings_of_generation_in_the_configuration_itself(
    models: dict[str, Path], tmp_path: Path
) -> None:
    folder = copied(models["mistral"], tmp_path / "model")
    (folder / "generation_config.json").unlink()
    edit(folder / "config.json", repetition_penalty=3.0, num_beams=2, max_length=4)
    plain = engine(models["mistral"], tmp_path / "plain").generate_until(translations())
    assert engine(folder, tmp_path / "leaky").generate_until(translations()) == plain


@pytest.mark.parametrize("kind", ["llama", "mistral"])
def test_a_model_without_an_end_token_answers_to_its_limit(
    models: dict[str, Path], tmp_path: Path, kind: str
) -> None:
    folder = copied(models[kind], tmp_path / "model")
    small_tokenizer(eos_token=None, pad_token=None).save_pretrained(folder)
    for name in ("config.json", "generation_config.json"):
        edit(folder / name, eos_token_id=None, pad_token_id=None, bos_token_id=None)
    lm = engine(folder, tmp_path / "j")
    assert lm.ends == frozenset()
    lm.generate_until(translations())
    assert {(done.tokens, done.finished) for done in lm.continuations.values()} == {(8, False)}


def test_every_end_token_of_the_checkpoint_ends_an_answer(
    models: dict[str, Path], tmp_path: Path
) -> None:
    for kind in ("llama", "mistral"):
        folder = copied(models[kind], tmp_path / kind)
        edit(folder / "generation_config.json", eos_token_id=list(range(2, 286)))
        lm = engine(folder, tmp_path / f"{kind}-j")
        lm.generate_until(translations())
        assert {(d.tokens, d.finished) for d in lm.continuations.values()} == {(0, True)}


def test_outputs_that_are_no_numbers_are_no_score(models: dict[str, Path], tmp_path: Path) -> None:
    for kind in ("llama", "mistral"):
        folder = copied(models[kind], tmp_path / kind)
        weights = load_file(folder / "model.safetensors")
        weights["model.norm.weight"][3] = float("nan")
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
        for asked in ("loglikelihood", "generate_until"):
            requests = choices() if asked == "loglikelihood" else translations()
            with pytest.raises(ScoringError, match=r"not numbers \(NaN\)\. Remedy"):
                getattr(engine(folder, tmp_path / f"{kind}-{asked}"), asked)(requests)


def test_a_process_that_cannot_open_the_checkpoint_says_why(
    models: dict[str, Path], tmp_path: Path, composed: Any
) -> None:
    from harness.scoring.score import ScoreRequest
    from tasks.catalogue import TASKS
    from tasks.data import open_data
    from tasks.files import EMBEDDED
    from tasks.loading import load_task
    from tasks.protocol import Protocol

    folder = copied(models["llama"], tmp_path / "model")
    edit(folder / "config.json", num_hidden_layers=3)
    loaded = load_task(TASKS["sib200"], "swh_Latn", "Swahili", open_data(str(EMBEDDED)), Protocol())
    choice = EngineChoice("transformers", "fp32", 256)
    request = ScoreRequest(folder, loaded, {}, 4, 8, choice, processes=2)
    with pytest.raises(ScoringError, match=r"9 are not in its files.*Remedy") as caught:
        run_workers(compute_share, request, tmp_path / "journal", 2, lambda *_: None)
    assert "Traceback" not in str(caught.value)


def answered(folder: Path, journal: Path, thinking: bool | None) -> list[Any]:
    return generate_answers(
        folder,
        [[{"role": "user", "content": item}] for item in ITEMS],
        system_prompt="the river",
        thinking=thinking,
        max_new_tokens=6,
        repetition_penalty=1.05,
        precision="fp32",
        batch_tokens=256,
        journal=journal,
        progress=lambda done, total, note: None,
    )


def test_the_study_asks_as_scoring_does(models: dict[str, Path], tmp_path: Path) -> None:
    """The same prompt, tomorrow too; a thought that was asked for is whole in the answer."""
    folder = copied(models["llama"], tmp_path / "model")
    template = "{{ strftime_now('%Y') }}" + TURNS.replace("assistant\n", "assistant\n<think>\n")
    (folder / "chat_template.jinja").write_text(template)
    answered(folder, tmp_path / "study", None)
    lm = engine(folder, tmp_path / "scoring")
    prompt = lm.apply_chat_template(
        [{"role": "system", "content": "the river"}, {"role": "user", "content": ITEMS[0]}]
    )
    assert prompt.startswith("2026<s>system\nthe river</s>")
    assert prompt.endswith("<s>assistant\n<think>\n\n</think>\n\n")
    assert lm.describe_engine()["spoken"] == {"date": "2026-01-01", "thinking": "closed"}
    same = lm.generate_until(
        [Instance("generate_until", {}, (prompt, {"until": [], "max_gen_toks": 6,
                                                  "repetition_penalty": 1.05}), 0)]
    )  # fmt: skip
    assert answered(folder, tmp_path / "study", None)[0].text == same[0]
    thought = answered(folder, tmp_path / "thought", True)[0].text
    assert thought.startswith("<think>\n")


def test_a_token_without_embedding_stops_before_the_model_runs(
    models: dict[str, Path], tmp_path: Path
) -> None:
    tokenizer = small_tokenizer()
    tokenizer.add_tokens(["river"])
    folder = copied(models["llama"], tmp_path / "model")
    tokenizer.save_pretrained(folder)
    with pytest.raises(CheckpointError, match=r"gives token 286, but .* only 286"):
        engine(folder, tmp_path / "j").loglikelihood(choices())


def test_scores_of_the_journal_keep_what_was_said_of_the_weights(
    models: dict[str, Path], tmp_path: Path
) -> None:
    folder = copied(models["llama"], tmp_path / "model")
    weights = load_file(folder / "model.safetensors")
    weights["score.weight"] = weights["model.norm.weight"].clone()
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    first = engine(folder, tmp_path / "j")
    first.loglikelihood(choices())
    again = engine(folder, tmp_path / "j")
    again.loglikelihood(choices())
    assert "model" not in vars(again), "nothing was computed anew"
    assert first.notes == again.notes
    assert "score.weight" in first.notes[0]
    assert json.dumps(again.describe_engine()) == json.dumps(first.describe_engine())


@pytest.mark.parametrize("kind", ["llama", "mistral"])
def test_a_new_line_behind_a_closed_thought_is_no_empty_answer(
    models: dict[str, Path], tmp_path: Path, kind: str
) -> None:
    """An answer is stopped by a line break behind it, not by those before it."""
    folder = copied(models[kind], tmp_path / "model")
    template = TURNS.replace("assistant\n", "assistant\n<think>\n")
    (folder / "chat_template.jinja").write_text(template)
    lm = engine(folder, tmp_path / "j")
    prompt = lm.apply_chat_template([{"role": "user", "content": "the sea"}])
    whole = lm.generate_until(
        [Instance("generate_until", {}, (prompt, {"until": [], "max_gen_toks": 8}), 0)]
    )[0]
    stop = whole[2]
    asked = Instance("generate_until", {}, (prompt, {"until": [stop], "max_gen_toks": 8}), 0)
    assert lm.generate_until([asked]) == [whole.split(stop)[0]]
    ask = TokenPrompt((), 8, ("\n",), blank_first=lm.spoken["thinking"] == "closed")
    assert (ask.take_answer("\n\nfour\nfive"), ask.has_stopped("\n\nfour")) == ("four", False)
    assert ask.has_stopped("\n four\n")
    left_alone = TokenPrompt((), 8, ("\n",))
    assert (left_alone.take_answer("\nfour"), left_alone.has_stopped("\nfour")) == ("", True)
