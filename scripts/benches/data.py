"""From the user's own data to packed tokens, stage by stage and size by size, beside a floor.

scripts/bench data [--rows 1500 15000] [--kind chat|parallel] [--student CHECKPOINT]

Chats are invented from seeded words of the embedded text: some 1,200 tokens each, half of them with
reasoning. Parallel lines are sentences of some 20 such words, asked in both directions: two rows a
line. Each stage runs in a process of its own, so that its memory is its own, after a few rows
that load what it needs. A mixture is made twice: the second time, as each further mixture of the
same sources, it finds its tokens, and so does the packing. The floor is the tokenizer alone,
`encode_batch` on the same texts. The other side of the checks is their plain definition: a regular
expression with a back reference for loops, and datasketch's own MinHash.

Time is the processor's. "growth" is the time of a row at the largest size over that at the
smallest: 1 is linear. With --rows 1500 15000 50000 it takes some ten minutes, as with 200,000
parallel lines.
"""

import argparse
import json
import random
import re
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from datasketch import MinHash

from core.checkpoints.opening import open_tokenizer
from core.contract.names import ROWS
from core.output import guard_output
from generation.mixture.contamination import BenchmarkText, look_for_items
from generation.mixture.make import ChatTokens, make_mixture
from generation.mixture.settings import Contamination, Mix
from generation.own import make_own
from generation.quality.checks import repeats_itself
from generation.quality.signature import sign_text
from generation.settings import Own, Quality
from training.prepare import make_token_counter, prepare
from training.settings import DataSettings
from training.students import find_embedded_gguf, materialise_gguf
from training.tokenised import Tokeniser

TEXT = Path("generation/embedded/contexts/swh_Latn.txt")
DATA = DataSettings(
    max_length=8000, packing=True, overlong="drop", train_newline=False, validation=0.01
)
LOOP = re.compile(r"(.{1,80}?)\1{4,}\s*\Z", re.DOTALL)
CHATS, PAIRS = "chats.jsonl", "pairs.tsv"
WARMING = 40  # rows
ITEMS = 2_000


class Inventor:
    """Texts from seeded words; the first ones are the same whatever their number."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self._words = TEXT.read_text(encoding="utf-8").split()
        starts = ("b", "ch", "d", "k", "l", "m", "ng", "sh", "t")
        self._syllables = [start + vowel for start in starts for vowel in "aeiou"]

    def write(self, length: int) -> str:
        """A text of half to one and a half times so many words, three in ten of them made up."""
        rng = self._rng
        chosen = (
            rng.choice(self._words)
            if rng.random() < 0.7
            else "".join(rng.choices(self._syllables, k=3))
            for _ in range(rng.randint(length // 2, length * 3 // 2))
        )
        return " ".join(chosen)


def make_chats(rows: int, seed: int = 0) -> Iterator[dict[str, Any]]:
    """So many invented chats."""
    inventor = Inventor(seed)
    for number in range(rows):
        messages = [
            {"role": "user", "content": inventor.write(90)},
            {"role": "assistant", "content": "\n\n".join(inventor.write(60) for _ in range(3))},
        ]
        reasoning = {"reasoning": inventor.write(280)} if number % 2 else {}
        yield {"messages": messages, **reasoning}


def make_items() -> list[BenchmarkText]:
    """An invented benchmark: the beginnings of other chats' answers."""
    found = list(make_chats(ITEMS, seed=1))
    texts = [" ".join(chat["messages"][1]["content"].split()[:30]) for chat in found]
    return [
        BenchmarkText("bench", "swh_Latn", str(n), str(n), text) for n, text in enumerate(texts)
    ]


class Stages:
    """The stages on one folder, each on what those before it have left there."""

    def __init__(self, folder: Path, student: Path) -> None:
        self.folder, self.student = folder, student
        self.kept = folder / "kept"
        self.mixed = folder / "mixture" / ROWS

    def run_own(self) -> None:
        pairs = self.folder / PAIRS
        own = Own("parallel", (str(pairs),), "both")
        make_own(
            "mine",
            own if pairs.exists() else Own("chat", (str(self.folder / CHATS),)),
            language="Swahili",
            flores_code="swh_Latn",
            script="Latin",
            quality=Quality(),
            hashes={},
            seed=0,
            out=self.folder / "own",
            progress=lambda done, total, note: None,
        )

    def run_mixture(self) -> None:
        make_mixture(
            {"mine": self.folder / "own"},
            Mix("bench", {"mine": 1.0}),
            language="Swahili",
            seed=0,
            out=self.folder / "mixture",
            tokens=ChatTokens(
                make_token_counter(self.student, DATA, self.kept),
                Tokeniser(self.student, kept=self.kept).count,
            ),
        )

    run_mixture_again = run_mixture

    def run_contamination(self) -> None:
        found = look_for_items(
            self.mixed, make_items(), Contamination(), self.folder / "contamination"
        )
        assert found.items == ITEMS

    def run_packing(self) -> None:
        packed = self.folder / "packed"
        prepare(base=self.student, rows=self.mixed, out=packed, data=DATA, seed=0, kept=self.kept)

    def run_floor(self) -> None:
        """The tokenizer alone on what the mixture trains."""
        tokenizer = open_tokenizer(self.student).backend_tokenizer
        with self.mixed.open(encoding="utf-8") as lines:
            while texts := [join_turns(json.loads(line)) for line in islice(lines, 256)]:
                tokenizer.encode_batch(texts, add_special_tokens=False)

    def run_checks(self) -> None:
        for said, asked in self._read_texts():
            list(map(repeats_itself, said))
            sign_text(asked)

    def run_plain_checks(self) -> None:
        for said, asked in self._read_texts():
            list(map(repeats_by_definition, said))
            mark = MinHash(num_perm=128, hashfunc=zlib.crc32, seed=1, scheme="affine32")
            windows = {asked[at : at + 5] for at in range(max(1, len(asked) - 4))}
            mark.update_batch([window.encode() for window in windows])

    def _read_texts(self) -> Iterator[tuple[list[str], str]]:
        with (self.folder / "own" / ROWS).open(encoding="utf-8") as lines:
            for line in lines:
                said = [turn["content"] for turn in json.loads(line)["messages"]]
                yield said, said[0]


STAGES = (
    *("own", "mixture", "mixture_again", "contamination", "packing", "floor"),
    *("checks", "plain_checks"),
)


def repeats_by_definition(text: str) -> bool:
    loop = LOOP.search(text[-600:])
    if loop and len(loop[0]) >= 60 and any(map(str.isalnum, loop[1])):
        return True
    data = text.encode("utf-8", "replace")
    return len(data) >= 400 and len(data) > 8.0 * len(zlib.compress(data, 6))


def join_turns(row: dict[str, Any]) -> str:
    return "\n".join(turn["content"] for turn in row["messages"])


def write_data(folder: Path, kind: str, rows: int) -> None:
    folder.mkdir()
    if kind == "chat":
        with (folder / CHATS).open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(chat) + "\n" for chat in make_chats(rows))
        return
    inventor = Inventor(0)
    with (folder / PAIRS).open("w", encoding="utf-8") as file:
        file.writelines(f"{inventor.write(20)}\t{inventor.write(20)}\n" for _ in range(rows))


def read_memory(name: str) -> float:
    """Reads the memory of this process in MB, of Linux: VmRSS is what it has, VmHWM the peak since
    that was set back."""
    status = Path("/proc/self/status").read_text("utf-8")
    (kilobytes,) = re.findall(rf"^{name}:\s+(\d+) kB", status, re.MULTILINE)
    return int(kilobytes) / 1024


def measure(stage: str, folder: Path, student: Path) -> None:
    """Prints processor seconds, wall seconds and memory of a stage, after a few rows to warm up."""

    def run(where: Path) -> None:
        work: Callable[[], None] = getattr(Stages(where, student), f"run_{stage}")
        work()

    run(folder.parent / "warming")
    before = read_memory("VmRSS")
    # The peak of loading libraries would hide whatever a stage takes below it.
    Path("/proc/self/clear_refs").write_text("5")
    cpu, wall = time.process_time(), time.perf_counter()
    run(folder)
    figures = {
        "cpu_s": time.process_time() - cpu,
        "wall_s": time.perf_counter() - wall,
        "grown_mb": read_memory("VmHWM") - before,
    }
    print(json.dumps(figures))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_500, 15_000])
    parser.add_argument("--kind", choices=("chat", "parallel"), default="chat")
    parser.add_argument("--student", type=Path)
    arguments = parser.parse_args()
    sizes = sorted(arguments.rows)
    found: dict[int, dict[str, dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as place:
        student = arguments.student or Path(place) / "student"
        if not arguments.student:
            materialise_gguf(find_embedded_gguf(), student)
        write_data(Path(place) / "warming", arguments.kind, WARMING)
        for rows in sizes:
            folder = Path(place) / str(rows)
            write_data(folder, arguments.kind, rows)
            for stage in STAGES:
                command = [sys.executable, "-P", __file__, "--stage", stage, folder, student]
                done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
                figures = json.loads(done.stdout.splitlines()[-1])
                found.setdefault(rows, {})[stage] = figures
                each = 1e3 * figures["cpu_s"] / rows
                print(
                    f"{rows:7,} rows  {stage:14} {each:7.3f} ms a row, {figures['wall_s']:6.1f} s, "
                    f"{figures['grown_mb']:6.0f} MB more",
                    flush=True,
                )
    last, first = found[sizes[-1]], found[sizes[0]]

    def each_ms(stage: str) -> float:
        return round(1e3 * last[stage]["cpu_s"] / sizes[-1], 4)

    def growth(stage: str) -> float:
        one = first[stage]["cpu_s"] / sizes[0]
        return round(last[stage]["cpu_s"] / sizes[-1] / one, 3) if one else 0.0

    figures = {
        "bench": "data",
        "kind": arguments.kind,
        "rows": sizes,
        "ms_a_row": {stage: each_ms(stage) for stage in STAGES},
        "growth": {stage: growth(stage) for stage in STAGES},
        "mb_a_thousand_rows": {
            stage: round(1e3 * last[stage]["grown_mb"] / sizes[-1], 2) for stage in STAGES
        },
        "mixture_over_floor": round(each_ms("mixture") / each_ms("floor"), 3),
        "packing_over_floor": round(each_ms("packing") / each_ms("floor"), 3),
        "plain_checks_over_checks": round(each_ms("plain_checks") / each_ms("checks"), 3),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    guard_output("scripts/bench")
    if sys.argv[1:2] == ["--stage"]:
        measure(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
    else:
        main()
