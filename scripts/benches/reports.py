"""Reports at scale: a made-up store of 54 languages, 10 checkpoints and 5 tasks, 2,700 scores.

Measures time and peak memory of the tables in the terminal, of the page, and of all formats in one
process, and whether two runs give the same bytes; and the page on a phone: its elements, and the
seconds until it can be used at 360 px with a processor four times slower. The store is written anew
(a minute, 0.8 GB) unless a folder is given that has it.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from core.languages import list_papers_languages
from core.output import guard_output

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests" / "reports"), str(ROOT / "tests")]
FIELDS = ("name", "autonym", "direction", "flores_code", "script")
FORMATS = {
    "terminal": ["terminal"],
    "page": ["html"],
    "all": ["terminal", "markdown", "csv", "latex", "html"],
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench reports", description=__doc__)
    parser.add_argument(
        "store", nargs="?", type=Path, help="a folder that has the store, or gets it"
    )
    given: Path | None = parser.parse_args().store
    with tempfile.TemporaryDirectory() as scratch:
        store = given or Path(scratch) / "store"
        if not store.exists():
            make(store)
        count = len(list((store / "score").iterdir()))
        size = sum(path.stat().st_size for path in store.rglob("*") if path.is_file())
        print(f"{count} scores, {size / 1e9:.2f} GB; nothing in them was measured", flush=True)
        found: dict[str, Any] = {"scores": count, "store_gb": round(size / 1e9, 2)}
        same = True
        for name, formats in FORMATS.items():
            runs = [measure(store, Path(scratch) / name / turn, formats) for turn in "12"]
            same &= runs[0][3] == runs[1][3]
            found[name] = {
                "seconds": [run[0] for run in runs],
                "processor_seconds": [run[1] for run in runs],
                "peak_gb": [run[2] for run in runs],
            }
            print(name, found[name], flush=True)
        page = Path(scratch) / "all" / "1" / "report.html"
        found |= {"same_bytes": same, "page_mb": round(page.stat().st_size / 1e6, 2)}
        found |= open_page(page)
    print(json.dumps(found))


def open_page(path: Path) -> dict[str, Any]:
    """Opens the page on a phone's width with a processor four times slower, in a real Chromium."""
    from chromium import launched, open_context

    with launched() as browser:
        page = open_context(browser, 360, 800).new_page()
        page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 4})
        start = time.perf_counter()
        page.goto(path.absolute().as_uri())
        page.evaluate("new Promise((done) => requestIdleCallback(done))")
        seconds = time.perf_counter() - start
        elements = page.evaluate("document.getElementsByTagName('*').length")
    return {"interactive_seconds_at_360px": round(seconds, 2), "elements": elements}


def make(store: Path) -> None:
    from synthetic_store import make_synthetic_store

    start = time.perf_counter()
    languages = [
        {key: getattr(entry, key) for key in FIELDS}
        for entry in list_papers_languages().values()
        if entry.id != "english"
    ]
    make_synthetic_store(store, languages)
    print(f"written in {time.perf_counter() - start:.0f} s", flush=True)


def measure(store: Path, out: Path, formats: list[str]) -> tuple[float, float, float, str]:
    """Seconds by the clock and of the processor, peak memory in GB, a hash of all that came out."""
    command = [sys.executable, "-m", "reports.cli", "--store", str(store), "--out", str(out)]
    command += [f"--format={form}" for form in formats]
    start = time.perf_counter()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, env=os.environ | {"COLUMNS": "100"}
    ) as run:
        assert run.stdout
        printed = run.stdout.read().replace(str(out).encode(), b"OUT")
        _, status, used = os.wait4(run.pid, 0)
        run.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - start
    if run.returncode:
        raise SystemExit(f"kakugo-report ended with {run.returncode}")
    digest = hashlib.sha256(printed)
    for path in sorted(out.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(out).as_posix().encode() + path.read_bytes())
    unit = 1 if sys.platform == "darwin" else 1024
    spent = round(used.ru_utime + used.ru_stime, 1)
    memory = round(used.ru_maxrss * unit / 1e9, 2)
    return round(seconds, 1), spent, memory, digest.hexdigest()


if __name__ == "__main__":
    guard_output("scripts/bench")
    main()
