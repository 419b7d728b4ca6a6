"""Rows of the Hub: the same as from files, at a commit that is recorded, or an error that helps."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import hub_repositories
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hub_server import GATED, serving

from tasks import hub
from tasks.benchmarks import flores
from tasks.catalogue import PAPERS_TASKS, TASKS
from tasks.data import open_data, read
from tasks.errors import DataMalformed, DataMissing, HubUnavailable
from tasks.files import EMBEDDED
from tasks.loading import dataset, load_task

pytestmark = pytest.mark.slow

CODES = {"global_mmlu": "sw"}
# A process of its own, since the Hub's libraries read their environment when they are imported.
READ = """
import json, sys
from tasks.catalogue import TASKS
from tasks.data import open_data, read
from tasks.errors import TasksError
from tasks.loading import dataset, load_task
for name, repository in json.loads(sys.argv[1]):
    code = "sw" if name == "global_mmlu" else "swh_Latn"
    benchmark = TASKS[name].benchmark
    try:
        loaded = load_task(TASKS[name], code, "X", open_data("hub", {benchmark: repository}))
        print(json.dumps(loaded.data_facts))
    except TasksError as error:
        print(json.dumps(f"{type(error).__name__}: {error}"))
"""


@pytest.fixture(scope="module")
def repositories(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("hub")
    for name, write in hub_repositories.WRITERS.items():
        (root / name).mkdir()
        write(root / name)
        hub_repositories.commit(root / name)
    return {name: root / name for name in hub_repositories.WRITERS}


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    """Each test resolves anew."""
    hub.resolve.cache_clear()
    yield
    hub.resolve.cache_clear()


@pytest.mark.parametrize("name", PAPERS_TASKS)
def test_a_local_repository_has_the_rows_of_the_files(
    repositories: dict[str, Path], name: str
) -> None:
    task, code = TASKS[name], CODES.get(name, "swh_Latn")
    path = repositories[task.benchmark]
    ours = load_task(task, code, "Swahili", open_data("hub", {task.benchmark: str(path)}))
    files = load_task(task, code, "Swahili", open_data(None))
    assert ours.data.sha256 == files.data.sha256
    assert [item.asked for item in (*ours.shots, *ours.items)] == [
        item.asked for item in (*files.shots, *files.items)
    ]
    commit = subprocess.run(
        ["git", "-C", str(path), "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()
    assert ours.data_facts == {
        "name": "hub",
        "sha256": files.data.sha256,
        "split": task.split,
        "revision": commit,
        "repository": str(path),
    }


Reader = Callable[..., list[object]]


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    def read(
        endpoint: str, repositories: list[tuple[str, str]], **environment: str
    ) -> list[object]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "HUGGING"))}
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", READ, json.dumps(repositories)],
            capture_output=True,
            text=True,
            env=inherited
            | {"HF_ENDPOINT": endpoint, "HF_HOME": str(tmp_path / "home"), "NO_PROXY": "*"}
            | environment,
        )
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return read


def sib(path: Path, code: str = "swh_Latn") -> None:
    load_task(TASKS["sib200"], code, "X", open_data("hub", {"sib200": str(path)}))


def test_what_is_wrong_with_a_repository_is_named(tmp_path: Path) -> None:
    root = tmp_path / "sib"
    root.mkdir()
    hub_repositories.sib200(root)
    sib(root)  # no git repository: its rows are read, no commit is recorded
    with pytest.raises(DataMissing, match="has no configuration yor_Latn"):
        sib(root, "yor_Latn")
    rows = [{"index_id": 1, "category": "travel", "text": "x"}]
    for changed, words in (
        ([{"index_id": 1, "category": "travel"}], r"no column text, there are \['index_id'"),
        ([{**rows[0], "category": "cars"}] * 4, "row 1: category is 'cars'"),
        (rows, "1 rows; 3 are the shots"),
    ):
        pq.write_table(pa.Table.from_pylist(changed), root / "other.parquet")
        hub_repositories.readme(root, {"swh_Latn": {"test": "other.parquet"}})
        with pytest.raises(DataMalformed, match=words):
            sib(root)
    hub_repositories.readme(root, {"swh_Latn": {"train": "other.parquet"}})
    with pytest.raises(DataMissing, match=r"no split test, there are \['train'\]"):
        sib(root)
    (root / "README.md").write_text("---\nconfigs: [a: b: c\n---\n")
    with pytest.raises(DataMalformed, match="while parsing a flow sequence"):
        sib(root)


@pytest.mark.parametrize(
    ("name", "damage", "words"),
    [
        ("other.parquet", lambda whole: whole[:-5], "Parquet magic bytes not found"),
        ("other.parquet", lambda _: b"", "Parquet file size is 0 bytes"),
        ("other.parquet", lambda whole: whole[:40] + b"x" * 40 + whole[80:], "."),
        ("other.jsonl", lambda _: b"", "it is empty"),
        ("other.jsonl.gz", lambda _: gzip.compress(b'{"a": "b"}\n' * 99)[:-9], "Compressed file"),
    ],
)
def test_a_damaged_file_is_named_and_is_no_trouble_with_the_hub(
    tmp_path: Path, reader: Reader, name: str, damage: Callable[[bytes], bytes], words: str
) -> None:
    """In a folder, and as the Hub serves it: the gap of a cell, where the Hub's absence is none."""
    hub_repositories.parquet(tmp_path / "one" / "other.parquet", [{"index_id": "1", "text": "x"}])
    path = tmp_path / "one" / name
    path.write_bytes(damage((tmp_path / "one" / "other.parquet").read_bytes()))
    hub_repositories.readme(tmp_path / "one", {"swh_Latn": {"test": name}})
    with pytest.raises(DataMalformed, match=f"swh_Latn: {name} cannot be read as rows: .*{words}"):
        sib(tmp_path / "one")
    hub_repositories.commit(tmp_path / "one")
    with serving({"me/one": tmp_path / "one"}) as (endpoint, _):
        (said,) = reader(endpoint, [("sib200", "me/one")])
    assert "DataMalformed: me/one@" in str(said)
    assert name in str(said)


def test_class_labels_are_read_by_their_names(tmp_path: Path) -> None:
    from datasets import ClassLabel, Dataset, Features, Value

    names = ["travel", "sports"]
    features = Features(
        {"index_id": Value("int64"), "category": ClassLabel(names=names), "text": Value("string")}
    )
    rows = [{"index_id": n, "category": n % 2, "text": "x"} for n in range(5)]
    Dataset.from_list(rows, features=features).to_parquet(tmp_path / "test.parquet")
    hub_repositories.readme(tmp_path, {"swh_Latn": {"test": "test.parquet"}})
    loaded = load_task(
        TASKS["sib200"], "swh_Latn", "X", open_data("hub", {"sib200": str(tmp_path)})
    )
    assert [item.label for item in loaded.shots] == ["travel", "sports", "travel"]


def test_a_repository_must_be_as_its_commit_says(tmp_path: Path) -> None:
    hub_repositories.sib200(tmp_path)
    hub_repositories.commit(tmp_path)
    sib(tmp_path)
    (tmp_path / "data" / "swh_Latn" / "test.tsv").write_text("changed\n")
    sib(tmp_path, "eng_Latn")  # one state for the whole process
    hub.resolve.cache_clear()
    with pytest.raises(HubUnavailable, match=r"differs from its commit:\n.*test\.tsv"):
        sib(tmp_path)


def test_translations_are_joined_on_their_ids(tmp_path: Path) -> None:
    hub_repositories.flores(tmp_path)
    path = tmp_path / "devtest" / "swh_Latn.parquet"
    table = pq.read_table(path)
    pq.write_table(table.slice(1), path)
    with pytest.raises(DataMalformed, match="and 1 of their ids occur in one only"):
        load_task(
            TASKS["flores_en_xx"], "swh_Latn", "X", open_data("hub", {"flores": str(tmp_path)})
        )


def test_two_sentences_of_one_id_are_named(tmp_path: Path) -> None:
    hub_repositories.flores(tmp_path)
    path = tmp_path / "devtest" / "swh_Latn.parquet"
    table = pq.read_table(path)
    pq.write_table(pa.concat_tables([table, table.slice(2, 1)]), path)
    with pytest.raises(DataMalformed, match=r"row 31: repeats id '27' of row 3\. Remedy"):
        load_task(
            TASKS["flores_en_xx"], "swh_Latn", "X", open_data("hub", {"flores": str(tmp_path)})
        )


def test_a_repository_that_calls_the_language_otherwise_is_read_by_its_own_code(
    tmp_path: Path,
) -> None:
    repository = tmp_path / "flores_plus"
    hub_repositories.flores(repository)
    card = repository / "README.md"
    text = card.read_text(encoding="utf-8")
    card.write_text(text.replace("config_name: swh_Latn", "config_name: gug_Latn"))
    data, task = open_data("hub", {"flores": str(repository)}), TASKS["flores_en_xx"]
    found = load_task(task, "grn_Latn", "Guarani", data, hub_codes={"flores_plus": "gug_Latn"})
    assert found.name == "kakugo_flores_en_xx_grn_Latn"
    assert found.data.sha256 == load_task(task, "swh_Latn", "X", open_data(None)).data.sha256
    remedy = r"language\.hub_codes\.flores_plus=CODE gives it"
    with pytest.raises(DataMissing, match=remedy):
        load_task(task, "grn_Latn", "Guarani", data)
    # Stock lm-eval gives the language's name and code alone.
    options = {"data_dir": "hub", "hub": {"flores": str(repository)}}
    asked = dataset("flores_en_xx", "grn_Latn", "Guarani", **options)
    assert asked["scored"]["query"] == found.make_splits()["scored"]["query"]


def test_the_sentences_of_one_language_are_those_of_the_text_file(tmp_path: Path) -> None:
    hub_repositories.flores(tmp_path)
    data = open_data("hub", {"flores": str(tmp_path)})
    for code in ("swh_Latn", "eng_Latn"):
        from_hub = read(flores.ALONE, data, code)
        assert from_hub.rows == read(flores.ALONE, open_data(str(EMBEDDED)), code).rows


def test_a_repository_of_the_hub_is_read_at_one_commit(
    repositories: dict[str, Path], reader: Reader
) -> None:
    served = {f"me/{name}": path for name, path in repositories.items()}
    names = [
        (name, f"me/{TASKS[name].benchmark}") for name in ("sib200", "global_mmlu", "flores_xx_en")
    ]
    with serving(served) as (endpoint, asked):
        sib200, mmlu, gated = reader(endpoint, names)
        for facts, name in ((sib200, "sib200"), (mmlu, "global_mmlu")):
            files = load_task(TASKS[name], CODES.get(name, "swh_Latn"), "X", open_data(None))
            assert isinstance(facts, dict)
            assert facts["repository"] == f"me/{name}"
            assert facts["sha256"] == files.data.sha256
        assert isinstance(sib200, dict)
        files_asked = [path for path in asked if path.startswith("/datasets/me/sib200/resolve/")]
        assert files_asked
        assert all(f"/resolve/{sib200['revision']}/" in path for path in files_asked)
        assert GATED == "me/flores"
        assert "HubUnavailable: me/flores" in str(gated)
        assert "is gated" in str(gated)
        assert "set HF_TOKEN" in str(gated)
        refused = {
            "me/nothing": "is not on the Hub, or is private",
            "me/sib200@nowhere": "has no such revision",
            "sib": "neither a folder nor a repository's name",
        }
        let_in, *refusals = reader(
            endpoint,
            [("flores_xx_en", "me/flores"), *(("sib200", name) for name in refused)],
            HF_TOKEN="hf_x",
        )
        assert isinstance(let_in, dict)
        for refusal, words in zip(refusals, refused.values(), strict=True):
            assert words in str(refusal)
    (away,) = reader(endpoint, [("sib200", "me/sib200")])
    assert "the Hub cannot be reached" in str(away)


def test_offline_the_commit_that_was_asked_for_is_read(
    repositories: dict[str, Path], reader: Reader
) -> None:
    path, latest = repositories["sib200"], ("sib200", "me/sib200")
    with serving({"me/sib200": path}) as (endpoint, _):
        (first,) = reader(endpoint, [latest])
        assert reader(endpoint, [latest], HF_HUB_OFFLINE="1") == [first]
        table = path / "data" / "swh_Latn" / "test.tsv"
        table.write_text(table.read_text().replace("C", "K"))
        hub_repositories.commit(path)
        (second,) = reader(endpoint, [latest])
        assert isinstance(first, dict)
        assert isinstance(second, dict)
        assert first["revision"] != second["revision"]
        assert first["sha256"] != second["sha256"]
        pinned = [("sib200", f"me/sib200@{facts['revision']}") for facts in (first, second)]
        assert reader(endpoint, pinned) == [first, second]
        asked = [*pinned, latest, ("belebele", "me/belebele")]
        *read, several, none = reader(endpoint, asked, HF_HUB_OFFLINE="1")
    assert read == [first, second]
    assert "keeps several commits of me/sib200" in str(several)
    assert "this machine keeps no me/belebele" in str(none)
