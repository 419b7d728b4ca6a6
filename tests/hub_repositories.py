"""Local repositories as the Hub would hold them, written from the embedded sets.

Configurations, splits, paths and columns are as the data sets' own pages document them:
`facebook/belebele` (JSONL, a configuration per FLORES code, split test), `Davlan/sib200` (TSV,
splits train, validation and test), `CohereLabs/Global-MMLU` (Parquet, splits test and dev, columns
beside the used ones), `openlanguagedata/flores_plus` (Parquet, splits dev and devtest).
"""

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from tasks.files import EMBEDDED, read_lines

FLORES = ("swh_Latn", "eng_Latn")


def belebele(root: Path) -> None:
    configs = {}
    for code in FLORES:
        path = root / "data" / f"{code}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(EMBEDDED / "belebele" / f"{code}.jsonl", path)
        configs[code] = {"test": f"data/{code}.jsonl"}
    readme(root, configs)


def sib200(root: Path) -> None:
    configs = {}
    for code in FLORES:
        folder = root / "data" / code
        folder.mkdir(parents=True)
        configs[code] = {}
        for split, name in (("train", "train"), ("validation", "dev"), ("test", "test")):
            shutil.copyfile(EMBEDDED / "sib200" / code / "test.tsv", folder / f"{name}.tsv")
            configs[code][split] = f"data/{code}/{name}.tsv"
    readme(root, configs)


def global_mmlu(root: Path) -> None:
    configs = {}
    for code in ("sw", "en"):
        lines = (EMBEDDED / "global_mmlu" / f"{code}.jsonl").read_text("utf-8").splitlines()
        rows = [{**json.loads(line), "cultural_sensitivity_label": None} for line in lines]
        for split in ("test", "dev"):
            parquet(root / code / f"{split}-00000-of-00001.parquet", rows)
        configs[code] = {"test": f"{code}/test-*", "dev": f"{code}/dev-*"}
    readme(root, configs)


def flores(root: Path) -> None:
    """Its sentences carry numbers, and may stand in any order."""
    configs = {}
    for code in FLORES:
        lines = read_lines(EMBEDDED / "flores" / "devtest" / f"{code}.txt")
        rows = [
            {"id": number, "iso_639_3": code[:3], "iso_15924": code[4:], "text": line, "url": "x"}
            for number, line in enumerate(lines)
        ]
        for split in ("dev", "devtest"):
            parquet(root / split / f"{code}.parquet", rows[::-1])
        configs[code] = {split: f"{split}/{code}.parquet" for split in ("dev", "devtest")}
    readme(root, configs)


def parquet(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(rows)), path)


def readme(root: Path, configs: Mapping[str, Mapping[str, str]]) -> None:
    """The card with the configurations, as the Hub's own reader wants it."""
    listed = [
        {
            "config_name": config,
            "data_files": [{"split": split, "path": path} for split, path in splits.items()],
        }
        for config, splits in configs.items()
    ]
    card = yaml.safe_dump({"configs": listed}, sort_keys=False)
    (root / "README.md").write_text(f"---\n{card}---\n", encoding="utf-8")


def commit(root: Path) -> str:
    """Makes `root` a git repository of one commit (or adds one) and returns its hash."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(root), "-c", "user.name=x", "-c", "user.email=x@x"]
        done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    if not (root / ".git").exists():
        git("init", "--quiet")
    git("add", "--all")
    git("commit", "--quiet", "--message", "data")
    return git("rev-parse", "HEAD")


WRITERS = {"belebele": belebele, "sib200": sib200, "global_mmlu": global_mmlu, "flores": flores}
