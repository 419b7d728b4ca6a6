"""A publication is planned from manifests, and what must not be published is refused."""

import json
from pathlib import Path

import pytest
from huggingface_hub import ModelCard
from published_store import COMMIT, GRANITE, set_fields, write_language

from core.files import hash_file
from core.languages import list_papers_languages
from publishing.cards import write_model_card
from publishing.cli import main
from publishing.licences import TEXTS, WEIGHTS
from publishing.plan import Wanted, plan_publication, shorten_code
from reports import read_store

ROOT = Path(__file__).parents[2]
PAPER = list_papers_languages()
SWAHILI = PAPER["swahili"]


def plan(store: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """The status and all that a dry run prints."""
    status = main([str(store), "--to", "org", "--dry-run", *arguments])
    said = capsys.readouterr()
    return status, said.out + said.err


def test_a_language_gives_a_model_and_a_data_set(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_language(tmp_path, SWAHILI)
    status, said = plan(tmp_path, capsys)
    assert status == 0
    assert "org/kakugo-granite-4-0-micro-swh" in said
    assert "org/kakugo-swh " in said
    assert "cc-by-sa-4.0, odc-by" in said
    assert "topic" in said
    assert "refused" not in said


@pytest.mark.parametrize("way", ["stated", "cached"])
def test_a_student_that_was_a_directory_is_named_by_its_repository(
    tmp_path: Path, way: str
) -> None:
    write_language(tmp_path, SWAHILI)
    (base,) = tmp_path.glob("base/*")
    cache = (
        f"/root/.cache/huggingface/hub/models--ibm-granite--granite-4.0-micro/snapshots/{COMMIT}"
    )
    path = cache if way == "cached" else "/models/granite"
    set_fields(base, config={"kind": "directory", "path": path, "content": "ab" * 32})
    bases = {"granite-4.0-micro": GRANITE} if way == "stated" else {}
    view = read_store(tmp_path)
    planned = plan_publication(view, Wanted("org", bases=bases))
    assert planned.refusals == []
    model = planned.repositories[0]
    assert ModelCard(write_model_card(view, model)).data.base_model == GRANITE
    # Nothing is guessed of another place.
    set_fields(base, config={"kind": "directory", "path": "/models/granite", "content": "ab" * 32})
    (refusal, *_) = plan_publication(read_store(tmp_path), Wanted("org")).refusals
    assert "licence is not known" in refusal.why


def test_an_option_of_two_parts_needs_both(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_language(tmp_path, SWAHILI)
    status, said = plan(tmp_path, capsys, "--base", "granite")
    assert status == 2
    assert "--base 'granite' is no STUDENT=REPOSITORY.\nRemedy: " in said


def test_two_checkpoints_need_a_choice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_language(tmp_path, SWAHILI)
    write_language(tmp_path, SWAHILI, mix="topic")
    status, said = plan(tmp_path, capsys)
    assert status == 2
    assert "--producer" in said
    assert "trained:topic" in said
    assert plan(tmp_path, capsys, "--producer", "trained:gen")[0] == 0


@pytest.mark.parametrize("what", ["source", "train"])
def test_damage_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str) -> None:
    write_language(tmp_path, SWAHILI)
    name = "rows.jsonl" if what == "source" else "checkpoint/model.safetensors"
    (path, *_) = tmp_path.glob(f"{what}/*/{name}")
    content = bytearray(path.read_bytes())
    content[10] ^= 1
    path.write_bytes(content)
    status, said = plan(tmp_path, capsys)
    assert status == 2
    assert "is damaged" in said
    assert "SHA-256" in said


def test_contamination_is_refused_and_so_is_that_nobody_looked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_language(tmp_path / "a", SWAHILI, contaminated=1)
    status, said = plan(tmp_path / "a", capsys)
    assert status == 2
    assert "mix.exclude=" in said
    write_language(tmp_path / "b", SWAHILI, searched=False)
    status, said = plan(tmp_path / "b", capsys)
    assert status == 2
    assert "nobody has looked" in said


def test_a_licence_that_is_not_known_is_refused_until_it_is_stated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_language(tmp_path, SWAHILI)
    (base,) = tmp_path.glob("base/*")
    set_fields(base, config={"kind": "directory", "path": "/models/mine"})
    status, said = plan(tmp_path, capsys)
    assert status == 2
    assert "its licence is not known" in said
    assert plan(tmp_path, capsys, "--licence", "granite-4.0-micro=mit")[0] == 0
    status, said = plan(tmp_path, capsys, "--licence", "granite-4.0-micro=cc-by-nd-4.0")
    assert status == 2
    assert "cc-by-nd-4.0" in said
    status, said = plan(tmp_path, capsys, "--licence", "mit")
    assert status == 2
    assert "NAME=IDENTIFIER" in said


def test_a_base_whose_record_is_gone_is_no_known_licence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, cache = tmp_path / "store", tmp_path / "cache"
    write_language(store, SWAHILI)
    (base,) = store.glob("base/*")
    (cache / "base").mkdir(parents=True)
    base.rename(cache / "base" / base.name)
    monkeypatch.setenv("KAKUGO_CACHE", str(tmp_path / "none"))
    assert plan(store, capsys)[0] == 2
    assert plan(store, capsys, "--cache", str(cache))[0] == 0


def test_secrets_are_refused_and_not_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    token = "hf_" + "Ab1" * 12
    write_language(tmp_path / "a", SWAHILI, answer=f"Siri: {token}")
    status, said = plan(tmp_path / "a", capsys)
    assert status == 2
    assert "access token" in said
    assert "line 1 of source/rows.jsonl" in said
    assert token not in said
    own = "correct-horse-battery"
    monkeypatch.setenv("MY_API_KEY", own)
    write_language(tmp_path / "b", SWAHILI, extra={"config.json": json.dumps({"x": own})})
    status, said = plan(tmp_path / "b", capsys)
    assert status == 2
    assert "MY_API_KEY" in said
    assert own not in said


def test_a_name_that_the_hub_does_not_take_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_language(tmp_path, SWAHILI)
    status = main([str(tmp_path), "--to", "my org!", "--dry-run"])
    assert status == 2
    assert "no name that the Hub takes" in capsys.readouterr().out


def test_a_language_that_is_not_there_and_an_empty_store(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_language(tmp_path, SWAHILI)
    status, said = plan(tmp_path, capsys, "--language", "irish")
    assert status == 2
    assert "Swahili" in said
    assert plan(tmp_path, capsys, "--language", "kiswahili")[0] == 0
    status, said = plan(tmp_path / "nowhere", capsys)
    assert status == 2
    assert "Remedy" in said
    assert "Traceback" not in said


def test_codes_of_the_papers_languages_differ() -> None:
    codes = [shorten_code(one.flores_code) for one in PAPER.values()]
    assert len(set(codes)) == len(codes)
    assert shorten_code("swh_Latn") == "swh"


def test_what_is_known_by_its_content_is_what_is_shipped() -> None:
    from training.students import find_embedded_gguf

    embedded = ROOT / "generation" / "embedded"
    shipped = [embedded / "conversations.jsonl", *(embedded / "contexts").glob("*.txt")]
    assert {hash_file(path) for path in shipped} == set(TEXTS)
    assert set(WEIGHTS) == {hash_file(find_embedded_gguf())}
