"""The paper's run asks for nothing that is not there, in each of its 54 languages.

Beside this file, in `recorded/`, are the configurations of each data set, as its publishers list
them at the commit that the first line names.
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from core.errors import MendableError
from core.languages import find_hub_code, list_papers_languages
from generation.corpus import PINS
from harness.stages.corpus import make_corpus_stage
from tasks import hub
from tasks.catalogue import find_benchmarks
from tasks.data import open_data, read

RECORDED = Path(__file__).parent / "recorded"
PAPERS = {key: one for key, one in list_papers_languages().items() if key != "english"}
# The paper has no score there, though the data set has the language.
NOT_THE_PAPERS = {("nyanja", "global_mmlu"), ("plateau_malagasy", "global_mmlu")}


def read_list(name: str) -> dict[str, list[str]]:
    """What stands behind each configuration, by its name."""
    head, *lines = (RECORDED / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    assert head.startswith("# ")
    return {line.split()[0]: line.split()[1:] for line in lines}


LISTS = {path.stem: read_list(path.stem) for path in sorted(RECORDED.glob("*.txt"))}
# The paper's benchmarks, by the list of each.
BENCHMARKS = {name: name for name in ("belebele", "sib200", "global_mmlu")} | {
    "flores": "flores_plus"
}


@pytest.fixture
def papers(composed: Callable[..., Any]) -> Callable[[str], Any]:
    return lambda key: composed(
        "experiment=paper", f"language={key}", "teacher.base_url=http://127.0.0.1:1/v1"
    )


def test_the_lists_are_whole() -> None:
    assert {name: len(codes) for name, codes in LISTS.items()} == {
        "belebele": 122, "fineweb_2": 1913, "flores_plus": 221, "global_mmlu": 42, "sib200": 205,
    }  # fmt: skip
    assert len(PAPERS) == 54


@pytest.mark.parametrize("key", PAPERS)
def test_contexts_come_from_a_subset_that_fineweb2_has(
    papers: Callable[[str], Any], key: str, tmp_path: Path
) -> None:
    """By the stage that fetches them, whose commit is written down beforehand."""
    pins = '{"HuggingFaceFW/fineweb-2@main": "' + "2" * 40 + '"}'
    (tmp_path / PINS).write_text(pins, encoding="utf-8")
    stage = make_corpus_stage(papers(key), "context", tmp_path)
    assert stage is not None
    (documents,) = LISTS["fineweb_2"][stage.settings.subset]
    assert int(documents) == PAPERS[key].fineweb2_documents > 0


@pytest.mark.parametrize("key", PAPERS)
def test_benchmarks_are_read_from_configurations_that_they_have(
    papers: Callable[[str], Any], key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the code that reads them from the Hub, stopped where it would go there."""
    asked: list[tuple[str, str, str]] = []

    def note(repository: hub.Repository, config: str, split: str, *columns: Any) -> list[Any]:
        asked.append((repository.name, config, split))
        return []

    monkeypatch.setattr(hub, "resolve", lambda name: hub.Repository(name, "1" * 40, RECORDED))
    monkeypatch.setattr(hub, "read_rows", note)
    config = papers(key)
    assert config.data_dir == "hub"
    for name, list_name in BENCHMARKS.items():
        benchmark, listed = find_benchmarks()[name], LISTS[list_name]
        code = config.language.find_code(name)
        if code is None:
            there = listed.keys() & {PAPERS[key].tag, PAPERS[key].flores_code}
            assert bool(there) == ((key, name) in NOT_THE_PAPERS), name
            assert config.language.find_gap(name)
            continue
        asked.clear()
        with suppress(MendableError):  # no rows are too few
            read(benchmark, open_data("hub"), code, config.language.hub_codes)
        assert asked, name
        for repository, configuration, split in asked:
            assert repository == benchmark.repository
            assert configuration in listed, name
            assert not listed[configuration] or split in listed[configuration]
        assert find_hub_code(config.language.hub_codes, benchmark.repository, code) in {
            configuration for _, configuration, _ in asked
        }
