"""Scores translations by COMET (Rei et al. 2022), run as a program of its own environment.

Its package wants an older transformers than this project's, so that the two cannot be installed
together: `comet-score` is called by its path. What it gave is kept below the store's `report`
folder, under the key of the score whose texts it rated, and every report then shows it.
"""

import json
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import yaml

from core.contract.names import SAMPLES
from core.contract.record import (
    Unreadable,
    as_json,
    make_schema_field,
    read_file,
)
from core.lines import split_lines
from reports.errors import CometError
from reports.store.files import write_whole
from reports.store.model import Score
from reports.translated.texts import TranslatedTexts, read_translated

PROGRAM = "comet-score"
MODEL = "Unbabel/wmt22-comet-da"
MODELS = (
    "Unbabel/wmt20-comet-da",
    MODEL,
    "Unbabel/XCOMET-XL",
    "Unbabel/XCOMET-XXL",
)
"""Those that compare with a reference and whose encoder is XLM-R, of any size."""
_LAST_LINES = 12


@dataclass(frozen=True)
class CometScore:
    """The score of one score's translations, and of each sentence, as the program gave them.

    `samples` is the SHA-256 of the texts' file.
    """

    model: str
    samples: str
    sentences: tuple[float, ...]
    schema: int = make_schema_field(1)

    @property
    def mean(self) -> float:
        return sum(self.sentences) / len(self.sentences)


@dataclass(frozen=True)
class Comet:
    """The program, one of its models, and the number of GPUs that it takes (0: the processor)."""

    program: str = PROGRAM
    model: str = MODEL
    gpus: int = 0

    def check(self) -> None:
        """Raise CometError for a model whose encoder is not known to be XLM-R."""
        if self.model in MODELS:
            return
        path = Path(self.model)
        settings = path.parent.parent / "hparams.yaml"
        try:
            content = yaml.safe_load(settings.read_text(encoding="utf-8"))
            encoder = str(content["pretrained_model"])
        except (OSError, yaml.YAMLError, KeyError, TypeError, UnicodeDecodeError):
            raise CometError(
                f"It cannot be told which languages the encoder of {self.model} has seen.\n"
                f"Remedy: one of {', '.join(MODELS)}, or the path of a checkpoint (.ckpt) with its "
                "hparams.yaml two folders above it."
            ) from None
        if not re.fullmatch(r"(facebook/)?xlm-roberta-(base|large|xl|xxl)", encoder):
            raise CometError(
                f"{self.model} stands on {encoder}, and only XLM-R's languages are listed here.\n"
                f"Remedy: one of {', '.join(MODELS)}."
            )

    def rate(self, texts: TranslatedTexts) -> tuple[float, ...]:
        """Rate each translation. Raises CometError with the program's last words."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            sides = (texts.sources, texts.hypotheses, texts.references)
            files = [folder / one for one in ("source.txt", "translation.txt", "reference.txt")]
            for file, side in zip(files, sides, strict=True):
                lines = (re.sub(r"[\r\n]+", " ", text) + "\n" for text in side)
                file.write_text("".join(lines), encoding="utf-8", newline="\n")
            out = folder / "scores.json"
            options = ["--model", self.model, "--gpus", str(self.gpus), "--quiet"]
            given = [self.program, "-s", files[0], "-t", files[1], "-r", files[2]]
            self._run([*map(str, given), *options, "--to_json", str(out)])
            return _read_scores(out, len(texts.ids))

    def _run(self, command: list[str]) -> None:
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
            )
        except OSError as error:
            raise CometError(
                f"{self.program} cannot be run ({error.strerror}).\nRemedy: install COMET in an "
                "environment of its own (python -m venv comet; comet/bin/pip install "
                f"unbabel-comet) and give --program comet/bin/{PROGRAM}."
            ) from None
        if done.returncode:
            words = "\n".join(split_lines(done.stdout.strip())[-_LAST_LINES:])
            raise CometError(
                f"{self.program} failed with status {done.returncode}. Its last words:\n{words}\n"
                "Remedy: mend what they say; a model that the Hub guards wants its licence accepted"
                " there, and `huggingface-cli login`."
            )


def find_place(store: Path, score: Score) -> Path:
    """Return the file in which the COMET score of a score's translations is kept."""
    return store / "report" / "comet" / f"{score.artifact.key}.json"


def read_comet(store: Path, score: Score) -> CometScore | None:
    """Read what was kept of a score; None where nothing was.

    Raises Unreadable where it is of other texts, or damaged.
    """
    place = find_place(store, score)
    if not place.exists():
        return None
    found = read_file(CometScore, place)
    if found.samples != score.artifact.manifest.files[SAMPLES].sha256:
        raise Unreadable(f"{place.name} rates other texts than {SAMPLES} holds")
    if len(found.sentences) != score.n:
        raise Unreadable(f"{place.name} rates {len(found.sentences)} sentences, not {score.n}")
    return found


def keep_comet(store: Path, score: Score, comet: Comet) -> CometScore:
    """Rate a score's translations, keep that beside the store's reports, and return it.

    Raises CometError, and Unreadable where the texts cannot be read.
    """
    sentences = comet.rate(read_translated(score))
    found = CometScore(comet.model, score.artifact.manifest.files[SAMPLES].sha256, sentences)
    write_whole(find_place(store, score), json.dumps(as_json(found)) + "\n")
    return found


def _read_scores(file: Path, wanted: int) -> tuple[float, ...]:
    """Read the program's JSON: by the file of translations, a row with `COMET` for each line."""
    try:
        (rows,) = json.loads(file.read_text(encoding="utf-8")).values()
        found = tuple(float(row["COMET"]) for row in rows)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CometError(
            f"What {PROGRAM} wrote cannot be read ({type(error).__name__}: {error}).\n"
            "Remedy: take unbabel-comet 2.2, whose form is known."
        ) from None
    if len(found) != wanted:
        raise CometError(
            f"{PROGRAM} rated {len(found)} of {wanted} translations.\n"
            "Remedy: take unbabel-comet 2.2, whose form is known."
        )
    return found
