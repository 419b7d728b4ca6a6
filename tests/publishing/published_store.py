"""Writes a store as publishing meets it: sources, a mixture, a training and scores."""

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "reports"))

from store_maker import (
    choices,
    key_of,
    source_facts,
    train_facts,
    write_artifact,
    write_plan,
    write_score,
)

from core.contract.facts import (
    CheckpointFacts,
    ContaminationFacts,
    CorpusFacts,
    MixtureFacts,
)
from core.contract.manifest import About
from core.contract.names import CHECKPOINT, CONTAMINATED, MANIFEST, ROWS
from core.contract.score import ScoredData
from core.languages import Language

GRANITE = "ibm-granite/granite-4.0-micro"
TEACHER = "openai/gpt-oss-120b"
SYSTEMS = ("Think before you answer.", "Answer at once.")
CARD = f"""---
language: xx
---

# granite

## How to use it

To think:

```text
{SYSTEMS[0]}
```

To answer at once:

```text
{SYSTEMS[1]}
```

## Scores

In the report.
"""
CORPORA = {
    "context": ("HuggingFaceFW/fineweb-2", "d0defb2"),
    "translated": ("BAAI/Infinity-Instruct", "61b1ac5"),
}
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def set_fields(folder: Path, **changes: Any) -> None:
    """Changes fields of an artifact's manifest."""
    path = folder / MANIFEST
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def make_row(source: str, number: int, answer: str = "Jibu.") -> dict[str, Any]:
    """A row as a source has it."""
    return {
        "id": f"{source}-{number}",
        "source": source,
        "messages": [
            {"role": "user", "content": f"Swali {number}?"},
            {"role": "assistant", "content": answer},
        ],
        "reasoning": None,
        "provenance": {"seed": 0, "topic": "mito"},
        "language": "swa",
        "quality": [],
    }


def write_base(store: Path) -> str:
    """The student of the Hub, once a store; returns its key."""
    key = key_of("base")
    if not (store / "base" / key).exists():
        folder = write_artifact(
            store, "base", key, "granite", About(student="granite-4.0-micro", role="base"),
            CheckpointFacts("/models/granite"), {},
        )  # fmt: skip
        set_fields(folder, config={"kind": "hub", "repository": GRANITE, "commit": COMMIT})
    return key


def write_source(store: Path, language: str, name: str, answer: str = "Jibu.") -> str:
    """Three rows of the teacher's, and the corpus that they start from; returns its key."""
    inputs = []
    if name in CORPORA:
        repository, commit = CORPORA[name]
        corpus = key_of("corpus", language, name)
        write_artifact(
            store, "corpus", corpus, repository, About(repository=repository),
            CorpusFacts(9, repository, commit, None), {},
        )  # fmt: skip
        inputs = [("corpus", "corpus", corpus)]
    rows = [json.dumps(make_row(name, n, answer), ensure_ascii=False) for n in range(3)]
    key = key_of("source", language, name)
    folder = write_artifact(
        store, "source", key, f"{language}: {name}",
        About(language=language, source=name, teacher=TEACHER),
        source_facts(3), {ROWS: "\n".join(rows) + "\n"}, inputs=inputs,
    )  # fmt: skip
    set_fields(folder, config={"source": name, "files": {"prompts": "00" * 32}})
    return key


def write_language(
    store: Path,
    language: Language,
    *,
    mix: str = "gen",
    contaminated: int = 0,
    searched: bool = True,
    hub_data: bool = False,
    answer: str = "Jibu.",
    extra: dict[str, str | bytes] | None = None,
) -> None:
    """One whole run: sources, mixture, search for benchmarks, training, two scores."""
    name, base = language.name, write_base(store)
    sources = ("topic", "context", "translated")
    keys = {
        source: key_of("source", name, source)
        if (store / "source" / key_of("source", name, source)).exists()
        else write_source(store, name, source, answer)
        for source in sources
    }
    mixture = key_of("mixture", name, mix)
    write_artifact(
        store, "mixture", mixture, mix, About(language=name, mix=mix),
        MixtureFacts(9, 0, 900, None, None, ()), {ROWS: "{}\n"},
        inputs=[("base", "base", base), *((n, "source", key) for n, key in keys.items())],
    )  # fmt: skip
    if searched:
        found = {"id": "topic-1", "source": "topic", "benchmark": "sib200"}
        folder = write_artifact(
            store, "contamination", key_of("contamination", name, mix), mix,
            About(language=name, mix=mix),
            ContaminationFacts(9, contaminated, 500, contaminated, 0, {}, {"afrixnli": "no files"}),
            {CONTAMINATED: f"{json.dumps(found)}\n" * contaminated},
            inputs=[("mixture", "mixture", mixture)],
        )  # fmt: skip
        set_fields(folder, config={"data": "hub"})
    train = key_of("train", name, mix)
    files: dict[str, str | bytes] = {
        "README.md": CARD,
        "config.json": json.dumps(
            {"model_type": "granitemoehybrid", "_name_or_path": "/home/me/x"}
        ),
        "tokenizer_config.json": json.dumps(
            {"is_local": True, "tokenizer_class": "TokenizersBackend"}
        ),
        "model.safetensors": bytes(range(256)) * 8 + name.encode(),
        **(extra or {}),
    }
    write_artifact(
        store, "train", train, f"{name}: {mix}",
        About(language=name, producer=f"trained:{mix}", role="trained"),
        train_facts(9, [2.0, 1.0], None),
        {f"{CHECKPOINT}/{file}": content for file, content in files.items()},
        inputs=[("base", "base", base), ("mixture", "mixture", mixture)],
    )  # fmt: skip
    data = ScoredData(COMMIT, "Davlan/sib200", "hub", "ab" * 32, "test") if hub_data else None
    for producer, checkpoint, right in (
        ("base", ("base", base), 4),
        (f"trained:{mix}", ("train", train), 15),
    ):
        folder = write_score(
            store, key_of("score", name, mix, producer), name, producer, checkpoint, "sib200",
            choices(range(20), [n < right for n in range(20)]), **({"data": data} if data else {}),
        )  # fmt: skip
        set_fields(folder, config={"task": "sib200", "code": language.flores_code, "limit": None})
    write_plan(
        store,
        f"{language.id}-{mix}",
        {
            "name": name,
            "autonym": language.autonym or "",
            "direction": language.direction,
            "flores_code": language.flores_code,
            "script": language.script,
        },
        [],
        mix=mix,
    )
