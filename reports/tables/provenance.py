"""The commands, commits and packages that the numbers came from."""

from core.contract.manifest import Git
from reports.store.model import StoreView
from reports.tables.sheet import Column, Sheet


def tabulate_runs(view: StoreView) -> Sheet:
    """List the command of each run, and the error of one that failed."""
    columns = (
        Column("run", "Run"),
        Column("command", "Command", prose=True, code=True),
        Column("error", "Error", prose=True),
    )
    rows = tuple((run.path, run.plan.command or None, run.error) for run in view.runs)
    return Sheet(columns, rows)


def tabulate_provenance(view: StoreView) -> Sheet:
    """List the key, version, commit and packages of each artifact."""
    columns = (
        Column("stage", "Stage"),
        Column("label", "What"),
        Column("key", "Key", code=True),
        Column("version", "Stage version"),
        Column("commit", "Commit", code=True),
        Column("packages", "Packages", prose=True),
    )
    rows = [
        (
            *(a.stage, a.label, a.key),
            "" if a.manifest.version is None else str(a.manifest.version),
            _name_commit(a.manifest.git),
            ", ".join(f"{name} {version}" for name, version in sorted(a.manifest.packages.items())),
        )
        for stage in view.stages
        for a in view.list_stage(stage)
    ]
    return Sheet(columns, tuple(rows))


def _name_commit(git: Git) -> str | None:
    if git.commit is None:
        return None
    return git.commit[:12] + (" + local changes" if git.dirty else "")
