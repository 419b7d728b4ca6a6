"""`scripts/bench gpu`, rehearsed here, so that no minute on a GPU is spent on mending it."""

import importlib.util
import json
import sys
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from typing import Any

import pytest
import torch
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from plain_varlen import attend_plainly
from transformers import AutoConfig, AutoModelForCausalLM

import decoding.attention
from decoding import varlen

ROOT = Path(__file__).parents[1]
PARTS = {
    "machine", "attention", "student", "scoring varlen", "scoring steps", "long shots varlen",
    "long shots steps", "scoring compared", "decoding", "training varlen", "training sdpa",
    "training compared",
}  # fmt: skip


@pytest.fixture(scope="module")
def bench() -> Any:
    spec = importlib.util.spec_from_file_location("gpu_bench", ROOT / "scripts/benches/gpu.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["gpu_bench"] = module
    spec.loader.exec_module(module)
    return module


def read_line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return found


@pytest.mark.slow
def test_every_part_runs_where_the_operation_does(
    bench: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In plain operations of the same contract."""
    monkeypatch.setattr(varlen, "load_kernel", lambda: attend_plainly)
    monkeypatch.setattr(varlen, "find_obstacle", lambda device, dtype: None)
    monkeypatch.setattr("training.attention.find_obstacle", lambda device, dtype: None)
    # The bench sets which way attention goes, which is put back behind it.
    monkeypatch.setattr(decoding.attention, "_is_fused", decoding.attention._is_fused)
    bench.main(["--tiny"])
    found = read_line(capsys)
    assert found.pop("bench") == "gpu"
    assert found.pop("tiny") is True
    assert found.keys() == PARTS
    assert not {name: part for name, part in found.items() if part.keys() & {"failed", "skipped"}}
    assert found["attention"]["largest_difference"] < 1e-4
    assert found["scoring compared"]["of_spread"] < 1e-4
    assert found["scoring compared"]["same_best"] == 1.0
    assert found["training compared"]["largest_difference_of_losses"] < 1e-4
    assert found["training varlen"]["probe"] < 1e-4
    assert found["decoding"]["attention"] == "varlen"
    for part in ("scoring varlen", "long shots steps", "decoding", "training sdpa"):
        assert found[part]["tokens_per_second"] > 0


def test_what_fails_and_what_time_does_not_allow_are_entries_with_their_reasons(
    bench: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.main(["--tiny", "--only", "scoring"])  # without the student, on a CPU
    found = read_line(capsys)
    assert found["scoring steps"]["failed"] == "RuntimeError: there is no student"
    bench.main(["--tiny", "--minutes", "-1"])
    found = read_line(capsys)
    assert all("had passed" in found[part]["skipped"] for part in PARTS)


def test_without_a_gpu_it_says_how_it_is_rehearsed(bench: Any) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(SystemExit, match=r"no GPU\. Remedy: --tiny"):
        bench.main([])


def test_a_wheel_that_lacks_is_named_with_its_version(
    bench: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert bench.list_missing() == []
    (tmp_path / "list.txt").write_text("torch\ntransformers==1.0.0\nno-such-package\n", "utf-8")
    monkeypatch.setattr(bench, "WHEELS", tmp_path / "list.txt")
    with pytest.raises(SystemExit, match=r"transformers==1\.0\.0 \(here: .*no-such-package"):
        bench.main(["--tiny"])
    assert len(read_line(capsys)["missing"]) == 2


def test_the_student_has_granites_shape(bench: Any) -> None:
    """By the number of its weights, which its publishers' files hold: 3,402,836,480."""
    config = AutoConfig.for_model(
        "granitemoehybrid", **bench.GRANITE, layer_types=["attention"] * 40, num_local_experts=0,
        num_experts_per_tok=0, position_embedding_type="rope", tie_word_embeddings=True,
    )  # fmt: skip
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    assert sum(p.numel() for p in model.parameters()) == 3_402_836_480
    assert bench.SMALL.shape.keys() == bench.GRANITE.keys()


def test_the_list_of_wheels_is_whole_and_of_our_versions(bench: Any) -> None:
    """Beside what a machine with torch, transformers, accelerate and pyarrow has."""
    lines = bench.WHEELS.read_text(encoding="utf-8").split()
    pinned = set((ROOT / "constraints.txt").read_text(encoding="utf-8").split())
    assert {line for line in lines if "==" in line} <= pinned
    names = {line.partition("==")[0] for line in lines}
    there = list_needed("torch", "transformers", "accelerate", "pyarrow")
    assert list_needed("trl", "datasets") - there <= names
    # transformers is there, but too old, and the tokenizers that it wants with it.
    assert names - (list_needed("trl", "datasets") - there) == {"transformers", "tokenizers"}


def list_needed(*names: str) -> set[str]:
    """The packages, and all that these need in turn, of those installed here."""
    seen: set[str] = set()
    waiting = [canonicalize_name(name) for name in names]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        try:
            wanted = requires(name) or []
        except PackageNotFoundError:
            continue
        seen.add(name)
        waiting += [
            canonicalize_name(one.name)
            for one in map(Requirement, wanted)
            if one.marker is None or one.marker.evaluate({"extra": ""})
        ]
    return seen
