"""Both arms' answers by a tiny model: greedy with the paper's penalty, recorded, made once."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from small_study import frozen

from core.contract.manifest import Manifest
from core.contract.record import to_text
from preference import cli
from preference.answering import find_answers_file

# Some fixed text, from which a tokenizer is trained.
WORDS = Path(__file__).parents[2] / "generation" / "embedded" / "contexts" / "swh_Latn.txt"


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return frozen(tmp_path, 3)


TEMPLATE = (
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


@pytest.fixture(scope="module")
def talkers(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two random models that say different things, and others without the repetition penalty; with
    a small tokenizer of their own, trained here."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    bytes_ = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer, raw.decoder = bytes_, decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=600, special_tokens=["<s>", "</s>"], initial_alphabet=bytes_.alphabet()
    )
    raw.train_from_iterator(WORDS.read_text("utf-8").splitlines(), trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw, bos_token="<s>", eos_token="</s>", pad_token="</s>",
        chat_template=TEMPLATE,
    )  # fmt: skip
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=512,
        tie_word_embeddings=True, initializer_range=0.2, bos_token_id=0, eos_token_id=1,
    )  # fmt: skip
    made = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        out = tmp_path_factory.mktemp("talkers") / str(seed)
        LlamaForCausalLM(config).save_pretrained(out)
        tokenizer.save_pretrained(out)
        made.append(out)
    return made


def answer(study: Path, *more: str) -> int:
    return cli.main(["answer", str(study), "--max-new-tokens", "40", *more])


def rows_of(study: Path, arm: str) -> list[dict[str, Any]]:
    return [
        json.loads(line) for line in find_answers_file(study, arm).read_text("utf-8").splitlines()
    ]


def test_both_arms_answer_as_plain_greedy_decoding_does(
    study: Path, talkers: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    system = ("--system-prompt", "Jibu kwa Kiswahili.")
    arms = ["--base", f"plain={talkers[0]}", "--trained", f"tuned={talkers[1]}"]
    assert answer(study, *arms, *system) == 0
    head, *rows = rows_of(study, "base")
    assert (
        head["recorded"]
        | {
            "temperature": 0.0,
            "repetition_penalty": 1.05,
            "system_prompt": "Jibu kwa Kiswahili.",
            "thinking": None,
            "max_new_tokens": 40,
            "name": "plain",
        }
        == head["recorded"]
    )
    assert [row["question_id"] for row in rows] == ["0", "1", "2"]

    tokenizer = AutoTokenizer.from_pretrained(talkers[0])
    model = AutoModelForCausalLM.from_pretrained(talkers[0], dtype=torch.float32)
    told = set()
    for number, row in enumerate(rows):
        chat = [
            {"role": "system", "content": "Jibu kwa Kiswahili."},
            {"role": "user", "content": f"Question number {number}?"},
        ]
        given = tokenizer.apply_chat_template(
            chat, add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        texts = []
        for penalty in (1.05, 1.0):
            made = model.generate(
                **given, max_new_tokens=40, do_sample=False, repetition_penalty=penalty
            )[0][given["input_ids"].shape[1] :]
            texts.append(tokenizer.decode(made, skip_special_tokens=True))
        assert row["text"] == texts[0]
        told.add(texts[0] != texts[1])
        assert (row["tokens"], row["finished"]) == (40, False)
    assert True in told, "the penalty tells"

    # The second call makes nothing; another setting is not taken for the same.
    before = find_answers_file(study, "base").stat().st_mtime_ns
    assert answer(study, *arms[:2], *system) == 0
    assert find_answers_file(study, "base").stat().st_mtime_ns == before
    assert answer(study, *arms[:2]) == 2
    assert "was made with another system_prompt" in capsys.readouterr().err
    files = sorted(path.name for path in (study / "answers").iterdir())
    assert files == ["base.jsonl", "trained.jsonl"], "the journals go once the files are whole"

    # Straight on to the pack, from what was written.
    pack = ["--pack", str(tmp_path / "pack"), "--key", str(tmp_path / "key.json")]
    # What random models say is in no language.
    allowed = ["--repeats", "1", "--checks", "1", "--allow", "language"]
    assert cli.main(["prepare", str(study), *pack, *allowed]) == 0
    key = json.loads((tmp_path / "key.json").read_text("utf-8"))
    assert [arm["name"] for arm in key["arms"]] == ["plain", "tuned"]
    assert key["arms"][0]["recorded"]["system_prompt"] == "Jibu kwa Kiswahili."


def test_arms_that_were_asked_differently_are_named(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for arm, name in (("base", "plain"), ("trained", "tuned")):
        path = find_answers_file(study, arm)
        path.parent.mkdir(exist_ok=True)
        recorded = {"name": name, "max_new_tokens": 5, "thinking": arm == "trained"}
        lines = [{"recorded": recorded}]
        lines += [{"question_id": n, "text": name[::-1] * n or "both"} for n in range(3)]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    pack = ["--pack", str(tmp_path / "pack"), "--key", str(tmp_path / "key.json")]
    few = ["--repeats", "1", "--checks", "1"]
    trained = find_answers_file(study, "trained")
    kept = trained.read_text("utf-8")
    trained.write_text(kept.replace('"max_new_tokens": 5', '"max_new_tokens": 7'), "utf-8")
    assert cli.main(["prepare", str(study), *pack, *few]) == 2
    assert "max_new_tokens is 5 for plain and 7 for tuned" in capsys.readouterr().err
    other = kept.replace('"thinking"', '"questions_sha256": "0", "thinking"')
    trained.write_text(other, "utf-8")
    assert cli.main(["prepare", str(study), *pack, *few]) == 2
    assert "tuned answers other questions than the frozen ones" in capsys.readouterr().err
    trained.write_text(kept, "utf-8")
    assert cli.main(["prepare", str(study), *pack, *few]) == 0
    said = capsys.readouterr().err
    assert "thinking is False for plain and True for tuned" in said
    assert "question 0, plain and tuned: the same answer from both" in said


def test_a_checkpoint_is_a_directory_or_an_artifact(
    study: Path, talkers: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from preference.answering import find_weights

    artifact = tmp_path / "train" / "key"
    artifact.mkdir(parents=True)
    manifest = Manifest(
        stage="base", version=1, key="key", label=None, config={}, inputs=(), cost_usd=0.0,
        facts={"path": str(talkers[0])}, created=None, seconds=0.0, packages={}, content=None,
        files={},
    )  # fmt: skip
    (artifact / "manifest.json").write_text(to_text(manifest), "utf-8")
    assert find_weights(artifact) == find_weights(talkers[0]) == talkers[0]
    shutil.copytree(talkers[0], artifact / "checkpoint")
    assert find_weights(artifact) == artifact / "checkpoint"
    assert answer(study, "--base", f"plain={tmp_path}") == 2
    assert "neither a model saved with save_pretrained" in capsys.readouterr().err
    assert answer(study, "--base", "plain") == 2
    assert "is no NAME=PATH" in capsys.readouterr().err
