"""A run looks at its checkpoints before it pays for anything."""

from pathlib import Path

import pytest
from small import manifests, run, small
from small_checkpoints import edit, save_model, small_tokenizer

from harness.config import Student
from harness.stages.base import make_base_stage

pytestmark = pytest.mark.slow


def said(store: Path, student: Path, *more: str) -> str:
    done = run(small(store, student, "mix=topic", *more))
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stderr
    assert not list(store.glob("source/*")), "the teacher was asked"
    assert not list(store.glob("score/*"))
    return done.stderr


def test_a_student_that_is_not_whole_stops_the_run_before_the_teacher(tmp_path: Path) -> None:
    student = save_model(tmp_path / "student")
    edit(student / "config.json", num_hidden_layers=3)
    told = said(tmp_path / "store", student)
    assert "9 are not in its files and would be random: model.layers.2." in told
    assert len(told.strip().splitlines()) == 1


def test_so_does_one_that_cannot_be_trained_on_chats(tmp_path: Path) -> None:
    student = save_model(tmp_path / "student", tokenizer=small_tokenizer(template=None))
    assert "no chat template" in said(tmp_path / "store", student)


def test_and_a_published_checkpoint(tmp_path: Path, tiny: Path) -> None:
    theirs = save_model(tmp_path / "theirs")
    whole = (theirs / "model.safetensors").read_bytes()
    (theirs / "model.safetensors").write_bytes(whole[:-1])
    published = f"published=[{{name: theirs, kind: directory, path: {theirs}}}]"
    assert "model.safetensors was cut off" in said(tmp_path / "store", tiny, published)


def test_what_is_held_fast_is_in_the_key_and_in_the_manifest(tmp_path: Path) -> None:
    plain, dated = save_model(tmp_path / "plain"), save_model(tmp_path / "dated")
    (dated / "chat_template.jinja").write_text("{{ strftime_now('%Y') }}{{ messages[0].content }}")

    def fields(path: Path) -> set[str]:
        return set(make_base_stage(Student("s", "directory", path=str(path))).fields)

    assert fields(plain) == {"kind", "path", "content"}
    assert fields(dated) == {"kind", "path", "content", "held_fast"}
    done = run(small(tmp_path / "store", dated, "producers=[base]", "evaluate.tasks=[sib200]"))
    assert done.returncode == 0, done.stderr
    (made,) = manifests(tmp_path / "store", "base")
    assert made["config"]["held_fast"] == {"date": "2026-01-01"}
