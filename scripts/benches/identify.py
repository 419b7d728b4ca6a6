"""Which languages the identifier cannot tell from a neighbour, on real sentences.

    scripts/bench identify DIR

DIR holds SIB-200 as published, `sib200/<FLORES code>/train.tsv` (or `test.tsv`), in any languages.
Of each, the shares of sentences that are called by its own name, by no name, and by another's; and
what share is called wrong where the neighbours of `core.identify.labels` count, and where not.
"""

import json
import sys
from collections import Counter
from pathlib import Path

from core.identify.labels import find_whole_code
from core.identify.text import identify_against, list_neighbours
from core.languages import list_languages
from core.output import guard_output


def read_sentences(folder: Path) -> list[str]:
    for name in ("train.tsv", "test.tsv"):
        if (folder / name).is_file():
            lines = (folder / name).read_text(encoding="utf-8").split("\n")[1:]
            return [line.rpartition("\t")[2].strip('"') for line in lines if line.strip()]
    return []


def main() -> None:
    root = Path(sys.argv[1]) / "sib200" if len(sys.argv) > 1 else None
    if root is None or not root.is_dir():
        sys.exit("scripts/bench identify DIR, where DIR holds sib200/<FLORES code>/train.tsv")
    found: dict[str, dict[str, float]] = {}
    for language in list_languages().values():
        texts = read_sentences(root / language.flores_code)
        if not texts:
            continue
        answers = [identify_against(text, flores_code=language.flores_code) for text in texts]
        near = list_neighbours(language.flores_code)
        own = find_whole_code(language.flores_code[:3])
        called = Counter(read.language for read, _ in answers if read.language not in (own, None))
        wrong = sum(inside is False for _, inside in answers)
        neighbours = sum(called[code] for code in near)
        found[language.id] = {
            "right": sum(inside is True for _, inside in answers) / len(texts),
            "wrong": wrong / len(texts),
            "wrong_without_neighbours": (wrong + neighbours) / len(texts),
        }
        if wrong + neighbours > 0.02 * len(texts):
            most = ", ".join(f"{code} {n / len(texts):.0%}" for code, n in called.most_common(3))
            shares = " ".join(f"{share:6.1%}" for share in found[language.id].values())
            print(f"{language.id:28} {shares}   called {most}", flush=True)
    worst = max(found.items(), key=lambda item: item[1]["wrong"], default=("", {"wrong": 0.0}))
    print(json.dumps({
        "languages": len(found),
        "worst": worst[0],
        "worst_wrong": round(worst[1]["wrong"], 3),
        "worst_wrong_without_neighbours": round(
            max((one["wrong_without_neighbours"] for one in found.values()), default=0.0), 3
        ),
    }))  # fmt: skip


if __name__ == "__main__":
    guard_output("scripts/bench identify")
    main()
