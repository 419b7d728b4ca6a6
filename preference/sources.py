"""Where a study's questions and their translations come from: files, the Hub, the teacher."""

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generation.settings import Teacher
from preference.errors import QuestionsError
from preference.languages import StudyLanguage
from preference.questions import read_prompts

# MT-Bench with its own question ids; the rows of the data set itself are numbered otherwise.
HUB_REPOSITORY, HUB_FILE = "HuggingFaceH4/mt_bench_prompts", "raw/question.jsonl"
LEDGER = "teacher.sqlite"


@dataclass(frozen=True)
class Taken:
    """Questions as they were found: id -> (category, first turn), and what to record of them."""

    rows: Mapping[str, tuple[str, str]]
    origin: Mapping[str, str]


@dataclass(frozen=True)
class Translated:
    """id -> text, "" where the teacher gave none (texts is None where nothing was translated);
    and those with the reason."""

    texts: Mapping[str, str] | None
    lost: Mapping[str, str]
    origin: Mapping[str, Any]


def take(source: str) -> Taken:
    """Questions of a JSONL file; or, for `hub` and `hub:REPOSITORY`, of MT-Bench on the Hugging
    Face Hub (or of a data set in its layout) at the commit that it is at, which is recorded."""
    if source != "hub" and not source.startswith("hub:"):
        return _from_file(Path(source), {"file": Path(source).name})
    from tasks.errors import HubUnavailable
    from tasks.hub import resolve

    name = source.partition(":")[2] or HUB_REPOSITORY
    try:
        repository = resolve(name)
    except HubUnavailable as error:
        raise _not_had(str(error).partition(" Remedy:")[0]) from None
    where = {"repository": repository.name} | (
        {"revision": repository.revision} if repository.revision else {}
    )
    if repository.folder:
        return _from_file(repository.folder / HUB_FILE, where)
    import httpx2
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError

    try:
        path = hf_hub_download(
            repository.name, HUB_FILE, repo_type="dataset", revision=repository.revision
        )
    except (HfHubHTTPError, httpx2.HTTPError, OSError, ValueError) as error:
        raise _not_had(f"{repository.name}: {HUB_FILE} cannot be had ({error}).") from None
    return _from_file(Path(path), where)


def _not_had(what: str) -> QuestionsError:
    return QuestionsError(
        f"{what} Remedy: check the network, the name and HF_TOKEN, or give MT-Bench's"
        " question.jsonl as a file"
    )


def _from_file(path: Path, where: Mapping[str, str]) -> Taken:
    rows = read_prompts(path)
    return Taken(rows, {**where, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()})


def translate(
    taken: Taken,
    language: StudyLanguage,
    *,
    overrides: Sequence[str],
    ledger: Path,
    progress: Callable[[int, int, str], None] = lambda done, total, note: None,
) -> Translated:
    """Each question as the teacher translates it, asked as for the `translated` source.

    overrides: as `kakugo` takes them, such as `teacher=gpt_oss_120b`. Every answer is in the ledger
    as soon as it arrives and is never asked for twice. Raises a GenerationError where the teacher
    does not answer; what it answers unreadably is named in `lost`.
    """
    from harness.teacher import running_teacher
    from training.students import embedded_gguf

    config = _composed(overrides)
    weights = embedded_gguf() if config.teacher.kind == "embedded" else None
    with running_teacher(config.teacher, weights) as teacher:
        texts, lost = asyncio.run(
            _ask(
                taken.rows, language, teacher, Path(config.prompts_file), config.seed, ledger,
                progress,
            )
        )  # fmt: skip
    return Translated(texts, lost, {"translated_by": config.teacher.name, "seed": config.seed})


async def _ask(
    rows: Mapping[str, tuple[str, str]],
    language: StudyLanguage,
    teacher: Teacher,
    prompts_file: Path,
    seed: int,
    ledger: Path,
    progress: Callable[[int, int, str], None],
) -> tuple[dict[str, str], dict[str, str]]:
    from generation.ask import Asker, as_json, conversation_schema, parsed
    from generation.errors import TeacherError
    from generation.parse import read_conversation
    from generation.prompts import load_prompts
    from generation.teacher.client import TeacherClient
    from generation.teacher.ledger import Ledger

    prompts = load_prompts(prompts_file, language=language.name, lists=teacher.lists)
    texts = dict.fromkeys(rows, "")
    lost: dict[str, str] = {}
    with Ledger(ledger) as book:
        async with TeacherClient(teacher) as client:
            asker = Asker(
                teacher=teacher, prompts=prompts, client=client, ledger=book, seed=seed,
                progress=progress,
            )  # fmt: skip
            step = asker.step("study.questions")
            chats = [[{"role": "user", "content": text}] for _, text in rows.values()]
            requests = [
                asker.request(
                    step.step,
                    asker.prompts.messages("translate", conversation=as_json(chat)),
                    key,
                    schema=conversation_schema(chat, teacher.schema_max_characters),
                )
                for key, chat in zip(rows, chats, strict=True)
            ]
            replies = await asker.replies(requests, step)
            for key, reply in zip(rows, replies, strict=True):
                turns = parsed(reply, step, read_conversation)
                if turns is not None and len(turns) == 1:
                    texts[key] = turns[0]["content"].strip()
                else:
                    lost[key] = reply.reason or "the answer is not one translated turn"
    if asker.passing:
        raise TeacherError(
            f"{sum(asker.passing.values())} of {len(requests)} questions got no answer for reasons"
            f" that may pass ({', '.join(asker.passing)}). Remedy: the same command again; what was"
            " answered is kept"
        )
    return texts, lost


def _composed(overrides: Sequence[str]) -> Any:
    """The typed configuration that `kakugo` would run with."""
    from hydra import compose, initialize_config_dir
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    from harness.cli import register_resolvers
    from harness.config import build_config
    from harness.errors import ConfigError
    from harness.overrides import CONF, prepared

    register_resolvers()
    try:
        with initialize_config_dir(str(CONF), version_base="1.3"):
            values = OmegaConf.to_container(compose("run", prepared(overrides)), resolve=True)
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(f"{' '.join(overrides)}: {error}") from None
    return build_config(values)  # type: ignore[arg-type]
