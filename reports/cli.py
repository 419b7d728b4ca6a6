"""`kakugo-report`: tables and the page from whatever a store holds."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from reports.errors import ReportsError
from reports.model import StoreView
from reports.read import read_store, select_run

FORMATS = ("terminal", "markdown", "csv", "html")

_DESCRIPTION = """\
Who gained, by how much, how sure, and at what cost: the tables and the page from whatever the
store holds. Only finished artifacts are read, so it works during a run, after a crash, and on a
copied store. A cell that is missing, failed or damaged is named with its reason, and so is a run
that failed before it had planned any."""

_EPILOG = """\
formats
  terminal   score tables, gaps, yields, mixtures, training, cost and failed runs, printed (the
             default)
  markdown   the same as report.md
  csv        scores.csv, gains.csv, gaps.csv, warnings.csv, yields.csv, mixture.csv, training.csv,
             cost.csv, provenance.csv, failed_runs.csv and problems.csv
  html       report.html: one file with figures and samples, which opens offline

examples
  kakugo-report
  kakugo-report --format html --format csv --out results
  kakugo-report --store /data/artifacts --run 20260101-120000

how to read it
  The gain is the producer's score minus base's, on the same items, with its standard error and
  its 95% interval. The interval covers the choice of items, not the training seed.

exit status
  0  the report holds everything that the store does
  1  the report was made, but some files of the store are damaged (they are named, with a remedy)
  2  no report could be made"""


def main(argv: list[str] | None = None) -> int:
    """Makes the reports that the arguments ask for; returns the exit status (see --help)."""
    arguments = _parser().parse_args(argv)
    store: Path = arguments.store
    try:
        view = read_store(store)
        if arguments.run is not None:
            view = select_run(view, arguments.run)
        for form in dict.fromkeys(arguments.format or ["terminal"]):
            _write(form, view, arguments.out or store / "report")
    except (ReportsError, OSError) as error:
        print(f"kakugo-report: {error}", file=sys.stderr)
        return 2
    if view.problems and arguments.format not in (None, ["terminal"]):
        for problem in view.problems:
            print(f"kakugo-report: damaged: {problem}", file=sys.stderr)
    return 1 if view.problems else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kakugo-report",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--store",
        type=Path,
        default=Path("artifacts"),
        metavar="DIR",
        help="the store to report on (default: artifacts)",
    )
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
    return parser


def _write(form: str, view: StoreView, out: Path) -> None:
    written: Sequence[Path] = []
    if form == "terminal":
        from rich.console import Console

        from reports.terminal import print_report

        print_report(view, Console(soft_wrap=False))
    elif form == "markdown":
        from reports.markdown import write_markdown

        written = [write_markdown(view, out)]
    elif form == "csv":
        from reports.csv_files import write_csv

        written = write_csv(view, out)
    else:
        from reports.page import write_page

        written = [write_page(view, out)]
    for path in written:
        print(path)


if __name__ == "__main__":
    raise SystemExit(main())
