"""A real study's votes as `kakugo-publish` sends them: what is in it, and what must not be."""

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
from huggingface_hub import DatasetCard
from small_study import enrolled, prepared, vote_all

from preference import cli
from preference.closing import close, open_ballots
from preference.messages import FOLDER
from preference.pack import read_pack
from preference.rater_app import make_vote_body
from preference.screens import Screen
from preference.standing import HeldChoice
from publishing.cli import main
from publishing.files import build_files
from publishing.looking import look_over
from publishing.plan import Publication, Wanted, plan_publication
from publishing.votes import CONSENTS
from reports import StoreView, read_store

WORDS = "Siri: jina langu ni Asha."


def choose(pack: dict[str, Any], screen: Screen, slot: int) -> str:
    """The trained arm's side on even questions, and neither of the others."""
    texts = [pack["texts"][screen.a], pack["texts"][screen.b]]
    on = ["nrehtuos" in text for text in texts]
    even = texts[0].rstrip(".")[-1] in "02468"
    return "equal" if on[0] == on[1] or not even else "a" if on[0] else "b"


def comment(pack_dir: Path) -> None:
    """A third rater's first vote, with words of their own."""
    pack = read_pack(pack_dir)
    ballots = open_ballots(pack_dir, pack)
    screen = enrolled(pack, ballots, 2)[0]
    body = make_vote_body(screen, "equal", {"comment": WORDS})
    ballots.take(2, [HeldChoice("vote", f"vote:{screen.item}", 1, "", body)])
    ballots.close_file()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("votes")
    pack, key = prepared(folder, raters=3)
    vote_all(pack, choose)
    comment(pack)
    close(pack)
    unblind = ["unblind", str(pack), "--key", str(key), "--store", str(folder / "store")]
    assert cli.main(unblind) == 0
    return folder / "store"


def plan(store: Path, **wanted: Any) -> tuple[StoreView, Publication]:
    view = read_store(store)
    (study,) = view.studies
    licences = {f"study {study.folder.name}": "cc-by-4.0"}
    return view, plan_publication(view, Wanted("org", licences=licences, votes=True, **wanted))


def test_votes_and_pairs_are_those_of_the_study(store: Path, tmp_path: Path) -> None:
    view, planned = plan(store)
    assert [*planned.refusals, *look_over(view, planned)] == []
    (repository,) = planned.repositories
    assert (repository.name, repository.kind) == ("org/kakugo-votes-swh", "dataset")
    files = build_files(view, repository, tmp_path, {})
    votes = pq.read_table(files["votes/train.parquet"]).to_pylist()
    (study,) = view.studies
    with (study.folder / "votes.csv").open(encoding="utf-8") as lines:
        listed = [row for row in csv.DictReader(lines) if row["kind"] != "check"]
    assert [(v["rater"], v["question"], v["choice"]) for v in votes] == [
        (row["rater"], row["question"], row["choice"]) for row in listed
    ]
    for vote in votes:
        number = int(vote["question"])
        assert vote["prompt"] == f"Question number {number}?"
        assert vote["base_answer"] == f"Text nrehtron of {number}."
        assert vote["trained_answer"] == f"Text nrehtuos of {number}."
        assert vote["base_verdict"] is None
    pairs = pq.read_table(files["pairs/train.parquet"]).to_pylist()
    # Two raters, the four even questions, and no repeat.
    assert len(pairs) == 8
    for pair in pairs:
        number = int(pair["question"])
        assert pair["chosen"] == [{"role": "assistant", "content": f"Text nrehtuos of {number}."}]
        assert pair["rejected"] == [{"role": "assistant", "content": f"Text nrehtron of {number}."}]
        assert pair["prompt"] == [{"role": "user", "content": f"Question number {number}?"}]
    card = DatasetCard(text := files["README.md"].read_text("utf-8"))
    assert (card.data.license, card.data.language) == ("cc-by-4.0", "sw")
    assert study.about.commitment in text
    assert study.about.head in text
    assert "Tunahifadhi chaguo zako" in text  # as the raters read it
    assert f"{len(votes)} rows): every vote" in text


def test_no_byte_that_is_sent_has_a_raters_words_or_the_secret(store: Path, tmp_path: Path) -> None:
    view, planned = plan(store)
    (repository,) = planned.repositories
    files = build_files(view, repository, tmp_path, {})
    (study,) = view.studies
    secret = json.loads((study.folder / "key.json").read_text("utf-8"))["secret"]
    for name, path in files.items():
        content = path.read_bytes()
        assert WORDS.encode() not in content, name
        assert secret.encode() not in content, name
        if path.suffix == ".parquet":
            cells = str(pq.read_table(path).to_pylist())
            assert "Asha" not in cells
            assert secret not in cells
    columns = pq.read_schema(files["votes/train.parquet"]).names
    assert not [name for name in columns if "comment" in name or "time" in name]


def test_words_of_a_studys_own_are_published_only_when_a_person_says_so(
    store: Path, tmp_path: Path
) -> None:
    import shutil

    other = Path(shutil.copytree(store, tmp_path / "store"))
    (key,) = other.glob("preference/*/key.json")
    values = json.loads(key.read_text("utf-8"))
    values["settings"]["messages"]["consent_kept"] = "We keep your choices to ourselves."
    key.write_text(json.dumps(values), "utf-8")
    manifest = key.with_name("manifest.json")
    entries = json.loads(manifest.read_text("utf-8"))
    content = key.read_bytes()
    entries["files"]["key.json"] |= {
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    manifest.write_text(json.dumps(entries), "utf-8")
    (refusal,) = plan(other)[1].refusals
    assert "to which its raters agreed" in refusal.why
    assert refusal.remedy == f"where they do: --consent {key.parent.name}"
    assert plan(other, consents=[key.parent.name])[1].refusals == []


def test_votes_are_left_alone_unless_asked_for_and_their_licence_is_said(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(store), "--to", "org", "--dry-run"]) == 2
    assert "neither a trained checkpoint nor data" in capsys.readouterr().err
    assert main([str(store), "--to", "org", "--dry-run", "--votes"]) == 2
    said = capsys.readouterr().out
    (study,) = store.glob("preference/*")
    assert f"--licence 'study {study.name}=IDENTIFIER'" in said
    licence = f"study {study.name}=cc-by-4.0"
    assert main([str(store), "--to", "org", "--dry-run", "--votes", "--licence", licence]) == 0
    assert "kakugo-votes-swh" in capsys.readouterr().out


def test_the_known_words_of_consent_are_those_of_the_pages() -> None:
    shipped = {
        hashlib.sha256(
            yaml.safe_load(file.read_text("utf-8"))["messages"]["consent_kept"].encode()
        ).hexdigest()
        for file in FOLDER.glob("*.yaml")
    }
    assert shipped
    assert shipped <= CONSENTS
