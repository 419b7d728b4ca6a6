"""A benchmark is one file: a made-up one is found, configured, scored and reported."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from small import KAKUGO, manifests

DECLARATION = '''
"""Capitals: which of two cities is a country's capital. A row: id, country, right, wrong"""

from pathlib import Path

from tasks.benchmark import Asking, Benchmark, Item, Naming, list_answers, name_choices
from tasks.files import read_jsonl
from tasks.protocol import LETTERS
from tasks.rows import Raw, Row, read_keys, read_texts


def read(root: Path, code: str) -> list[Raw]:
    return read_jsonl(root / "capitals" / f"{code}.jsonl")


def make_item(row: Row, asking: Asking) -> Item:
    answers = sorted([row["right"], row["wrong"]])
    return Item(
        id=row["id"],
        cluster=row["id"],
        text=row["country"],
        query=f"{asking.words.question}: {row['country']}\\n"
        f"{list_answers(answers, asking.protocol)}\\n{asking.words.answer}:",
        label=LETTERS[answers.index(row["right"])],
        choices=name_choices(answers, asking.protocol),
        answer=answers.index(row["right"]),
    )


BENCHMARK = Benchmark(
    name="capitals",
    tasks=(Naming("capitals", "Capitals"),),
    place=25,
    repository="owner/capitals",
    split="test",
    complete=8,
    columns=(*read_keys("id"), *read_texts("country", "right", "wrong")),
    identity=("id",),
    read_files=read,
    item=make_item,
    letters=LETTERS[:2],
)
'''
CITIES = ("Kenya Nairobi Mombasa", "Uganda Kampala Jinja", "Misri Kairo Aleksandria",
          "Rwanda Kigali Butare", "Sudan Khartoum Omdurman", "Zambia Lusaka Ndola",
          "Malawi Lilongwe Blantyre", "Ghana Akra Kumasi")  # fmt: skip
# As if the file lay in tasks/benchmarks.
ADDED = "import sys, tasks.benchmarks as b; b.__path__.append(sys.argv.pop(1)); "
RUN = ADDED + "from harness.cli import main; main()"
GENERATED = ADDED + (
    "import json; from tasks.generate import list_facts, list_task_files; from core import tasks; "
    "print(json.dumps({str(p): t for p, t in {**list_task_files(), tasks.FILE: list_facts()}"
    ".items()}))"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the declaration, and one with the benchmark's data."""
    (tmp_path / "declared").mkdir()
    (tmp_path / "declared" / "capitals.py").write_text(DECLARATION, encoding="utf-8")
    (tmp_path / "data" / "capitals").mkdir(parents=True)
    rows = [
        dict(zip(("id", "country", "right", "wrong"), (str(n), *line.split()), strict=True))
        for n, line in enumerate(CITIES)
    ]
    text = "".join(f"{json.dumps(row)}\n" for row in rows)
    (tmp_path / "data" / "capitals" / "sw.jsonl").write_text(text, encoding="utf-8")
    return tmp_path


def call(program: str, folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", program, str(folder / "declared"), *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def test_it_is_scored_and_reported(folder: Path, tiny: Path) -> None:
    common = (f"store={folder}/store", f"cache={folder}/cache", f"data_dir={folder}/data",
              "student=directory", "student.name=tiny", f"student.path={tiny}",
              "producers=[base]", "evaluate.batch_tokens=64")  # fmt: skip
    wanted = ("evaluate.tasks=[capitals]", "language.benchmarks.capitals=sw")
    done = call(RUN, folder, *common, *wanted)
    assert done.returncode == 0, done.stderr
    (score,) = manifests(folder / "store", "score")
    facts = score["facts"]
    assert (facts["task"], facts["metric"], facts["chance"], facts["n"]) == (
        *("capitals", "accuracy", 50, 5),
    )
    command = [sys.executable, "-m", "reports.cli", "--store", str(folder / "store")]
    done = subprocess.run(
        [*command, "--format", "csv", "--out", str(folder / "out")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "Swahili,capitals,base," in (folder / "out" / "scores.csv").read_text()
    # A language that it lacks is a gap with the remedy; the run goes on.
    done = call(RUN, folder, *common, "language=zulu", "evaluate.tasks=[capitals,sib200]")
    assert "language.benchmarks.capitals=CODE gives one" in " ".join(done.stdout.split())


def test_a_mistyped_name_is_told_the_nearest(folder: Path) -> None:
    for program, also in ((RUN, [str(folder / "declared")]), (None, [])):
        wrong = ["evaluate.tasks=[capitols]", "language.benchmarks.capital=sw", "plan=true",
                 "evaluate.hub.capital=x", f"store={folder}/store"]  # fmt: skip
        start = [sys.executable, "-c", program] if program else KAKUGO
        done = subprocess.run([*start, *also, *wrong], capture_output=True, text=True)
        said = done.stderr
        assert done.returncode == 1
        assert "evaluate.tasks.0: one of sib200, belebele" in said
        assert ("capitals" in said) == bool(program), "only where it is declared"
        if program:
            assert "language.benchmarks.capital: there is no such key. Nearest: capitals" in said
            assert "evaluate.hub.capital: there is no such key. Nearest: capitals" in said


def test_what_is_generated_follows(folder: Path) -> None:
    done = call(GENERATED, folder)
    assert done.returncode == 0, done.stderr
    files = {Path(name).name: text for name, text in json.loads(done.stdout).items()}
    facts = files["tasks.yaml"]
    assert "capitals:\n  title: Capitals\n  metric: accuracy\n  chance: 50.0\n" in facts
    # In its place: after Belebele (20), before Global-MMLU (30).
    assert facts.index("belebele:") < facts.index("capitals:") < facts.index("global_mmlu:")
    assert "kakugo_sib200_swh_Latn.yaml" in files
