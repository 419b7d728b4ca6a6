"""The pages of models and data sets on the Hub: metadata that it reads, and what a person needs.

The text of a model's page is that of its training, with the scores and cost of the store's report;
here stand its metadata, licence, limits, and how to open and cite it.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from core.contract.facts import Facts
from core.contract.names import CHECKPOINT
from core.markdown import fence, write_cell, write_table
from core.versions import VERSION
from publishing.data import COLUMNS
from publishing.licences import DERIVABLE, find_models_licence, list_licences
from publishing.looking import read_contamination
from publishing.plan import HubRepository
from publishing.results import build_eval_results, list_hub_scores
from publishing.votes import COLUMNS as COLUMNS_OF_VOTES
from publishing.votes import Ballot
from reports.outputs.card import write_card
from reports.store.model import StoredArtifact, StoreView, Study

if TYPE_CHECKING:
    from huggingface_hub import CardData

PAPER = "2601.14051"
EMBEDDED = "embedded"
_CITATION = f"""\
## Citation

The method is that of Kakugo ([arXiv {PAPER}](https://arxiv.org/abs/{PAPER})); this was made with
the Kakugo harness {VERSION}, which is not its authors' own program.

```bibtex
@misc{{kakugo,
  title = {{Kakugo}},
  author = {{{{The authors of arXiv {PAPER}}}}},
  eprint = {{{PAPER}}},
  archivePrefix = {{arXiv}},
  url = {{https://arxiv.org/abs/{PAPER}}}
}}
```"""
READERS = (
    "transformers 4.57.6",
    "transformers 5.0.0",
    "transformers 5.24.0",
    "llama.cpp",
)
"""The programs of `scripts/bench loads` that were found to read all checkpoints that it tries as we
do. The log has what is known of the others."""
KINDS_READ = ("llama", "granitemoehybrid")
"""The kinds of checkpoints that it has tried."""
_DECODING = """\
## Decoding

The translations above were decoded greedily. For chats the paper's authors recommend
`repetition_penalty=1.05` on their models' pages; no setting was compared here."""
_LIMITS = """\
## Limitations

- It was trained on what another model wrote, with that model's errors, and its views of the world.
- It may state what is false, and repeat itself. It was not tested for safety.
- Scores on benchmarks are no judgement by speakers; the intervals above are of the items alone, and
  not of another training with another seed."""

_OWN_SETS = """\
- Scores whose data are called "embedded" are on a few texts of the harness's own, which only show
  that it runs. They say nothing about the benchmarks of the same names."""


def write_model_card(view: StoreView, repository: HubRepository) -> str:
    """Writes the page of a model. Raises CheckpointNotFoundError where its training's card is
    gone."""
    from huggingface_hub import ModelCardData

    (checkpoint,) = repository.artifacts
    origins = repository.origins
    results = build_eval_results(list_hub_scores(view, checkpoint.key))
    bases = [one.name for one in origins if one.role == "base" and one.on_hub]
    corpora = [one.name for one in origins if one.role == "corpus"]
    data = ModelCardData(
        language=repository.tongue.tag,
        **_name_licence(find_models_licence(origins)),
        library_name="transformers",
        pipeline_tag="text-generation",
        base_model=bases[0] if bases else None,
        datasets=[*([repository.partner] if repository.partner else []), *corpora] or None,
        tags=["kakugo", "low-resource", f"arxiv:{PAPER}"],
        model_name=repository.name.rpartition("/")[2] if results else None,
        eval_results=results or None,
    )
    # Training wrote metadata of its own, a title, and then all that it knew.
    written = write_card(view, checkpoint.key).partition("\n---\n")[2].strip()
    title, _, body = written.partition("\n")
    parts = [
        title,
        _describe_language(repository),
        body.strip(),
        _write_start(repository, checkpoint),
        _DECODING,
        _write_limits(view, checkpoint),
        _write_contamination(view, repository),
        _write_licences(repository),
        _CITATION,
    ]
    return _join(data, parts)


def write_data_card(view: StoreView, repository: HubRepository, rows: Mapping[str, int]) -> str:
    """Writes the page of a data set; `rows` counts those of each configuration."""
    from huggingface_hub import DatasetCardData

    name = write_cell(repository.tongue.name)
    data = DatasetCardData(
        language=repository.tongue.tag,
        license=_take_one(list_licences(repository.origins)),
        pretty_name=f"Kakugo data in {repository.tongue.name}",
        task_categories=["text-generation"],
        size_categories=find_size(sum(rows.values())),
        annotations_creators="machine-generated",
        language_creators="machine-generated",
        multilinguality="monolingual",
        tags=["kakugo", "low-resource", "synthetic", f"arxiv:{PAPER}"],
        configs=_list_configs(rows),
    )
    table = [
        [source, rows[source], artifact.about.teacher, artifact.key]
        for artifact in repository.artifacts
        if (source := str(artifact.about.source))
    ]
    parts = [
        f"# Kakugo data in {name}",
        _describe_language(repository),
        "Conversations on which a small model was, or can be, fine-tuned. A model wrote or "
        f"translated those that have a teacher. No speaker of {name} has read them.",
        "## Configurations\n\n" + write_table(["source", "rows", "teacher", "key"], table),
        "## Columns\n\n" + write_table(["column", "content"], [*map(list, COLUMNS.items())]),
        _write_contamination(view, repository),
        _write_licences(repository),
        _CITATION,
    ]
    return _join(data, parts)


def write_votes_card(
    study: Study, repository: HubRepository, ballot: Ballot, rows: Mapping[str, int]
) -> str:
    """Writes the page of a study's votes; `rows` counts those of each configuration."""
    from huggingface_hub import DatasetCardData

    tongue, about, result = repository.tongue, study.about, study.result
    data = DatasetCardData(
        language=tongue.tag,
        license=_take_one(list_licences(repository.origins)),
        pretty_name=f"Blind votes in {tongue.name}",
        task_categories=["text-generation"],
        size_categories=find_size(sum(rows.values())),
        multilinguality="monolingual",
        tags=["kakugo", "low-resource", "preference", "human-feedback", f"arxiv:{PAPER}"],
        configs=_list_configs(rows),
    )
    base, trained = write_cell(about.base), write_cell(about.trained)
    raters = len({vote["rater"] for vote in ballot.votes})
    counts = result.counts
    told = (
        f" Of the votes, {counts.wins:,} preferred {trained}, "
        f"{counts.losses:,} {base}, and {counts.ties:,} neither."
        if counts
        else ""
    )
    lines = [f"- {write_cell(one.sentence)}" for one in result.warnings]
    parts = [
        f"# Blind votes in {write_cell(tongue.name)}",
        _describe_language(repository),
        f"Native speakers ({raters:,}) read answers of two models, {base} and {trained}, to the "
        "same questions without knowing which was whose, and chose the one that they would rather "
        f"have received.{told}",
        *(["Before a figure is believed:\n\n" + "\n".join(lines)] if lines else []),
        "## Configurations\n\n"
        f"- `votes` ({rows['votes']:,} rows): every vote, ties too.\n"
        f"- `pairs` ({rows['pairs']:,} rows): prompt, chosen and rejected answer of each vote that "
        "preferred one, repeats aside.",
        "## Columns of the votes\n\n"
        + write_table(["column", "content"], [*map(list, COLUMNS_OF_VOTES.items())]),
        "## What the raters agreed to\n\n" + fence(ballot.consent),
        "Comments, times and guesses are not part of this data set. Raters who withdrew are in "
        "none of it.",
        f"## To be checked\n\nThe study's commitment is `{write_cell(about.commitment)}`, and the "
        f"head of the chain of its votes `{write_cell(about.head)}`.",
        _write_licences(repository),
        _CITATION,
    ]
    return _join(data, parts)


def _list_configs(names: Iterable[str]) -> list[dict[str, Any]]:
    return [
        {
            "config_name": name,
            "data_files": [{"split": "train", "path": f"{name}/train.parquet"}],
        }
        for name in names
    ]


def _write_limits(view: StoreView, checkpoint: StoredArtifact[Facts]) -> str:
    scores = [s for s in view.scores.values() if s.artifact.manifest.checkpoint == checkpoint.key]
    made_up = any(score.data.name == EMBEDDED for score in scores)
    return _LIMITS + (f"\n{_OWN_SETS}" if made_up else "")


def find_size(rows: int) -> str:
    """Finds the Hub's word for a number of rows."""
    limits = {1_000: "n<1K", 10_000: "1K<n<10K", 100_000: "10K<n<100K", 1_000_000: "100K<n<1M"}
    return next((word for limit, word in limits.items() if rows < limit), "1M<n<10M")


def _join(data: "CardData", parts: Sequence[str]) -> str:
    return f"---\n{data.to_yaml()}\n---\n\n" + "\n\n".join(parts) + "\n"


def _name_licence(licences: list[str]) -> dict[str, Any]:
    """Names a model's licence: the Hub takes one, and several as one of a name of its own."""
    if len(licences) == 1:
        return {"license": licences[0]}
    return {"license": "other", "license_name": "-and-".join(licences), "license_link": "README.md"}


def _take_one(licences: list[str]) -> str | list[str]:
    return licences[0] if len(licences) == 1 else licences


def _describe_language(repository: HubRepository) -> str:
    tongue = repository.tongue
    own = f" ({write_cell(tongue.autonym)})" if tongue.autonym not in ("", tongue.name) else ""
    partner = repository.partner
    kind, place = ("data", "datasets/") if repository.kind == "model" else ("model", "")
    with_it = (
        f" The {kind}: [{partner}](https://huggingface.co/{place}{partner})." if partner else ""
    )
    return f"Language: {write_cell(tongue.name)}{own}, `{tongue.flores_code}`.{with_it}"


def _write_start(repository: HubRepository, checkpoint: StoredArtifact[Facts]) -> str:
    said = _name_readers(checkpoint)
    return f"""\
## Opening it

{said}

```python
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("{repository.name}")
model = AutoModelForCausalLM.from_pretrained("{repository.name}", device_map="auto")
messages = [{{"role": "system", "content": SYSTEM_PROMPT}}, {{"role": "user", "content": QUESTION}}]
inputs = tokenizer.apply_chat_template(
    messages, add_generation_prompt=True, return_dict=True, return_tensors="pt"
).to(model.device)
answer = model.generate(**inputs, max_new_tokens=500, repetition_penalty=1.05)
print(tokenizer.decode(answer[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True))
```

`SYSTEM_PROMPT` is one of the system prompts above."""


def _name_readers(checkpoint: StoredArtifact[Facts]) -> str:
    """Says which programs open checkpoints of its kind."""
    version = checkpoint.manifest.packages.get("transformers")
    saved = f"It was saved by transformers {version}." if version else ""
    path = checkpoint.folder / CHECKPOINT / "config.json"
    kind = json.loads(path.read_text(encoding="utf-8")).get("model_type")
    if kind in KINDS_READ:
        tried = f"{', '.join(READERS[:-1])} and {READERS[-1]}"
        open_it = f"Checkpoints of its kind (`{kind}`) were opened, and read alike, by {tried}."
    else:
        shown = write_cell(str(kind))
        open_it = f"Which other programs open its kind of checkpoint (`{shown}`) was not tried."
    return f"{saved} {open_it}".strip()


def _write_contamination(view: StoreView, repository: HubRepository) -> str:
    found = read_contamination(view, repository)
    lines = []
    for one in found:
        data = one.manifest.config.get("data") or "data that are not recorded"
        lines.append(
            f"- {one.facts.items:,} texts of the benchmarks (data: {write_cell(data)}) were looked "
            f"for in {one.facts.rows:,} rows; {one.facts.contaminated_rows:,} rows hold one."
        )
        lines += [
            f"- {write_cell(name)} was not looked for: {write_cell(why)}"
            for name, why in one.facts.unchecked.items()
        ]
    text = "\n".join(lines) or "Nobody has looked for texts of benchmarks in it."
    if repository.kind == "dataset" and lines:
        text += "\n- Rows that hold one are left out here."
    return f"## Benchmark texts\n\n{text}"


def _write_licences(repository: HubRepository) -> str:
    table = [
        [one.name, one.role, one.licence, DERIVABLE.get(str(one.licence)) or "nothing more"]
        for one in repository.origins
    ]
    columns = ["made from", "as", "its licence", "it asks to"]
    return "## Licence\n\n" + write_table(columns, table)
