"""SEA-HELM's sets from repositories in the Hub's layout: a configuration a language or direction,
splits `eval` and `examples`, the same items as from files."""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from seahelm_data import write_seahelm

from tasks import hub
from tasks.catalogue import TASKS
from tasks.data import open_data
from tasks.errors import DataMissing
from tasks.loading import load_task
from tasks.protocol import Protocol

pytestmark = pytest.mark.slow

NUSAX = "nlg/translation/data/nusax/{split}/{name}"
SETS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "seahelm_sentiment": ("jv", {"jv": "nlu/sentiment_analysis/data/jv_nusax"}),
    "seahelm_syntax": ("id", {"id": "lindsea/syntax/data/id_own"}),
    "seahelm_nusax_id_xx": ("jv", {"id_to_jv": NUSAX, "jv_to_id": NUSAX}),
}


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    """Each test resolves anew."""
    hub.resolve.cache_clear()
    yield
    hub.resolve.cache_clear()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_seahelm(tmp_path_factory.mktemp("seahelm"))


def write_repository(root: Path, folder: Path, configs: Mapping[str, str]) -> None:
    """Copies the files of a set into a repository whose README tells its configurations."""
    lines = ["---", "configs:"]
    for config, place in configs.items():
        lines += [f"- config_name: {config}", "  data_files:"]
        for split, end, part in (("eval", "", "devtest"), ("examples", "_examples", "dev")):
            name = f"{config}_{split}.jsonl"
            source = root / "seahelm" / place.format(split=part, name=config)
            shutil.copy(source.with_name(f"{source.name}{end}.jsonl"), folder / name)
            lines += [f"  - split: {split}", f"    path: {name}"]
    (folder / "README.md").write_text("\n".join([*lines, "---", ""]), encoding="utf-8")


@pytest.mark.parametrize("prompt", ["plain", "chat-turns"])
@pytest.mark.parametrize("name", SETS)
def test_a_repository_has_the_items_of_the_files(
    name: str, prompt: str, root: Path, tmp_path: Path
) -> None:
    code, configs = SETS[name]
    write_repository(root, tmp_path, configs)
    task, protocol = TASKS[name], Protocol(prompt=prompt)  # type: ignore[arg-type]
    data = open_data("hub", {task.benchmark: str(tmp_path)})
    ours = load_task(task, code, "x", data, protocol)
    files = load_task(task, code, "x", open_data(str(root)), protocol)
    assert [item.asked for item in ours.items] == [item.asked for item in files.items]
    assert ours.data.sha256 == files.data.sha256
    assert ours.shots_shown == files.shots_shown


def test_a_repository_without_the_language_is_a_gap(root: Path, tmp_path: Path) -> None:
    write_repository(root, tmp_path, SETS["seahelm_sentiment"][1])
    data = open_data("hub", {"seahelm_sentiment": str(tmp_path)})
    with pytest.raises(DataMissing, match="has no configuration su"):
        load_task(TASKS["seahelm_sentiment"], "su", "Sundanese", data)
