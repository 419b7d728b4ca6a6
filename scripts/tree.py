"""Writes the file tree in docs/architecture.md from each file's own first line.

python scripts/tree.py          writes it anew
python scripts/tree.py --check  fails when it is out of date
"""

import ast
import sys
from pathlib import Path

from core.output import guard_output

ROOT = Path(__file__).parents[1]
BEGIN, END = "<!-- tree: written by scripts/tree.py -->\n```\n", "```\n<!-- end of tree -->"
# Folders in the order of the main path, with what they hold; many small files need no line each.
FOLDERS = {
    "conf": "what an experiment is",
    "core": "the ground, which all others may use",
    "core/checkpoints": "opens a checkpoint, and speaks to it",
    "core/contract": "files between the rooms: their names, and typed records of what they hold",
    "decoding": "continues prompts with a model: for scoring and training",
    "harness": "runs experiments",
    "harness/producers": "what yields a checkpoint that is scored, a file a kind",
    "harness/stages": "the steps of an experiment, each with its settings",
    "harness/scoring": "scores a checkpoint",
    "tasks": "the benchmarks, as lm-eval tasks",
    "tasks/benchmarks": "a file a benchmark, which declares all of it",
    "generation": "writes training data with a teacher",
    "training": "fine-tunes the student",
    "preference": "the blind study by native speakers",
    "publishing": "puts checkpoints and their data on the Hub",
    "reports": "reads finished artifacts, says who gained",
    "reports/store": "reads and checks a store's files",
    "reports/stats": "the formulas, each with its source",
    "reports/tables": "what is said, as plain tables",
    "reports/parts": "which tables and figures stand in a report, and where",
    "reports/figures": "drawings as SVG; PNG and PDF from them",
    "reports/outputs": "terminal, Markdown, CSV, LaTeX",
    "reports/page": "the HTML page",
    "reports/published": "the paper's numbers, to compare with",
    "scripts": "what a person types and CI calls",
    "scripts/benches": "what scripts/bench measures",
    "docs": "pages for those who go on",
}
WHOLE = {
    "conf/language": "the paper's 54 languages, English, and any other by name",
    "conf/student": "the models that are trained",
    "conf/teacher": "the models that write",
    "conf/sources": "how much data of each kind",
    "conf/mix": "which of it the student is trained on",
    "conf/train": "how it is trained",
    "conf/evaluate": "how checkpoints are scored",
    "conf/experiment": "named points: quickstart, paper",
    "conf/sweep": "axes for kakugo -m",
    "conf/hydra": "launchers",
    "tasks/lm_eval": "what lm-eval needs, a small file a task and language (generated)",
    "tasks/embedded": "sets of our own in the benchmarks' formats; not the benchmarks",
    "generation/embedded": "texts and conversations of our own",
    "preference/fonts": "subsets of Noto fonts for scripts that phones may lack (OFL)",
    "preference/messages": "the raters' words, a catalogue a language",
    "preference/static": "style and scripts of the pages",
    "preference/templates": "the pages",
    "tests": "mirrors the packages",
}


def read_first_line(path: Path) -> str:
    """What a file says of itself: the first line of its docstring, heading or comment."""
    if path.suffix == ".png":
        return "a picture for README.md"
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return (ast.get_docstring(ast.parse(text)) or "").split("\n")[0].rstrip(".")
    for line in text.splitlines():
        bare = line.strip().strip("{}#/*<!-> ").strip()
        if bare and not line.startswith(("#!", "# @package")):
            return bare.rstrip(".")
    return ""


def draw_tree() -> str:
    """The tree, one line a file that has something to say."""
    entries: list[tuple[str, str]] = []
    for folder, what in FOLDERS.items():
        depth = folder.count("/")
        entries.append(("  " * depth + folder.rsplit("/", 1)[-1] + "/", what))
        for path in sorted((ROOT / folder).iterdir()):
            name = path.relative_to(ROOT).as_posix()
            if name in WHOLE:
                entries.append(("  " * (depth + 1) + path.name + "/", WHOLE[name]))
            elif path.is_file() and path.name != "__init__.py" and read_first_line(path):
                entries.append(("  " * (depth + 1) + path.name, read_first_line(path)))
    entries.append(("tests/", WHOLE["tests"]))
    width = max(len(name) for name, _ in entries) + 2
    return "".join(f"{name:<{width}}{what}\n" for name, what in entries)


def main(arguments: list[str]) -> int:
    page = ROOT / "docs" / "architecture.md"
    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    wanted = before + BEGIN + draw_tree() + END + after
    if "--check" in arguments:
        if text != wanted:
            print(
                "docs/architecture.md: the file tree is out of date. Remedy: python scripts/tree.py"
            )
        return int(text != wanted)
    page.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    guard_output("scripts/tree.py")
    sys.exit(main(sys.argv[1:]))
