"""Makes the files of a repository, as they are sent."""

import json
from pathlib import Path
from typing import Any

from core.checkpoints.spelling import SPELLINGS, write_settings
from core.contract.names import CARD, CHECKPOINT
from core.files import write_whole
from publishing.cards import write_data_card, write_model_card, write_votes_card
from publishing.data import write_parquet
from publishing.looking import list_files, read_contaminated_ids
from publishing.plan import HubRepository
from publishing.registered import Registered
from publishing.results import list_hub_scores, write_eval_files
from publishing.votes import CONFIGS, read_ballot, write_votes
from reports.store.model import StoreView

MARKER = "kakugo.json"
"""The file by which a repository is known as one of ours, and whose content it has."""


def build_files(
    view: StoreView, repository: HubRepository, folder: Path, registered: Registered
) -> dict[str, Path]:
    """Makes the files of a repository in a folder where they are not to be sent as they are, and
    returns the path of each by its name in the repository."""
    made = {MARKER: folder / MARKER, "README.md": folder / "README.md"}
    write_whole(made[MARKER], write_marker(repository))
    if repository.kind == "model":
        made |= _build_model(view, repository, folder, registered)
        card = write_model_card(view, repository)
    elif repository.study:
        ballot = read_ballot(repository.study)
        counts: dict[str, int] = {}
        for config in CONFIGS:
            path = made[f"{config}/train.parquet"] = folder / config / "train.parquet"
            counts[config] = write_votes(ballot, config, path)
        card = write_votes_card(repository.study, repository, ballot, counts)
    else:
        left_out = read_contaminated_ids(view, repository)
        rows = {}
        for source in repository.artifacts:
            name = str(source.about.source)
            path = made[f"{name}/train.parquet"] = folder / name / "train.parquet"
            rows[name] = write_parquet(source, path, left_out)
        card = write_data_card(view, repository, rows)
    write_whole(made["README.md"], card)
    return made


def write_marker(repository: HubRepository) -> str:
    """Writes the file that says of which artifacts a repository is."""
    content: dict[str, Any] = {
        "made_with": "kakugo-publish",
        "key": repository.key,
        "artifacts": [
            {
                "stage": one.stage,
                "key": one.key,
                "label": one.label,
                "created": one.manifest.created,
                "packages": dict(one.manifest.packages),
                "commit": one.manifest.git.commit,
            }
            for one in repository.artifacts
        ],
    }
    if repository.study:
        about = repository.study.about
        content["study"] = {"commitment": about.commitment, "head": about.head}
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _build_model(
    view: StoreView, repository: HubRepository, folder: Path, registered: Registered
) -> dict[str, Path]:
    (checkpoint,) = repository.artifacts
    made = {}
    for name in list_files(checkpoint):
        path, short = checkpoint.folder / name, name.removeprefix(f"{CHECKPOINT}/")
        if name == CARD:
            continue
        if short in SPELLINGS:
            # Again, for checkpoints of before they were written so.
            values = json.loads(path.read_text(encoding="utf-8"))
            path = folder / short
            write_whole(path, write_settings(SPELLINGS[short](values)))
        made[short] = path
    for name, text in write_eval_files(list_hub_scores(view, checkpoint.key), registered):
        made[name] = folder / name
        write_whole(made[name], text)
    return made
