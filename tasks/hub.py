"""Reads a data set of the Hugging Face Hub at one commit, or a local repository in its layout.

A repository is named ``owner/name``, ``owner/name@revision``, or by the path of a folder that holds
what the Hub would: a README.md with its YAML configurations, and the data files.
"""

import errno
import gzip
import subprocess
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from core.hub import explain_refusal, list_causes
from core.languages import name_repository
from core.places import expand
from core.shell import quote_for_shell
from tasks.errors import DataMalformed, DataMissing, HubUnavailable
from tasks.rows import Raw

LOCAL_INSTEAD = "or give the data as files: data_dir=DIR"
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_MOST_SAID = 200


@dataclass(frozen=True)
class Repository:
    """A repository at one commit; `revision` is None for a folder that is no git repository.

    `folder` holds its files at that commit, None where they are to be fetched.
    """

    name: str
    revision: str | None
    folder: Path | None = None


@cache
def resolve(repository: str) -> Repository:
    """Returns the repository at the commit that it stands at now; the same one for the whole
    process, so that all tasks of a run read one state. `HubUnavailable` says what is in the way."""
    from huggingface_hub import constants

    path = Path(expand(repository)).resolve()
    if path.is_dir():
        return Repository(str(path), _find_head(path), path)
    name, _, revision = repository.partition("@")
    if name.count("/") != 1 or name.startswith((".", "/", "~")):
        raise HubUnavailable(
            f"{repository} is neither a folder nor a repository's name. Remedy: owner/name, "
            "owner/name@revision, or the path of a folder"
        )
    if constants.HF_HUB_OFFLINE:
        folder = _find_kept(name, revision)
        return Repository(name, folder.name, folder)
    return Repository(name, _commit(name, revision))


def read_rows(
    repository: Repository,
    config: str,
    split: str,
    columns: Sequence[str],
    asides: Sequence[str] = (),
) -> list[Raw]:
    """Returns the `columns` of all rows of a configuration's split, in the repository's order,
    and those of `asides` that it has.

    Raises `DataMissing` where there is no such configuration or split, `DataMalformed` where a
    column lacks or a file is no table, and `HubUnavailable`.
    """
    import datasets
    import httpx2
    import yaml

    datasets.disable_progress_bars()
    # What it logs of a broken file stands in the error that is raised.
    datasets.logging.set_verbosity(datasets.logging.CRITICAL)
    failures = (OSError, ValueError, EOFError, zlib.error, yaml.YAMLError, httpx2.HTTPError)
    place = repository.name + (f"@{repository.revision}" if repository.revision else "")
    source = str(repository.folder or repository.name)
    with TemporaryDirectory() as fresh:
        options: dict[str, Any] = {"revision": repository.revision}
        if repository.folder:
            # What `datasets` keeps of a folder outlives a change of the folder's files.
            options = {"cache_dir": fresh}
        try:
            configs = datasets.get_dataset_config_names(source, **options)
            if config not in configs:
                raise DataMissing(
                    f"{place} has no configuration {config} among its {len(configs)}; where it has "
                    f"the language under another code, language.hub_codes."
                    f"{name_repository(repository.name)}=CODE gives it"
                )
            splits = datasets.get_dataset_split_names(source, config, **options)
            if split not in splits:
                raise DataMissing(
                    f"{place}, {config}: no split {split}, there are {splits}. Remedy: another "
                    f"repository, evaluate.hub.BENCHMARK=owner/name, {LOCAL_INSTEAD}"
                )
            data = datasets.load_dataset(source, config, split=split, **options)
        except (*failures, datasets.exceptions.DatasetsError) as error:
            if not _is_damage(repository, error):
                raise _report_unavailable(place, error) from error
            files = _list_files(source, config, split, options)
            raise _report_unreadable(place, config, files, error) from error
        # Where the Hub goes away in between, `datasets` takes the latest state that it keeps,
        # whatever the revision that was asked for.
        kept_at = data.cache_files[0]["filename"]
        if not repository.folder and str(repository.revision) not in kept_at:
            raise HubUnavailable(f"{place} was read at another commit. Remedy: try again")
        lacking = [column for column in columns if column not in data.column_names]
        if lacking:
            raise DataMalformed(
                f"{place}, {config}: no column {', '.join(lacking)}, there are "
                f"{data.column_names}. Remedy: another repository, "
                f"evaluate.hub.BENCHMARK=owner/name, {LOCAL_INSTEAD}"
            )
        wanted = [*columns, *(column for column in asides if column in data.column_names)]
        labels = {
            column: feature.names
            for column, feature in data.features.items()
            if isinstance(feature, datasets.ClassLabel)
        }
        return [
            Raw(
                f"{place}, {config}",
                f"row {number}",
                {column: _read_cell(row[column], labels.get(column)) for column in wanted},
            )
            for number, row in enumerate(data.select_columns(wanted), 1)
        ]


def _read_cell(value: Any, names: list[str] | None) -> Any:
    """Returns a cell as it was found; a class label by its name."""
    if names and isinstance(value, int) and 0 <= value < len(names):
        return names[value]
    return value


def _find_head(path: Path) -> str | None:
    """Returns the commit of a folder that is a git repository, whose files must be that
    commit's."""
    if not (path / ".git").exists():
        return None

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(path), *arguments], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise HubUnavailable(
                f"{path}: git cannot tell its commit ({done.stderr.strip()}). Remedy: mend what "
                "git names, or give a copy of the folder without .git"
            )
        return done.stdout.strip()

    changed = git("status", "--porcelain")
    if changed:
        raise HubUnavailable(
            f"{path} differs from its commit:\n{changed}\nRemedy: commit or undo the changes, so "
            "that the recorded commit says what was read"
        )
    return git("rev-parse", "HEAD")


def _commit(name: str, revision: str) -> str:
    """Returns the commit that a revision ("": the default branch) of a data set is at."""
    import httpx2
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    try:
        commit = HfApi().dataset_info(name, revision=revision or None, timeout=30).sha
    except (HfHubHTTPError, httpx2.HTTPError, OSError, ValueError) as error:
        raise _report_unavailable(f"{name}{revision and f'@{revision}'}", error) from error
    assert commit is not None
    return str(commit)


def _find_kept(name: str, revision: str) -> Path:
    """Returns the folder in which the Hub's own cache keeps a data set at one commit, which
    names it.

    Read as a folder, since `datasets` itself takes the latest state that it keeps when it is
    offline, whatever the revision that was asked for.
    """
    from huggingface_hub import constants

    folder = Path(constants.HF_HUB_CACHE) / f"datasets--{name.replace('/', '--')}"
    reference = folder / "refs" / (revision or "main")
    if reference.is_file():
        revision = reference.read_text(encoding="utf-8").strip()
    kept = sorted(path for path in folder.glob("snapshots/*") if path.name.startswith(revision))
    if len(kept) == 1:
        return kept[0]
    if kept:
        commits = ", ".join(path.name for path in kept)
        raise HubUnavailable(
            f"HF_HUB_OFFLINE is set, and this machine keeps several commits of {name}: {commits}. "
            "Remedy: name one, as in "
            f"evaluate.hub.BENCHMARK={quote_for_shell(name)}@{kept[-1].name}"
        )
    raise HubUnavailable(
        f"HF_HUB_OFFLINE is set, and this machine keeps no {name} at {revision or 'any commit'}. "
        f"Remedy: run once without HF_HUB_OFFLINE, {LOCAL_INSTEAD}"
    )


def _is_damage(repository: Repository, error: Exception) -> bool:
    """Says whether a file of the repository is damaged or lacks, and nothing on the way to it.

    `datasets` wraps whatever happens while it reads rows in errors of its own. In a folder that the
    user gave there is no way: it can only be the files.
    """
    import datasets
    import httpx2
    import pyarrow
    import yaml
    from huggingface_hub.errors import HfHubHTTPError

    chain = list_causes(error)
    if any(isinstance(link, OSError) and link.errno in NO_ROOM for link in chain):
        return False
    if repository.folder and str(repository.folder) == repository.name:
        return True
    if any(isinstance(link, (HfHubHTTPError, httpx2.HTTPError, ConnectionError)) for link in chain):
        return False
    # StopIteration: an empty file of JSON lines.
    damage = (
        pyarrow.ArrowException,
        EOFError,
        StopIteration,
        zlib.error,
        gzip.BadGzipFile,
        yaml.YAMLError,
    )
    if any(isinstance(link, damage) for link in chain):
        return True
    generating = isinstance(error, datasets.exceptions.DatasetGenerationError)
    # Of bytes that it cannot read, Parquet's reader says so in an OSError without a number.
    return generating and any(
        isinstance(link, ValueError) or (type(link) is OSError and link.errno is None)
        for link in chain[1:]
    )


def _list_files(source: str, config: str, split: str, options: dict[str, Any]) -> str:
    """Returns the names of a split's files, as far as they can be told."""
    import datasets

    try:
        found = datasets.load_dataset_builder(source, config, **options).config.data_files
        names = [str(name).removeprefix(f"{source}/") for name in found[split]]
    except Exception:  # what is being reported may be in the way here too
        return "a file"
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{', '.join(names[:3])}{more}"


def _report_unreadable(place: str, config: str, files: str, error: Exception) -> DataMalformed:
    """Builds the error for a file of the repository that is no table, as its reader words it."""
    said = [*list_causes(error)[1:], error][0]
    why = str(said).strip().partition("\n")[0] or type(said).__name__
    if isinstance(said, StopIteration):
        why = "it is empty"
    return DataMalformed(
        f"{place}, {config}: {files} cannot be read as rows: {why[:_MOST_SAID].rstrip('.')}. "
        f"Remedy: mend it in the repository, {LOCAL_INSTEAD}"
    )


def _report_unavailable(place: str, error: Exception) -> HubUnavailable:
    """Builds the error that says what is in the way, with its remedy."""
    refusal = explain_refusal(
        error,
        place,
        kind="datasets",
        setting="evaluate.hub",
        instead=LOCAL_INSTEAD,
        gated=" (for FLORES, FLORES-200's public archive is enough), or leave the task out "
        "(evaluate.tasks)",
    )
    return HubUnavailable(f"{place} {refusal}")
