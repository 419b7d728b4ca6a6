"""README and the pages lead where they say, and their commands are commands."""

import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from harness.chat.command import read_words
from harness.cluster.settings import FOLDER as CLUSTERS
from harness.cluster.settings import read_cluster
from harness.cluster.submit import take_cluster
from harness.exchange import read_arguments
from harness.export.command import take_words
from harness.help import write_help
from harness.overrides import CONF, prepare_arguments
from preference.cli import main as study_main
from reports.cli import main as report_main

Compose = Callable[..., Any]

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
OTHERS = [ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"]
# What a reader puts in themselves.
HASHES = {"C": "0" * 64, "H": "0" * 64}
FILLED_IN = {"...": "teacher.base_url=URL", "URL": "http://127.0.0.1:1/v1"}


@pytest.mark.parametrize("page", [*PAGES, *OTHERS], ids=lambda page: page.name)
def test_every_link_to_a_file_of_ours_leads_to_one(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8"))
    ours = [link for link in links if "://" not in link]
    assert [link for link in ours if not (page.parent / link).exists()] == []


def test_each_page_can_be_reached_from_readme() -> None:
    text = PAGES[0].read_text("utf-8")
    linked = [f"docs/{page.name}" for page in PAGES[1:]] + [page.name for page in OTHERS]
    assert [name for name in linked if f"({name})" not in text] == []


def read_commands() -> Iterator[tuple[str, str]]:
    """The `kakugo` lines of the pages, of the heads of the configurations and of --help."""
    texts = {page.name: page.read_text("utf-8") for page in [*PAGES, *OTHERS]}
    texts |= {str(p.relative_to(CONF)): p.read_text("utf-8") for p in sorted(CONF.rglob("*.yaml"))}
    texts["--help"] = write_help()
    for name, text in texts.items():
        whole = re.sub(r"\\\n[# ]*", "", text)
        for line in re.findall(r"^[# ]*(kakugo [^\n]*)$", whole, re.MULTILINE):
            yield name, line


def split_command(line: str) -> list[str]:
    """The arguments of a command line that may end in a comment or, after spaces, in a remark."""
    bare = re.split(r" {2,}", line)[0]
    for word, value in FILLED_IN.items():
        bare = bare.replace(word, value)
    return shlex.split(bare, comments=True)[1:]


def each_point(overrides: list[str]) -> list[list[str]]:
    """The points of a sweep, one for each value of each axis (not all combinations of them)."""
    parsed = OverridesParser.create().parse_overrides(overrides)
    points = [overrides]
    for n, one in enumerate(parsed):
        if one.is_sweep_override():
            values = [f"{one.get_key_element()}={v}" for v in one.sweep_string_iterator()]
            points = [[*p[:n], value, *p[n + 1 :]] for p in points for value in values]
    return points


@pytest.mark.parametrize(("page", "line"), list(read_commands()))
def test_a_command_that_a_page_shows_is_valid(composed: Compose, page: str, line: str) -> None:
    arguments = split_command(line)
    if not arguments or arguments[0].startswith("--"):
        return
    if arguments[0] in ("send", "fetch"):
        assert read_arguments(arguments[1:])
        return
    if arguments[0] == "submit":
        given, cluster = take_cluster(arguments[1:])
        assert cluster == "FILE.yaml" or read_cluster(cluster)
        arguments = [one for one in given if one not in ("--dry-run", "--status")]
    if arguments[0] == "chat":
        assert read_words(arguments[1:]).names
        return
    if arguments[0] == "export":
        _, _, arguments = take_words(arguments[1:])
    sweeps = "-m" in arguments
    overrides = [given for given in prepare_arguments(arguments) if given != "-m"]
    for point in each_point(overrides) if sweeps else [overrides]:
        assert composed(*point).name


@pytest.mark.parametrize("path", sorted(CLUSTERS.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_cluster_that_is_shipped_is_valid_and_names_real_stages(path: Path) -> None:
    cluster = read_cluster(path.stem)
    assert cluster.options
    assert set(cluster.stages) <= {"source", "train", "score", "text"}
    for stage in ("source", "train", "score"):
        assert any(option.startswith("--time=") for option in cluster.list_options(stage))


def read_other_commands() -> Iterator[tuple[str, list[str]]]:
    """The lines of the programs whose arguments are no configuration: program and arguments."""
    for page in [*PAGES, *OTHERS]:
        whole = page.read_text("utf-8").replace("\\\n", "")
        for program, rest in re.findall(
            r"^(kakugo-report|kakugo-preference) ([^\n]*)$", whole, re.MULTILINE
        ):
            words = shlex.split(rest.split(" > ")[0], comments=True)
            yield program, [HASHES.get(word, word) for word in words if word != "..."]


@pytest.mark.parametrize(("program", "arguments"), list(read_other_commands()), ids=str)
def test_the_arguments_that_a_page_shows_can_be_read(
    program: str,
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """They lead to something that is not here, but not to a word about the arguments."""
    monkeypatch.chdir(tmp_path)
    main = {"kakugo-report": report_main, "kakugo-preference": study_main}[program]
    with suppress(SystemExit):
        main(arguments)
    assert "usage:" not in capsys.readouterr().err
