"""Requests: what was written is read again, once for what is shared, and damage is noticed."""

from pathlib import Path

import pytest
from made_up import stage

from harness.cluster import requests
from harness.cluster.requests import JobRequest, JobWriter, read_request
from harness.errors import ClusterError

SHARED = stage("shared", long=tuple(range(1000)))
ONE, OTHER = (stage(name, kind="train", mixture=SHARED) for name in ("one", "other"))


def write(store: Path) -> list[Path]:
    writer = JobWriter(store)
    return [writer.write(JobRequest((made,), store, store / "cache")) for made in (ONE, OTHER)]


def test_a_request_is_read_as_it_was_written(tmp_path: Path) -> None:
    first, second = map(read_request, write(tmp_path))
    assert (first.stages, second.stages) == ((ONE,), (OTHER,))
    assert first.stages[0].inputs["mixture"].settings.long == SHARED.settings.long
    assert first.stages[0].key == ONE.key


def test_what_is_shared_is_written_once(tmp_path: Path) -> None:
    write(tmp_path)
    folder = tmp_path / "jobs" / "requests"
    before = {path.name for path in folder.iterdir()}
    # two requests, two trainings, the mixture and its long list
    assert len(before) == 6
    write(tmp_path)
    assert {path.name for path in folder.iterdir()} == before


def test_a_damaged_or_lost_file_is_refused(tmp_path: Path) -> None:
    first, _ = write(tmp_path)
    for path in first.parent.iterdir():
        if path != first:
            path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(ClusterError, match="is damaged"):
        read_request(first)
    with pytest.raises(ClusterError, match=r"cannot be read.*same path"):
        read_request(tmp_path / "none.pickle")


def test_another_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, _ = write(tmp_path)
    monkeypatch.setattr(requests, "VERSION", "0.0.0")
    with pytest.raises(ClusterError, match=r"submitted by version .*submit again"):
        read_request(first)
