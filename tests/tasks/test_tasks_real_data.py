"""The benchmarks' own files, where they are given: all are read, and as many items are scored as
in the paper."""

from pathlib import Path

from tasks import belebele, flores, global_mmlu, sib200
from tasks.catalogue import TASKS
from tasks.protocol import SHOTS


def test_every_file_is_read_and_the_paper_s_items_are_scored(real_data: Path) -> None:
    counts = {
        "sib200": {len(sib200.read(real_data, path.name)) for path in real_data.glob("sib200/*_*")},
        "belebele": {
            len(belebele.read(real_data, path.stem)) for path in real_data.glob("belebele/*.jsonl")
        },
        "global_mmlu": {len(global_mmlu.read(real_data, "en"))},
        "flores": {
            len(flores.read(real_data, path.stem, "xx_en", path.stem))
            for path in real_data.glob("flores/devtest/*.txt")
        },
    }
    scored = {name: {count - SHOTS for count in found} for name, found in counts.items()}
    assert scored == {"sib200": {201}, "belebele": {897}, "global_mmlu": {14_039}, "flores": {1009}}


def test_the_published_topics_are_sorted_and_warned_of(real_data: Path) -> None:
    warnings = TASKS["sib200"].warnings(real_data, "swh_Latn", limit=20)
    assert "all 3 shots bear one label" in warnings[0]
    assert "only 1 of the 7 labels" in warnings[1]
