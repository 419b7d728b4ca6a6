"""The score of an artifact, whose files are as its manifest lists them."""

from dataclasses import fields

from core.contract.facts import Facts
from core.contract.names import SAMPLES, SCORES
from core.contract.record import Unreadable, read_file
from core.contract.score import ScoreRecord
from reports.store.files import verify
from reports.store.model import Score, StoredArtifact


def read_score(artifact: StoredArtifact[Facts]) -> Score:
    """The score of an artifact. Raises Unreadable, which names the file and the field."""
    for name in (SCORES, SAMPLES):
        verify(artifact.folder, name, artifact.manifest.files)
    try:
        record = read_file(ScoreRecord, artifact.folder / SCORES)
        if record.interval and record.interval.low > record.interval.high:
            raise Unreadable(
                f"interval runs from {record.interval.low:g} to {record.interval.high:g}"
            )
    except Unreadable as error:
        raise Unreadable(f"{SCORES} {error}", error.remedy) from None
    content = {field.name: getattr(record, field.name) for field in fields(ScoreRecord)}
    return Score(artifact=artifact, **content)
