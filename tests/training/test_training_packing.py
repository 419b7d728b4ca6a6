import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from training.dataset import make_examples
from training.packing import pack_documents
from training.prepare import prepare
from training.settings import DataSettings

HERE = Path(__file__).parent
DATA = DataSettings(
    max_length=64, packing=True, overlong="drop", train_newline=False, validation=0.0
)
CHAT = [
    {"role": "system", "content": "Jibu kwa Kiswahili."},
    {"role": "user", "content": "Habari?"},
    {"role": "assistant", "content": "<think>Salamu.</think>Nzuri."},
    {"role": "user", "content": "2 + 2?"},
    {"role": "assistant", "content": "4"},
]
# Template: the tokens that it adds to SmolLM2's vocabulary, and what ends an answer.
TEMPLATES = {
    "granite4": (("<|start_of_role|>", "<|end_of_role|>", "<|end_of_text|>"), "<|end_of_text|>"),
    "llama3": (
        ("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
        "<|eot_id|>",
    ),
    "qwen": (("<|im_start|>", "<|im_end|>"), "<|im_end|>"),
    "smollm2": ((), "<|im_end|>"),
}


def lengths(count: int, mean: float, seed: int = 0) -> list[int]:
    rng = random.Random(seed)
    return [min(8000, max(8, int(rng.expovariate(1 / mean)))) for _ in range(count)]


@pytest.mark.parametrize(("count", "mean"), [(5000, 300), (1500, 1500), (700, 3000)])
def test_packed_rows_are_full_and_hold_every_document_once(count: int, mean: float) -> None:
    documents = lengths(count, mean)
    rows = pack_documents(documents, 8000)
    assert sorted(number for row in rows for number in row) == list(range(count))
    assert all(sum(documents[number] for number in row) <= 8000 for row in rows)
    assert sum(documents) / (len(rows) * 8000) >= 0.98
    assert pack_documents(documents, 8000) == rows


def test_documents_that_fill_no_row_together_stay_apart() -> None:
    assert pack_documents([6, 6, 4, 4, 10], 10) == [[4], [0, 2], [1, 3]]
    assert pack_documents([], 10) == []
    with pytest.raises(ValueError, match="11 tokens, a row only 10"):
        pack_documents([11], 10)


def written(folder: Path, name: str = "train") -> list[dict[str, list[int]]]:
    import pyarrow.parquet as pq

    return list(pq.read_table(folder / f"{name}.parquet").to_pylist())


def test_long_rows_are_dropped_or_cut_and_counted_by_source(
    tiny: Path, write_rows: Callable[..., Path], tmp_path: Path
) -> None:
    short = {"source": "topic", "messages": CHAT[1:3]}
    long = [CHAT[1], {"role": "assistant", "content": "na " * 99}]
    asks = [{"role": "user", "content": "na " * 99}, CHAT[2]]
    rows = write_rows(
        short, {"source": "mine", "messages": long}, {"source": "mine", "messages": asks}, short
    )
    facts = prepare(base=tiny, rows=rows, out=tmp_path / "a", data=DATA, seed=0)
    assert (facts.rows, facts.dropped, facts.truncated) == (2, 2, 0)
    assert facts.sources["mine"].dropped == 2
    cut = DataSettings(64, True, "truncate", False, 0.0)
    facts = prepare(base=tiny, rows=rows, out=tmp_path / "b", data=cut, seed=0)
    # The one whose answer was all behind the cut has nothing to learn from.
    assert (facts.rows, facts.dropped, facts.truncated) == (3, 1, 1)
    assert max(len(row["input_ids"]) for row in written(tmp_path / "b")) == 64


def test_what_is_written_is_what_was_masked(
    tiny: Path, rows: Path, tokenizer: Any, tmp_path: Path
) -> None:
    data = DataSettings(128, True, "drop", False, 0.2)
    facts = prepare(base=tiny, rows=rows, out=tmp_path, data=data, seed=0)
    assert (facts.rows, facts.validation_rows) == (10, 2)
    expected = set()
    for line in rows.read_text(encoding="utf-8").splitlines():
        (example,) = make_examples(json.loads(line)["messages"], tokenizer, frozenset({2}))
        expected.add((tuple(example.input_ids), (-100, *example.labels[1:])))
    found, used = set(), 0
    for row in (*written(tmp_path), *written(tmp_path, "validation")):
        at = 0
        for length in row["seq_lengths"]:
            end = at + length
            found.add((tuple(row["input_ids"][at:end]), tuple(row["labels"][at:end])))
            at = end
        assert at == len(row["input_ids"]) == len(row["labels"]) <= 128
    assert found == expected
    used = sum(len(row["input_ids"]) for row in written(tmp_path))
    assert facts.fill == pytest.approx(used / (128 * facts.packs))


@pytest.mark.parametrize("name", TEMPLATES)
def test_golden_tokens_masks_and_positions(name: str, tokenizer: Any, smollm2: Path) -> None:
    """The templates are in the format of each family; special tokens are added to one vocabulary.

    `trained` in the golden file was written by hand.
    """
    from transformers import AutoTokenizer

    from training.collate import Collator

    added, end = TEMPLATES[name]
    student = AutoTokenizer.from_pretrained(smollm2)
    if name != "smollm2":
        student.add_special_tokens({"additional_special_tokens": list(added)})
        student.chat_template = (HERE / "templates" / f"{name}.jinja").read_text(encoding="utf-8")
    ends = frozenset({student.convert_tokens_to_ids(end)})
    golden = json.loads((HERE / "golden" / "templates.json").read_text(encoding="utf-8"))[name]
    (example,) = make_examples(CHAT, student, ends)
    assert student.decode(example.input_ids) == golden["text"]
    runs: list[list[int]] = [[]]
    for token, label in zip(example.input_ids, example.labels, strict=True):
        if label == -100:
            runs.append([])
        else:
            runs[-1].append(token)
    assert [student.decode(run) for run in runs if run] == golden["trained"]
    assert example.input_ids == golden["input_ids"]
    assert [n for n, label in enumerate(example.labels) if label != -100] == golden["at"]
    row = {
        "input_ids": example.input_ids * 2,
        "labels": example.labels * 2,
        "seq_lengths": [len(example.input_ids)] * 2,
    }
    positions = Collator("sdpa", 0)([row])["position_ids"][0].tolist()
    assert positions == [*range(len(example.input_ids))] * 2
    # The newline behind an answer is trained only where that is asked for.
    (more,) = make_examples(CHAT, student, ends, train_newline=True)
    extra = sum(label != -100 for label in more.labels) - len(golden["at"])
    assert extra == (0 if name == "llama3" else 2)
