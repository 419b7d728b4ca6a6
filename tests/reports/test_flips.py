"""Items that were flipped in many languages: joined by id, counted, and not overstated."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from store_maker import cell, choices, translations, write_plan, write_score

from core.languages import list_languages
from reports.cli import main
from reports.report import Report
from reports.store.read import read_store
from reports.tables.flips import find_flips, find_luck, tabulate_flips

NAMES = ("swahili", "uyghur", "eastern_yiddish")
RIGHT = {
    # item: right under base and under the producer, by language
    0: [(0, 1), (0, 1), (0, 1)],
    1: [(1, 0), (1, 0), (0, 1)],
    2: [(1, 1), (0, 0), (1, 1)],
    3: [(0, 1), (1, 0), (1, 1)],
}
EVIL = "</script><script>alert(1)</script>\u2028"


def make(store: Path, task: str = "sib200", data: dict[str, str] | None = None) -> Path:
    for place, id_ in enumerate(NAMES):
        language = list_languages()[id_]
        keys = ("name", "autonym", "direction", "flores_code", "script")
        for side, (producer, stage) in enumerate((("base", "base"), ("trained:gen", "train"))):
            rows = make_rows(task, place, side, language.name)
            # Languages may hold their items in any order: they are joined by ids alone.
            rows = rows[::-1] if place == 1 else rows
            key = f"{id_}-{side}"
            write_score(store, key, language.name, producer, (stage, f"{id_}{side}"), task, rows)
        write_plan(
            store,
            f"run-{place}",
            {key: getattr(language, key) for key in keys},
            [
                cell(language.name, "base", ("base", f"{id_}0"), task, f"{id_}-0"),
                cell(language.name, "trained:gen", ("train", f"{id_}1"), task, f"{id_}-1"),
            ],
        )
    return store


def make_rows(task: str, place: int, side: int, name: str) -> list[dict[str, Any]]:
    if task == "sib200":
        rows = choices(list(RIGHT), [bool(RIGHT[item][place][side]) for item in RIGHT])
        return [row | {"prompt": f"Shots.\n\nText: {EVIL} {row['doc_id']}\n:"} for row in rows]
    said = [["a b c d", "e f g h"], ["a b c x", "e f g h"]][side]
    return translations(["one", "two"], [f"{name} {text}" for text in said], ["a b c d", "e f g h"])


def results_of(store: Path) -> Any:
    return Report.from_store(read_store(store)).results


def test_items_are_joined_by_their_ids_over_languages(tmp_path: Path) -> None:
    found = find_flips(results_of(make(tmp_path)), "sib200", "trained:gen")
    assert found
    names = [list_languages()[id_].name for id_ in NAMES]
    for one in found.items:
        sides = RIGHT[int(one.id.removeprefix("item-"))]
        expected = {
            name: after - before for name, (before, after) in zip(names, sides, strict=True)
        }
        assert set(one.gained) == {name for name, step in expected.items() if step > 0}
        assert set(one.lost) == {name for name, step in expected.items() if step < 0}
        assert one.before == pytest.approx(100 * sum(before for before, _ in sides) / 3)
        assert one.after == pytest.approx(100 * sum(after for _, after in sides) / 3)
    sheet = tabulate_flips(results_of(tmp_path), ["trained:gen"])
    columns = [column.name for column in sheet.columns]
    rows = [dict(zip(columns, row, strict=True)) for row in sheet.rows]
    first = next(row for row in rows if row["direction"] == "gained")
    assert (first["item"], first["gained"], first["lost"]) == ("item-0", 3, 0)
    first = next(row for row in rows if row["direction"] == "lost")
    assert (first["item"], first["gained"], first["lost"]) == ("item-1", 1, 2)


def test_a_language_may_lack_items_that_others_have(tmp_path: Path) -> None:
    items = {"Swahili": [[0, 1, 2, 3]] * 2, "Yoruba": [[1, 2, 3, 9], [2, 1, 9, 8]]}
    for name, sides in items.items():
        for side, docs in enumerate(sides):
            producer, stage = (("base", "base"), ("trained:gen", "train"))[side]
            key = f"{name}-{side}"
            # Wrong under base, and all but item 2 right under the producer.
            rows = choices(docs, [bool(side) and doc != 2 for doc in docs])
            write_score(tmp_path, key, name, producer, (stage, key), "sib200", rows)
    found = find_flips(results_of(tmp_path), "sib200", "trained:gen")
    assert found
    assert {one.id: (one.languages, one.gained, one.after) for one in found.items} == {
        "item-0": (("Swahili",), ("Swahili",), 100.0),
        "item-1": (("Swahili", "Yoruba"), ("Swahili", "Yoruba"), 100.0),
        "item-2": (("Swahili", "Yoruba"), (), 0.0),
        "item-3": (("Swahili",), ("Swahili",), 100.0),
        "item-9": (("Yoruba",), ("Yoruba",), 100.0),
    }


def test_translations_are_ordered_by_their_change(tmp_path: Path) -> None:
    results = results_of(make(tmp_path, "flores_en_xx"))
    sheet = tabulate_flips(results, ["trained:gen"])
    (row,) = [dict(zip([c.name for c in sheet.columns], row, strict=True)) for row in sheet.rows]
    assert (row["direction"], row["item"], row["lost"]) == ("lost", "item-0", 3)
    assert row["by_luck"] is None


def test_our_own_sets_are_not_joined_with_the_benchmarks(tmp_path: Path) -> None:
    make(tmp_path)
    for path in tmp_path.glob("score/*/scores.json"):
        if "Yiddish" in json.loads(path.with_name("manifest.json").read_text())["label"]:
            rename(path)
    results = results_of(tmp_path)
    found = find_flips(results, "sib200", "trained:gen")
    assert found
    assert any("Eastern Yiddish" in note for note in results.notes)
    assert {len(one.languages) for one in found.items} == {2}


def rename(path: Path) -> None:
    """Makes the score one on the benchmark's own files."""
    content = path.read_text().replace('"embedded"', '"local"').encode()
    path.write_bytes(content)
    manifest = path.with_name("manifest.json")
    said = json.loads(manifest.read_text())
    said["files"][path.name] = {
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    manifest.write_text(json.dumps(said))


def test_luck_reaches_its_number_in_one_of_twenty_at_most() -> None:
    draw = np.random.default_rng(4)
    shares, items, times = draw.uniform(0.02, 0.2, 34), 900, 400
    least = find_luck(shares.tolist(), items)
    # The most flipped of so many items, each language's flips falling anywhere.
    flipped = [(draw.random((34, items)) < shares[:, None]).sum(axis=0) for _ in range(times)]
    most = np.array([int(found.max()) for found in flipped])
    assert np.mean(most >= least) <= 0.05 + 3 * (0.05 * 0.95 / times) ** 0.5
    assert np.mean(most >= least - 1) > 0.05, "it is the least such number"
    assert find_luck([1.0, 1.0], 10) == 3, "what flips everywhere reaches any number"


def test_pages_hold_every_item_and_no_text_is_code(tmp_path: Path) -> None:
    store, out = make(tmp_path / "store"), tmp_path / "out"
    assert main(["items", "--store", str(store), "--out", str(out)]) == 0
    html = (out / "sib200-1.html").read_text(encoding="utf-8")
    assert re.findall(r'<th scope="row">(.*?)</th>', html)[0] in ("item-1", "item-0")
    assert html.count("<tr data-file=") == len(RIGHT)
    texts = (out / "sib200-1.js").read_text(encoding="utf-8")
    assert "\u2028" not in texts
    name, items = json.loads(f"[{texts.removeprefix('kakugoItems(').removesuffix(');' + chr(10))}]")
    assert name == "sib200-1.js"
    assert [len(item) for item in items] == [len(NAMES)] * len(RIGHT)
    asked = [text for label, text, *_ in items[0][0]["lines"] if label == "Asked"]
    # The shots, which all items share, are not said again.
    assert asked[0].startswith("Text: </script>")


def test_what_cannot_be_shown_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = make(tmp_path / "store")
    assert main(["items", "--store", str(store), "--producer", "trained:other"]) == 2
    assert "one of: trained:gen" in capsys.readouterr().err
