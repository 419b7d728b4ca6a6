"""The score file of an artifact, every field checked."""

from collections.abc import Mapping
from typing import Any

from reports.store import files
from reports.store.files import Unreadable
from reports.store.model import Artifact, Engine, Score, ScoreInterval

METRICS = ("accuracy", "chrf++")
SAMPLES = "samples.parquet"


def read_score(artifact: Artifact) -> Score:
    """The score of an artifact whose files are as its manifest lists them.

    Raises Unreadable, which names the file and the field.
    """
    for name in ("scores.json", SAMPLES):
        files.verify(artifact.folder, name, artifact.files)
    try:
        return _score(artifact, files.read_object(artifact.folder / "scores.json"))
    except Unreadable as error:
        raise Unreadable(f"scores.json {error}") from None


def _score(artifact: Artifact, row: Mapping[str, Any]) -> Score:
    data = files.mapping(row, "data")
    return Score(
        artifact=artifact,
        task=files.text(row, "task"),
        lm_eval_task=files.text(row, "lm_eval_task", ""),
        metric=files.text(row, "metric"),
        score=files.number(row, "score", 0, 100),
        stderr=files.number_or_none(row, "stderr", low=0),
        interval=_interval(row),
        n=files.whole(row, "n", low=1),
        chance=files.number_or_none(row, "chance", 0, 100),
        shots=files.whole(row, "shots"),
        protocol=files.text(row, "protocol", ""),
        protocol_fields=_texts(files.mapping(row, "protocol_fields")),
        data_name=files.text(data, "name", "unnamed"),
        data_sha256=files.text(data, "sha256", ""),
        split=files.text(data, "split", ""),
        revision=files.text(data, "revision", ""),
        repository=files.text(data, "repository", ""),
        engine=_engine(row),
        signature=files.text(row, "signature", "") or None,
        measures=_measures(row),
        warnings=files.texts(row, "warnings"),
    )


def _interval(row: Mapping[str, Any]) -> ScoreInterval | None:
    found = files.mapping(row, "interval")
    if not found:
        return None
    low, high = files.number(found, "low"), files.number(found, "high")
    if low > high:
        raise Unreadable(f"interval runs from {low:g} to {high:g}")
    return ScoreInterval(
        low, high, files.number(found, "level", 0, 1), files.text(found, "method", "")
    )


def _engine(row: Mapping[str, Any]) -> Engine | None:
    found = files.mapping(row, "engine")
    if not found:
        return None
    shares = found.get("shares_prefix")
    if not isinstance(shares, bool):
        raise Unreadable(f"engine.shares_prefix must be true or false, but is {shares!r}")
    return Engine(
        name=files.text(found, "name"),
        version=str(found.get("version") or "unknown"),
        precision=files.text(found, "precision", "unknown"),
        shares_prefix=shares,
        settings={
            str(name): str(value)
            for name, value in found.items()
            if name not in ("name", "version", "precision", "shares_prefix")
        },
    )


def _texts(row: Mapping[str, Any]) -> dict[str, str]:
    return {name: files.text(row, name, "") for name in row}


def _measures(row: Mapping[str, Any]) -> dict[str, float | None]:
    found = files.mapping(row, "measures")
    return {name: files.number_or_none(found, name) for name in found}
