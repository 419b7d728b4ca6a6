"""Lets a teacher translate a study's questions, asked as for the `translated` source."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from generation.ask import Asker, as_json, make_conversation_schema, read_counted
from generation.errors import TeacherError
from generation.parse import read_conversation
from generation.prompts import load_prompts
from generation.settings import Teacher
from generation.teacher.client import TeacherClient
from generation.teacher.ledger import Ledger
from harness.config import MakingConfig
from harness.errors import ConfigError
from harness.overrides import CONF, prepare_arguments
from harness.resolvers import register_resolvers
from harness.teacher import running_teacher
from harness.validate import build_config
from training.students import find_embedded_gguf


@dataclass(frozen=True)
class Translations:
    """The translations by id, "" where there is none; why each of those lacks; who made them."""

    texts: Mapping[str, str]
    lost: Mapping[str, str]
    teacher: str
    seed: int


def translate_texts(
    texts: Mapping[str, str],
    language: str,
    *,
    overrides: Sequence[str],
    ledger: Path,
    progress: Callable[[int, int, str], None],
) -> Translations:
    """Translates English texts into a language, given by its English name.

    overrides: as `kakugo` takes them, such as `teacher=gpt_oss_120b`. Every answer is in the ledger
    as soon as it arrives and is never asked for twice. Raises a GenerationError where the teacher
    does not answer; what it answers unreadably is named in `lost`.
    """
    config = compose_making(overrides)
    weights = find_embedded_gguf() if config.teacher.kind == "embedded" else None
    with running_teacher(config.teacher, weights) as teacher:
        asked = _ask(
            texts, language, teacher, Path(config.prompts_file), config.seed, ledger, progress
        )
        done, lost = asyncio.run(asked)
    return Translations(done, lost, config.teacher.name, config.seed)


async def _ask(
    texts: Mapping[str, str],
    language: str,
    teacher: Teacher,
    prompts_file: Path,
    seed: int,
    ledger: Path,
    progress: Callable[[int, int, str], None],
) -> tuple[dict[str, str], dict[str, str]]:
    prompts = load_prompts(prompts_file, language=language, lists=teacher.lists)
    done = dict.fromkeys(texts, "")
    lost: dict[str, str] = {}
    with Ledger(ledger) as book:
        async with TeacherClient(teacher) as client:
            asker = Asker(
                teacher=teacher,
                prompts=prompts,
                client=client,
                ledger=book,
                seed=seed,
                progress=progress,
            )
            step = asker.add_step("study.questions")
            chats = [[{"role": "user", "content": text}] for text in texts.values()]
            requests = [
                asker.make_request(
                    step.step,
                    asker.prompts.write_messages("translate", conversation=as_json(chat)),
                    key,
                    schema=make_conversation_schema(chat, teacher.schema_max_characters),
                )
                for key, chat in zip(texts, chats, strict=True)
            ]
            replies = await asker.ask_all(requests, step)
            for key, reply in zip(texts, replies, strict=True):
                turns = read_counted(reply, step, read_conversation)
                if turns is not None and len(turns) == 1:
                    done[key] = turns[0]["content"].strip()
                else:
                    lost[key] = reply.reason or "the answer is not one translated turn"
    if asker.passing:
        raise TeacherError(
            f"{sum(asker.passing.values())} of {len(requests)} questions got no answer for reasons"
            f" that may pass ({', '.join(asker.passing)}). Remedy: the same command again; what was"
            " answered is kept"
        )
    return done, lost


def compose_making(overrides: Sequence[str]) -> MakingConfig:
    """Returns the typed configuration that `kakugo` would run with."""
    register_resolvers()
    try:
        with initialize_config_dir(str(CONF), version_base="1.3"):
            values = OmegaConf.to_container(
                compose("run", prepare_arguments(overrides)), resolve=True
            )
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(f"{' '.join(overrides)}: {error}") from None
    config = build_config(values)  # type: ignore[arg-type]
    if not isinstance(config, MakingConfig):
        raise ConfigError(
            f"{' '.join(overrides)}: such a run asks no teacher. Remedy: leave out what makes it"
            " score finished checkpoints alone"
        )
    return config
