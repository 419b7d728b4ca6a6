"""A published folder: whatever is changed in it is named, and what nothing was held against, said.

The forger of these tests knows the program and recomputes every hash that covers what they change.
"""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_study import prepared, vote_all

from core.lines import read_json_lines
from preference import cli
from preference.chain import EventRow, hash_event, hash_payload, read_row
from preference.closing import close
from preference.commitment import hash_canonical
from preference.key import read_key
from preference.pack import read_pack
from preference.publishing import compute_result, make_published_files
from preference.verify import Check, inspect


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `unblind` wrote of a study of two raters."""
    folder = tmp_path_factory.mktemp("published")
    pack, key = prepared(folder)
    vote_all(pack, lambda pack, screen, slot: "ab"[(screen.place + slot) % 3 == 0])
    close(pack)
    out = folder / "result"
    assert cli.main(["unblind", str(pack), "--key", str(key), "--out", str(out)]) == 0
    shutil.rmtree(pack)
    return out


@pytest.fixture
def folder(published: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(published, tmp_path / "copy"))


def elsewhere(published: Path) -> list[str]:
    """The options that hold a folder against what was published elsewhere."""
    commitment = json.loads((published / "commitment.json").read_text("utf-8"))["commitment"]
    head = json.loads((published / "closed.json").read_text("utf-8"))["head"]
    return ["--commitment", commitment, "--head", head.upper() + " "]


def said_by(checks: list[Check]) -> str:
    return "\n".join(f"{c.name}: {problem}" for c in checks for problem in c.problems)


def problems_of(folder: Path) -> str:
    return said_by(inspect(folder, folder / "key.json"))


def with_hashes(folder: Path) -> None:
    """Recomputes the manifest, as a forger does."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    for name in manifest["files"]:
        data = (folder / name).read_bytes()
        entry = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        manifest["files"][name] = entry
    write(path, manifest)


def write(path: Path, value: dict[str, Any]) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    path.write_text(text, "utf-8")


def another_value(value: Any) -> tuple[Any, bool]:
    """A JSON value with one number, word or truth in it changed, and whether there was any."""
    if isinstance(value, bool):
        return not value, True
    if isinstance(value, int | float):
        return value + 1, True
    if isinstance(value, str):
        return value + "x", True
    for at, inner in value.items() if isinstance(value, dict) else enumerate(value or ()):
        new, done = another_value(inner)
        if done:
            return (
                {**value, at: new}
                if isinstance(value, dict)
                else [*value[:at], new, *value[at + 1 :]]
            ), True
    return value, False


def rechained(rows: list[EventRow], commitment: str) -> list[EventRow]:
    """The same events with all hashes computed anew, over votes that all say something else.

    All of them, since the first one may be of a repeated or a check pair, which result.json counts
    and votes.csv leaves out.
    """
    out: list[EventRow] = []
    previous, changed = commitment, False
    for row in rows:
        body = row.body or ""
        if row.kind == "vote":
            value = json.loads(body)
            value["choice"] = "equal" if value["choice"] != "equal" else "a"
            body, changed = json.dumps(value, sort_keys=True, separators=(",", ":")), True
        payload = hash_payload(row.salt, row.at, row.kind, row.idempotency, body)
        previous = hash_event(previous, row.seq, row.slot, payload)
        out.append(
            EventRow(
                row.seq, row.slot, payload, previous, row.salt, row.at, row.kind, row.idempotency,
                body,
            )
        )  # fmt: skip
    assert changed
    return out


def rows_of(folder: Path) -> list[EventRow]:
    return [read_row(row) for _, row in read_json_lines(folder / "votes.jsonl")]


def forged(folder: Path) -> dict[str, str]:
    """Every file of the folder as it would be had the votes been others, made by the program."""
    key = read_key(folder / "key.json")
    rows = rechained(rows_of(folder), key.commitment)
    return make_published_files(key, rows, compute_result(key, rows))


def change(folder: Path, name: str) -> None:
    """Changes what a file says and every hash over it that someone with the folder can compute."""
    path = folder / name
    if name == "votes.jsonl":
        files = forged(folder)
        for changed in (name, "closed.json"):
            (folder / changed).write_text(files[changed], "utf-8")
    elif name.endswith(".json"):
        value, done = another_value(json.loads(path.read_text("utf-8")))
        assert done
        write(path, value)
        if name == "pack.json":
            other = json.loads((folder / "commitment.json").read_text("utf-8"))
            write(folder / "commitment.json", {**other, "pack_sha256": hash_canonical(value)})
    else:
        text = path.read_text("utf-8")
        at = next(i for i, c in enumerate(text) if c in "0123456789")
        path.write_text(text[:at] + str((int(text[at]) + 1) % 10) + text[at + 1 :], "utf-8")
    if name != "manifest.json":
        with_hashes(folder)


# Where a file is named by another word than its own.
CALLED = {"votes.jsonl": "votes.csv is not", "pack.json": "pack: ", "key.json": "the key gives"}


def test_a_folder_that_nobody_touched_holds(
    published: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert problems_of(published) == ""
    assert cli.main(["verify", str(published), *elsewhere(published)]) == 0
    assert "not held" not in capsys.readouterr().out


def test_each_file_is_changed_in_turn_with_all_hashes_and_named(
    published: Path, tmp_path: Path
) -> None:
    names = sorted(path.name for path in published.iterdir())
    assert len(names) >= 12
    for name in names:
        copy = Path(shutil.copytree(published, tmp_path / name))
        change(copy, name)
        assert CALLED.get(name, name) in problems_of(copy), name


def test_one_byte_more_in_any_file_is_named(published: Path, tmp_path: Path) -> None:
    for name in sorted(path.name for path in published.iterdir()):
        copy = Path(shutil.copytree(published, tmp_path / name))
        with (copy / name).open("ab") as file:
            file.write(b"\n")
        if name != "manifest.json":
            with_hashes(copy)
        assert f"{name} is not what the key and the votes give" in problems_of(copy), name


def test_a_result_changed_everywhere_alike_is_named_with_what_was_derived(folder: Path) -> None:
    """Numbers, votes and words changed together, so that each agrees with the others."""
    result = json.loads((folder / "result.json").read_text("utf-8"))
    before = result["primary"]["p"]
    result["primary"]["p"] = 0.0001
    write(folder / "result.json", result)
    for name, old, new in (
        ("votes.csv", ",base,", ",trained,"),
        ("summary.txt", "p = ", "p < 0.001, not "),
    ):
        path = folder / name
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), "utf-8")
    with_hashes(folder)
    said = problems_of(folder)
    assert f"primary.p is 0.0001, derived is {before}" in said
    for name in ("result.json", "votes.csv", "summary.txt", "manifest.json"):
        assert f"{name} is not what" in said
    assert cli.main(["verify", str(folder)]) == 1


@pytest.mark.parametrize(
    ("tamper", "named"),
    [
        (lambda f: (f / "raters.csv").unlink(), "raters.csv is missing"),
        (lambda f: (f / "manifest.json").unlink(), "manifest.json is missing"),
        (lambda f: (f / "table.csv").write_text("p\n0.001\n"), "table.csv should not be there"),
        (lambda f: (f / "more").mkdir(), "more should not be there"),
        (lambda f: (f / "votes.sqlite").write_bytes(b""), "votes.sqlite should not be there"),
        (lambda f: (f / "figure.svg").rename(f / "figure2.svg"), "figure.svg is missing"),
    ],
)
def test_a_file_too_few_or_too_many_is_named(
    folder: Path, tamper: Callable[[Path], object], named: str
) -> None:
    tamper(folder)
    assert named in problems_of(folder)


@pytest.mark.parametrize(
    "name", ["key.json", "pack.json", "commitment.json", "closed.json", "votes.jsonl"]
)
def test_without_a_file_that_verify_needs_the_file_is_named(
    folder: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / name).unlink()
    assert cli.main(["verify", str(folder)]) in (1, 2)
    assert name in capsys.readouterr().err


def test_a_study_forged_as_a_whole_fits_together_and_is_never_a_full_success(
    folder: Path, published: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Votes, chain, head and every table made anew by the program itself, from a vote changed."""
    for name, text in forged(folder).items():
        (folder / name).write_text(text, "utf-8")
    own = elsewhere(folder)
    assert cli.main(["verify", str(folder)]) == cli.UNHELD == 3
    said = capsys.readouterr().out
    assert "not held against anything published: the votes: --head" in said
    assert "not held against anything published: the key: --commitment" in said
    assert cli.main(["verify", str(folder), *own[:2]]) == 3, "the head is as much needed"
    assert cli.main(["verify", str(folder), *elsewhere(published)]) == 1
    assert "published elsewhere was head" in capsys.readouterr().err


def test_another_version_of_a_library_is_said(
    folder: Path, published: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = json.loads((folder / "result.json").read_text("utf-8"))
    result["computed_with"]["scipy"] = "0.1"
    write(folder / "result.json", result)
    with_hashes(folder)
    assert cli.main(["verify", str(folder), *elsewhere(published)]) == 3
    assert "computed with" in (said := capsys.readouterr().out)
    assert "scipy 0.1" in said


def test_unblinding_again_leaves_nothing_of_an_earlier_result(tmp_path: Path) -> None:
    pack, key = prepared(tmp_path)
    vote_all(pack, lambda pack, screen, slot: "a")
    close(pack)
    out = tmp_path / "result"
    arguments = ["unblind", str(pack), "--key", str(key), "--out", str(out)]
    assert cli.main(arguments) == 0
    (out / "old.csv").write_text("an earlier program's table")
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    manifest["files"]["old.csv"] = {"bytes": 0, "sha256": ""}
    write(out / "manifest.json", manifest)
    assert cli.main(arguments) == 0
    assert problems_of(out) == ""
    (out / "mine.txt").write_text("someone's notes")
    assert cli.main(arguments) == 2
    assert (out / "mine.txt").exists()
    assert cli.main([*arguments[:-1], str(pack)]) == 2, "a pack is no place for a result"
    assert read_pack(pack)


def test_a_digest_that_is_none_is_refused(
    published: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        cli.main(["verify", str(published), "--head", "abcd 1234"])
    assert "is not 64 hex digits" in capsys.readouterr().err


def test_a_comparison_of_several_studies_takes_no_forged_one(
    folder: Path, published: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = tmp_path / "result.json"
    shutil.copyfile(published / "result.json", alone)
    out = ["--out", str(tmp_path / "out")]
    assert cli.main(["compare", str(published), str(alone), *out]) == 0
    assert f"not verified: {alone} holds no key" in capsys.readouterr().out
    change(folder, "result.json")
    assert cli.main(["compare", str(published), str(folder), *out]) == 1
    assert "result.json is not what" in capsys.readouterr().err
