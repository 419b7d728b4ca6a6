"""From a closed study and its key to `result.json`, tables, and all that anyone needs to verify it.

    OUT/key.json, votes.jsonl, pack.json, commitment.json, closed.json   what `verify` reads
    OUT/result.json, summary.txt, figure.svg, votes.csv, categories.csv, raters.csv
    OUT/manifest.json          every file's size and SHA-256, written last

In a store, OUT is STORE/preference/STUDY, from which `kakugo-report` takes the study in.
"""

from pathlib import Path
from typing import Any

from core.contract.names import MANIFEST
from preference.closing import read_closed_rows
from preference.errors import StudyStateError
from preference.files import read_json, write_text
from preference.key import read_key
from preference.pack import read_pack
from preference.publishing import PRIVATE, compute_result, make_published_files
from preference.verify import verify


def place_in(store: Path, pack_dir: Path) -> Path:
    """Give the folder where a study's result belongs in a store."""
    return store / "preference" / str(read_pack(pack_dir)["study"])


def unblind(pack_dir: Path, key_path: Path, out: Path) -> dict[str, Any]:
    """Verifies the closed study and writes its result, and everything needed to verify it again.

    Raises StudyStateError while the study is open, or where `out` holds other files than an
    earlier result, and VerificationError if anything was changed.
    """
    rows, _ = read_closed_rows(pack_dir)
    verify(pack_dir, key_path)
    key = read_key(key_path)
    result = compute_result(key, rows)
    files = make_published_files(key, rows, result)
    _clear(out)
    for name, text in files.items():
        write_text(out / name, text, secret=name in PRIVATE)
    return result


def _clear(out: Path) -> None:
    """Takes an earlier result away: a file that is none of the study's would not verify."""
    if not out.exists():
        return
    found = {path.name for path in out.iterdir()}
    earlier = {MANIFEST}
    if MANIFEST in found:
        earlier |= read_json(out / MANIFEST, StudyStateError, "manifest").get("files", {}).keys()
    if strange := sorted(found - earlier):
        raise StudyStateError(
            f"{out} holds other files: {', '.join(strange[:5])}. Remedy: --out DIR, a folder of its"
            " own"
        )
    # The manifest first: without it, what is left is no result.
    for name in (MANIFEST, *sorted(found - {MANIFEST})):
        (out / name).unlink(missing_ok=True)
