"""An arm's answers to the frozen questions, by the scoring engine's greedy generation.

STUDY/answers/base.jsonl and trained.jsonl: a first line {"recorded": ...} that says with what, then
{"question_id", "text", "tokens", "finished"} in the order of the questions. The text is raw, its
thinking included: `prepare` normalises both arms alike.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from core.checkpoints.held import find_held_fast
from core.contract.facts import CheckpointFacts, extract_any_facts
from core.contract.manifest import Manifest
from core.contract.names import CHECKPOINT, MANIFEST
from core.contract.record import Unreadable, read_file
from core.versions import read_package_version
from preference.answers import read_answers
from preference.commitment import hash_canonical
from preference.errors import AnswersError
from preference.files import write_text
from preference.questions import Questions, read_frozen

ARMS = ("base", "trained")
# The paper's, section 4.4; the engine decodes greedily, which is temperature 0.
TEMPERATURE, REPETITION_PENALTY = 0.0, 1.05


@dataclass(frozen=True)
class Decoding:
    """Sets how an arm is asked. system_prompt, thinking: None leaves the chat template's own
    default; max_new_tokens: MT-Bench's own limit by default, thinking included.
    """

    system_prompt: str | None = None
    thinking: bool | None = None
    max_new_tokens: int = 1024
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    batch_tokens: int = 4096


def find_answers_file(study: Path, arm: str) -> Path:
    return study / "answers" / f"{arm}.jsonl"


def write_answers(
    study: Path,
    arm: str,
    name: str,
    checkpoint: Path,
    decoding: Decoding = Decoding(),
    progress: Callable[[int, int, str], None] = lambda done, total, note: None,
) -> Path:
    """Writes the arm's file, and does nothing where it lies there already, made with the same.

    name: what the report calls the arm; checkpoint: a directory with config.json, or an artifact of
    a store. An interrupted call goes on where it was. Raises AnswersError where the file was made
    with anything else, and ScoringError where the checkpoint cannot answer.
    """
    questions = read_frozen(study)
    path = find_answers_file(study, arm)
    recorded = _record_arm(questions, name, checkpoint, decoding)
    if path.exists():
        _check_same(path, recorded)
        return path
    from harness.study.answers import generate_answers

    journal = path.parent / f".{arm}-{hash_canonical(recorded)[:16]}"
    journal.mkdir(parents=True, exist_ok=True)
    done = generate_answers(
        find_weights(checkpoint),
        [[{"role": "user", "content": question.prompt}] for question in questions.questions],
        system_prompt=decoding.system_prompt,
        thinking=decoding.thinking,
        max_new_tokens=decoding.max_new_tokens,
        repetition_penalty=REPETITION_PENALTY,
        precision=recorded["precision"],
        batch_tokens=decoding.batch_tokens,
        journal=journal,
        progress=progress,
    )
    versions = {name: read_package_version(name) for name in ("torch", "transformers")}
    rows: list[dict[str, Any]] = [{"recorded": recorded | {"packages": versions}}]
    rows += [
        {"question_id": question.id, **asdict(one)}
        for question, one in zip(questions.questions, done, strict=True)
    ]
    write_text(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    shutil.rmtree(journal)
    return path


_MAKE_AGAIN = "delete that folder and run its command again, which makes it anew"


def find_weights(checkpoint: Path) -> Path:
    """The directory with config.json: the one given, or the one that an artifact holds or names."""
    places = [checkpoint, checkpoint / CHECKPOINT]
    if (checkpoint / MANIFEST).is_file():
        try:
            facts = extract_any_facts(read_file(Manifest, checkpoint / MANIFEST))
        except Unreadable as error:
            raise AnswersError(
                f"{checkpoint / MANIFEST} {error}. Remedy: {error.remedy or _MAKE_AGAIN}"
            ) from None
        if isinstance(facts, CheckpointFacts) and facts.path:
            places.append(Path(facts.path))
    for place in places:
        if (place / "config.json").is_file():
            return place
    raise AnswersError(
        f"{checkpoint}: neither a model saved with save_pretrained nor an artifact of a store that"
        " holds one. Remedy: STORE/base/KEY, STORE/train/KEY, or the directory of a checkpoint"
    )


def _record_arm(
    questions: Questions, name: str, checkpoint: Path, decoding: Decoding
) -> dict[str, Any]:
    """All that an arm's texts depend on."""
    from harness.study.facts import choose_precision, hash_files

    weights = find_weights(checkpoint)
    # A date, a thought or a setting that is not left to the checkpoint.
    held = find_held_fast(weights)
    return {
        "name": name,
        "language": questions.language,
        "questions_sha256": questions.sha256,
        "checkpoint_sha256": hash_canonical(hash_files(weights)),
        "temperature": TEMPERATURE,
        "repetition_penalty": REPETITION_PENALTY,
        **asdict(decoding),
        "precision": choose_precision(decoding.precision),
        **({"held_fast": held} if held else {}),
    }


def _check_same(path: Path, recorded: dict[str, Any]) -> None:
    known = read_answers(path, "").recorded
    others = [key for key, value in recorded.items() if known.get(key) != value]
    if others:
        raise AnswersError(
            f"{path} was made with another {', '.join(others)}. Remedy: move it away to answer anew"
        )
