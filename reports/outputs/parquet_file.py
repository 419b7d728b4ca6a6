"""All results as one tidy table, results.parquet: a row for each language, task and producer.

For those who go on in pandas, polars, DuckDB or R: every column has a type, what is not there is
null, and each column's meaning stands in the file (`pyarrow.parquet.read_schema(path).field(name)
.metadata`).
"""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.files import write_whole
from reports.report import Report
from reports.signs import clean
from reports.store.model import Score, StoreView
from reports.store.scored import find_protocol
from reports.tables.panels import Panel, TableCell

NAME = "results.parquet"
COLUMNS: dict[str, tuple[str, str]] = {
    "language": ("string", "the language's English name"),
    "flores_code": ("string", "its FLORES-200 code"),
    "task": ("string", "the task's name, as in the configuration"),
    "producer": ("string", "base, trained:MIX, ...: named by what differs"),
    "role": ("string", "base, trained or published"),
    "student": ("string", "the model that was trained, or scored before training"),
    "state": ("string", "result, gap, failed, missing or damaged"),
    "reason": ("string", "why there is no score"),
    "score": ("double", "0 to 100: accuracy in percent, or chrF++"),
    "stderr": ("double", "the score's standard error, in points"),
    "n": ("int64", "items that were scored"),
    "chance": ("double", "the score of guessing, 0 to 100; null for translations"),
    "metric": ("string", "accuracy, or sacrebleu's signature of chrF++"),
    "base": ("double", "base's score, where there is a gain over it"),
    "gain": ("double", "the score minus base's on the same items, in points"),
    "gain_stderr": ("double", "the gain's standard error, in points"),
    "gain_low": ("double", "lower end of the gain's 95% interval over items"),
    "gain_high": ("double", "upper end of it"),
    "gain_p": ("double", "p of the paired test of no gain, not corrected"),
    "gain_test": ("string", "that test"),
    "no_gain": ("string", "why there is no gain"),
    "training_seed": ("int64", "the seed of the training"),
    "mixture_tokens": ("int64", "tokens of the mixture, counted by the student"),
    "shots": ("int64", "examples before each item"),
    "protocol": ("string", "how an item was asked, in words"),
    "comparable": ("string", "scores of one task are comparable where this is the same"),
    "data": ("string", "embedded, local or hub"),
    "split": ("string", "the data's split"),
    "repository": ("string", "the data's repository on the Hub"),
    "revision": ("string", "its commit"),
    "data_sha256": ("string", "the hash of the rows that were read"),
    "precision": ("string", "the precision of the engine"),
    "checkpoint": ("string", "the key of the checkpoint"),
    "key": ("string", "the key of the score: artifacts/score/KEY"),
    "created": ("string", "when the score was made, ISO 8601, UTC"),
}


def write_parquet(report: Report, out: Path) -> Path:
    """Writes results.parquet into a folder, whole or not at all, and returns its path.

    An imported table has its scores alone: what it does not tell is null.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(
        [pa.field(n, t, metadata={"description": said}) for n, (t, said) in COLUMNS.items()]
    )
    # Text of a store is not trusted: half a character would end the writing.
    rows = [
        {name: clean(value) if isinstance(value, str) else value for name, value in row.items()}
        for row in list_rows(report)
    ]
    table = pa.Table.from_pylist(rows, schema=schema)
    stream = io.BytesIO()
    pq.write_table(table, stream, compression="zstd")
    out.mkdir(parents=True, exist_ok=True)
    write_whole(out / NAME, stream.getvalue(), shared=True)
    return out / NAME


def list_rows(report: Report) -> Iterator[dict[str, Any]]:
    """Lists the rows, those without a score too; what a row lacks is null."""
    if report.view is None:
        for one in report.everything.rows:
            yield {
                "language": one.language.name,
                "task": one.task,
                "producer": one.producer,
                "state": one.state,
                "reason": one.reason or None,
                "score": one.score,
                "base": one.base,
                "gain": one.gain.points if one.gain else None,
            }
        return
    for panel in report.panels:
        for row in panel.rows:
            for cell in row.cells:
                yield _make_row(report.view, panel, row.task, cell)


def _make_row(view: StoreView, panel: Panel, task: str, cell: TableCell) -> dict[str, Any]:
    found: dict[str, Any] = {
        "language": panel.language.name,
        "flores_code": panel.language.flores_code or None,
        "task": task,
        "producer": cell.producer,
        "role": cell.role,
        "student": panel.student or None,
        "state": cell.state,
        "reason": cell.reason or None,
        "no_gain": cell.no_gain or None,
    }
    if cell.score:
        found |= _list_score(view, cell.score)
    if cell.gain and cell.base:
        gain = cell.gain
        found |= {
            "base": cell.base.score,
            "gain": gain.points,
            "gain_stderr": gain.stderr,
            "gain_low": gain.low,
            "gain_high": gain.high,
            "gain_p": gain.p,
            "gain_test": gain.test or None,
            "no_gain": gain.why or None,
        }
    return found


def _list_score(view: StoreView, score: Score) -> dict[str, Any]:
    manifest, data = score.artifact.manifest, score.data
    mixture = view.find_mixture(manifest.checkpoint)
    trained = {one.key: one for one in view.trained}.get(manifest.checkpoint)
    seed = trained.manifest.config.get("seed") if trained else None
    return {
        "score": score.score,
        "stderr": score.stderr,
        "n": score.n,
        "chance": score.chance,
        "metric": score.signature or score.metric,
        "training_seed": seed if isinstance(seed, int) else None,
        "mixture_tokens": mixture.facts.tokens if mixture else None,
        "shots": score.shots,
        "protocol": score.protocol or None,
        "comparable": str(find_protocol(score)),
        "data": data.name,
        "split": data.split,
        "repository": data.repository,
        "revision": data.revision,
        "data_sha256": data.sha256,
        "precision": score.engine.precision if score.engine else None,
        "checkpoint": manifest.checkpoint,
        "key": manifest.key,
        "created": manifest.created,
    }
