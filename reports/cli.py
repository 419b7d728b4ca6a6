"""`kakugo-report`: tables, figures and the page from whatever a store holds."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from core.output import guard_output
from core.tasks import TASKS
from core.versions import VERSION
from reports.errors import ReportsError
from reports.samples import FILTERS

if TYPE_CHECKING:
    from reports.report import Report
    from reports.tables.table_numbers import Scale

FORMATS = (
    *("terminal", "markdown", "csv", "parquet", "lm-eval", "latex", "methods", "html"),
    *("svg", "png", "pdf"),
)
PUBLISHED = "published"

_DESCRIPTION = """\
Who gained, by how much, how sure, and at what cost: the tables and the page from whatever the
store holds. Only finished artifacts are read, so it works during a run, after a crash, and on a
copied store. A cell that is missing, failed or damaged is named with its reason, and so is a run
that failed before it had planned any."""

_EPILOG = """\
formats
  terminal   the tables, printed (the default)
  markdown   the same as report.md
  csv        scores.csv, wins.csv, correlation.csv and one file per other table
  parquet    results.parquet: every result as one typed row, for pandas, polars, DuckDB or R
  lm-eval    lm-eval/: a results file for each checkpoint and language, as lm-eval writes it
  latex      latex/: one booktabs table a file, and report.tex with all of them
  methods    methods.md, methods.tex, references.bib: methods and limitations for a paper
  html       report.html: one file with figures and samples, which opens offline
  svg, png, pdf   figures/: each figure as a file of its own

also
  kakugo-report samples --language NAME --task TASK   read what the models saw and said
  kakugo-report items                                 pages over all items, for a browser
  kakugo-report compare OLD NEW                       what changed between two reports
  kakugo-report card CHECKPOINT                       its model card, with scores and cost
  kakugo-report comet                                 COMET of every translation, where it may be
                                                      believed
  kakugo-report tables                                what each table says, and where it stands

examples
  kakugo-report
  kakugo-report --format html --format csv --out results
  kakugo-report --store /data/artifacts --run 20260101-120000
  kakugo-report --import scores.csv --format latex --out tables
  kakugo-report --import published

how to read it
  The gain is the producer's score minus base's, on the same items, with its standard error and
  its 95% interval. The interval covers the choice of items, not the training seed. A win or loss
  is one by test (accuracy: exact McNemar, by passage where items share one; chrF++: paired
  bootstrap), not by sign.

exit status
  0  the report holds everything that the store does
  1  the report was made, but some files of the store are damaged (they are named, with a remedy)
  2  no report could be made, or its output not be written
  141  nobody reads the output any more (| head), as with other programs"""

_SAMPLES = """\
What each model saw and said on a task, item by item: base beside the trained checkpoints."""

_ITEMS = """\
Pages over all items of each benchmark, base beside one producer: in which languages training made
an item right or wrong, and what was asked and answered. They open offline, from a folder."""

_COMPARE = """\
What changed from OLD to NEW, and whether it is more than chance. Each is a store's folder, a CSV
file of scores, or the word `published` for the paper's table."""

_CARD = """\
The model card (README.md) of a trained checkpoint, with its scores and its cost, for those who
publish it. The store stays as it is."""

_COMET = """\
Scores translations by COMET, of the languages that its encoder has seen. COMET is a program in an
environment of its own (python -m venv comet; comet/bin/pip install unbabel-comet). What it gives is
kept below the store's `report` folder, and every report then shows it; what is there is not
computed again."""

_TABLES = """\
Every table and figure of a report, in reading order: what it says, and which formats leave it
out."""


def main(argv: list[str] | None = None) -> int:
    """Make the reports that the arguments ask for; returns the exit status (see --help)."""
    guard_output("kakugo-report")
    argv = sys.argv[1:] if argv is None else argv
    # Languages are computed side by side already, and one thread a sum adds in the same order on
    # any machine, which the same bytes need. Read when numpy is first imported, below.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    commands = {
        "samples": _show_samples,
        "items": _write_items,
        "compare": _compare,
        "card": _write_card,
        "comet": _score_with_comet,
        "tables": _list_tables,
    }
    command = commands.get(argv[0] if argv else "")
    try:
        return command(argv[1:]) if command else _make_report(_report_parser().parse_args(argv))
    except (ReportsError, OSError) as error:
        print(f"kakugo-report: {error}", file=sys.stderr)
        return 2


def _make_report(arguments: argparse.Namespace) -> int:
    store: Path = arguments.store
    if arguments.spbleu:
        from reports.translated.pieces import open_pieces_model

        open_pieces_model(arguments.spbleu)  # before the store is read
    report = _load(
        arguments.table or str(store),
        arguments.run,
        bool(arguments.table),
        arguments.scale,
        arguments.spbleu,
    )
    if arguments.language:
        report = report.keep_languages(arguments.language)
    out = arguments.out or (Path() if arguments.table else store) / "report"
    for form in dict.fromkeys(arguments.format or ["terminal"]):
        for path in _write(form, report, out):
            print(path)
    problems = report.view.problems if report.view else ()
    if problems and arguments.format not in (None, ["terminal"]):
        for problem in problems:
            print(f"kakugo-report: damaged: {problem}", file=sys.stderr)
    return 1 if problems else 0


def _load(
    source: str,
    run: Path | None = None,
    table: bool = False,
    scale: "Scale | None" = None,
    pieces: Path | None = None,
) -> "Report":
    """Make the report of a store, of a CSV file, or of the published table."""
    from reports.report import Report
    from reports.tables.importing import import_table, read_published

    if source == PUBLISHED and not Path(source).exists():
        return Report.from_table(read_published())
    if table or Path(source).is_file():
        return Report.from_table(import_table(Path(source), scale))
    from reports.store.read import read_store

    return Report.from_store(read_store(Path(source), run), pieces)


def _write(form: str, report: "Report", out: Path) -> Sequence[Path]:
    if form == "terminal":
        from rich.console import Console

        from reports.outputs.terminal import print_report

        print_report(report, Console(soft_wrap=False))
        return []
    if form == "markdown":
        from reports.outputs.markdown import write_markdown

        return [write_markdown(report, out)]
    if form == "csv":
        from reports.outputs.csv_files import write_csv

        return write_csv(report, out)
    if form == "parquet":
        from reports.outputs.parquet_file import write_parquet

        return [write_parquet(report, out)]
    if form == "lm-eval":
        from reports.outputs.lm_eval_files import write_lm_eval

        return write_lm_eval(report, out)
    if form == "latex":
        from reports.outputs.latex import write_latex

        return write_latex(report, out)
    if form == "methods":
        from reports.outputs.methods import write_methods

        return write_methods(report, out)
    if form == "html":
        from reports.page.write import write_page

        return [write_page(report, out)]
    from reports.figures.export import Form, write_figures

    return write_figures(report, out, cast(Form, form))


def _make_samples_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kakugo-report samples",
        description=_SAMPLES,
        epilog="--only\n" + "\n".join(f"  {name:10s} {words}" for name, words in FILTERS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_store(parser)
    parser.add_argument("--language", required=True, metavar="NAME", help="for example Swahili")
    parser.add_argument("--task", required=True, choices=tuple(TASKS))
    parser.add_argument(
        "--producer",
        action="append",
        metavar="NAME",
        help="base, trained:gen, ...; several stand side by side (default: all)",
    )
    parser.add_argument("--only", default="all", choices=tuple(FILTERS), help="see below")
    parser.add_argument(
        "--doc", action="append", metavar="ID", help="only this item, by its id or its number"
    )
    parser.add_argument(
        "--count", type=_read_count, default=5, metavar="N", help="at most N (default: 5)"
    )
    parser.add_argument("--prompt", action="store_true", help="with the whole prompt of each item")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="write a page (.html) instead of printing"
    )
    return parser


def _show_samples(argv: list[str]) -> int:
    arguments = _make_samples_parser().parse_args(argv)
    from reports.samples import find_samples
    from reports.store.read import read_store
    from reports.tables.results import collect_entries

    found = find_samples(
        collect_entries(read_store(arguments.store)),
        arguments.language,
        arguments.task,
        arguments.producer or (),
        arguments.only,
        arguments.doc or (),
        arguments.count,
    )
    if arguments.out:
        from reports.page.sample_page import write_sample_page

        print(write_sample_page(found, arguments.out, arguments.only, arguments.prompt))
        return 0
    from rich.console import Console

    from reports.outputs.sample_text import print_samples

    print_samples(found, Console(), arguments.only, arguments.prompt)
    return 0


def _write_items(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="kakugo-report items", description=_ITEMS)
    _add_store(parser)
    parser.add_argument(
        "--producer",
        metavar="NAME",
        help="trained:gen, ... (default: the one with most results)",
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="where they go (default: STORE/report/items)"
    )
    arguments = parser.parse_args(argv)
    from reports.errors import SamplesNotFoundError
    from reports.page.item_pages import write_item_pages
    from reports.report import Report
    from reports.store.read import read_store

    results = Report.from_store(read_store(arguments.store)).results
    producer = arguments.producer or results.shown
    if producer not in results.trained:
        known = ", ".join(results.trained) or "none"
        raise SamplesNotFoundError(
            f"There is no producer {producer!r} beside base.\nRemedy: one of: {known}."
        )
    page = write_item_pages(
        results, producer, arguments.out or arguments.store / "report" / "items"
    )
    if page is None:
        raise SamplesNotFoundError(
            f"No task has gains of {producer} in two languages, so no item could be flipped in "
            "several.\nRemedy: `kakugo-report samples` shows the items of one language."
        )
    print(page)
    return 0


def _compare(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="kakugo-report compare", description=_COMPARE)
    parser.add_argument("old", metavar="OLD")
    parser.add_argument("new", metavar="NEW")
    parser.add_argument("--format", default="terminal", choices=("terminal", "markdown", "csv"))
    parser.add_argument("--out", type=Path, default=Path("comparison"), metavar="DIR")
    _add_scale(parser)
    arguments = parser.parse_args(argv)
    from reports.outputs.comparison import write_comparison
    from reports.tables.compare import compare

    old, new = (
        _load(name, scale=arguments.scale).results for name in (arguments.old, arguments.new)
    )
    for path in write_comparison(compare(old, new), old, new, arguments.format, arguments.out):
        print(path)
    return 0


def _write_card(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="kakugo-report card", description=_CARD)
    parser.add_argument(
        "checkpoint",
        nargs="?",
        default="",
        metavar="CHECKPOINT",
        help="its key, the beginning of it, or its producer's name; needless if there is only one",
    )
    _add_store(parser)
    parser.add_argument("--out", type=Path, metavar="FILE", help="write it there instead")
    arguments = parser.parse_args(argv)
    from reports.outputs.card import write_card
    from reports.store.files import write_whole
    from reports.store.read import read_store

    card = write_card(read_store(arguments.store), arguments.checkpoint)
    if arguments.out:
        write_whole(arguments.out, card)
        print(arguments.out)
    else:
        print(card, end="")
    return 0


def _score_with_comet(argv: list[str]) -> int:
    from reports.translated.comet import MODEL, MODELS, PROGRAM, Comet

    parser = argparse.ArgumentParser(prog="kakugo-report comet", description=_COMET)
    _add_store(parser)
    _add_language(parser)
    parser.add_argument(
        "--program", default=PROGRAM, metavar="FILE", help=f"where it is (default: {PROGRAM})"
    )
    parser.add_argument(
        "--model",
        default=MODEL,
        metavar="NAME",
        help=f"one of {', '.join(MODELS)}, or the path of a checkpoint (default: {MODEL})",
    )
    parser.add_argument("--gpus", type=int, default=0, metavar="N", help="default: 0, none")
    arguments = parser.parse_args(argv)
    comet = Comet(arguments.program, arguments.model, arguments.gpus)
    comet.check()
    from reports.report import Report
    from reports.store.read import read_store
    from reports.translated.rating import rate_results

    report = Report.from_store(read_store(arguments.store))
    if arguments.language:
        report = report.keep_languages(arguments.language)
    for line in rate_results(report.everything, arguments.store, comet):
        print(line, flush=True)
    return 0


def _list_tables(argv: list[str]) -> int:
    argparse.ArgumentParser(prog="kakugo-report tables", description=_TABLES).parse_args(argv)
    from reports.outputs.contents import list_sections

    print(list_sections(), end="")
    return 0


def _report_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kakugo-report",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {VERSION}")
    source = parser.add_mutually_exclusive_group()
    _add_store(source)
    source.add_argument(
        "--import",
        dest="table",
        metavar="FILE",
        help="report on a score table instead: CSV with language,task,base,trained (or other "
        "producers' names), with n or base_stderr for how sure they are; `published` is the "
        "paper's",
    )
    _add_scale(parser)
    parser.add_argument(
        "--format",
        action="append",
        choices=FORMATS,
        help="what to make; may be given several times (default: terminal)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="where files go (default: a folder `report` in the store)",
    )
    parser.add_argument(
        "--run",
        type=Path,
        metavar="RUN",
        help="only this run's or sweep's cells: its folder, or its name below the store's `runs`",
    )
    _add_language(parser)
    parser.add_argument(
        "--spbleu",
        type=Path,
        metavar="FILE",
        help="FLORES-200's SentencePiece model, with which translations are also scored by "
        "spBLEU-200 (default: the one that sacrebleu keeps, where it is)",
    )
    return parser


def _add_language(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--language",
        action="append",
        metavar="NAME",
        help="only this language; may be given several times",
    )


def _add_store(parser: "argparse._ActionsContainer") -> None:
    parser.add_argument(
        "--store",
        type=Path,
        default=Path("artifacts"),
        metavar="DIR",
        help="the store to report on (default: artifacts)",
    )


def _add_scale(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--scale",
        choices=("percent", "fraction"),
        help="how a CSV table writes scores: 45 or 0.45 (default: asked for where it is not clear)",
    )


def _read_count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


if __name__ == "__main__":
    raise SystemExit(main())
