"""Fetches one file of a data set on the Hugging Face Hub, for a study's questions."""

from dataclasses import dataclass
from pathlib import Path

from tasks.errors import HubUnavailable
from tasks.hub import resolve


@dataclass(frozen=True)
class HubFile:
    """A file on this machine, and where it is from; `revision` is None for a plain folder."""

    path: Path
    repository: str
    revision: str | None


def fetch_file(name: str, file: str) -> HubFile:
    """Fetches `file` of the repository `name` (or of a folder in its layout) at the commit it is
    at now.

    Raises HubUnavailable where the repository or the file cannot be had.
    """
    repository = resolve(name)
    if repository.folder:
        return HubFile(repository.folder / file, repository.name, repository.revision)
    import httpx2
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError

    try:
        path = hf_hub_download(
            repository.name, file, repo_type="dataset", revision=repository.revision
        )
    except (HfHubHTTPError, httpx2.HTTPError, OSError, ValueError) as error:
        raise HubUnavailable(f"{repository.name}: {file} cannot be had ({error}).") from error
    return HubFile(Path(path), repository.name, repository.revision)
