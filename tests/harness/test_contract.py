"""Every record of a real run holds exactly the fields of the contract, by which reports read it."""

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from small import run, small

from core.contract.facts import FACTS, extract_any_facts
from core.contract.journal import LogLine, SpeedLine
from core.contract.manifest import About, Manifest
from core.contract.names import LOG, MANIFEST, PLAN, SAMPLES, SCORES, SPEED
from core.contract.plan import RunPlan
from core.contract.record import as_json, read_file, read_record
from core.contract.samples import Choice, Translation, make_arrow_schema
from core.contract.score import TRANSLATION_MEASURES, ScoreRecord

# Stages that this experiment has no use for; test_distilled reads what distillation writes.
OTHERWISE_MADE = {"corpus", "guided", "distill"}


@pytest.fixture(scope="module")
def store(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of a finished small experiment."""
    store = tmp_path_factory.mktemp("contract")
    kept = "producers=[base,trained,steps,averaged]", "train.keep=2", "train.average=2"
    done = run(small(store, tiny, *kept, "evaluate.text=flores"))
    assert done.returncode == 0, done.stdout + done.stderr
    return store


def json_of(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_a_real_run_writes_the_records_of_the_contract(store: Path) -> None:
    stages = set()
    for path in store.glob(f"*/*/{MANIFEST}"):
        manifest = read_file(Manifest, path)
        assert as_json(manifest) == json_of(path)
        assert as_json(About(**json_of(path)["about"])) == json_of(path)["about"]
        if manifest.stage in FACTS:
            assert as_json(extract_any_facts(manifest)) == json_of(path)["facts"]
        stages.add(manifest.stage)
    assert stages == (FACTS.keys() - OTHERWISE_MADE) | {"score"}
    (plan,) = store.glob(f"runs/*/{PLAN}")
    assert as_json(read_file(RunPlan, plan)) == json_of(plan)
    for name, kind in ((LOG, LogLine), (SPEED, SpeedLine)):
        (path,) = store.glob(f"train/*/{name}")
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        assert [as_json(read_record(kind, line)) for line in lines] == lines


def test_a_real_score_has_every_measure_and_column_of_its_kind(store: Path) -> None:
    kinds = set()
    for path in store.glob(f"score/*/{SCORES}"):
        record = read_file(ScoreRecord, path)
        assert as_json(record) == json_of(path)
        translated = record.metric == "chrf++"
        taken = json_of(path)["measures"].keys()
        # The language of so few words cannot be told.
        assert translated == (set(TRANSLATION_MEASURES) - {"output_language_share"} <= taken)
        schema = make_arrow_schema(Translation if translated else Choice)
        assert pq.read_schema(path.with_name(SAMPLES)).equals(schema)
        kinds.add(translated)
    assert kinds == {True, False}
