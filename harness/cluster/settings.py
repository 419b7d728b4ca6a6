"""Reads what each stage needs of a cluster: options of `sbatch`, outside of every key."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

import yaml

from harness.errors import ConfigError
from harness.overrides import CONF

FOLDER = CONF / "cluster"


@dataclass(frozen=True)
class TeacherServer:
    """The job that serves the teacher: its command, in which {host} and {port} stand for where it
    is to listen, and further options of ``sbatch``."""

    command: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cluster:
    """The settings with which jobs are submitted.

    `options` are options of ``sbatch`` for every job, and `stages` further ones by the stage's
    name, which come after them. `setup` are lines of shell that run first in each job, and
    `teacher` is the server that all sources ask; None where they ask an endpoint that is there.
    """

    options: tuple[str, ...] = ()
    stages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    setup: str = ""
    teacher: TeacherServer | None = None

    def list_options(self, stage: str) -> list[str]:
        """Lists the options of ``sbatch`` for a job of a stage; later ones win."""
        return [*self.options, *self.stages.get(stage, ())]


def read_cluster(name: str) -> Cluster:
    """Reads ``conf/cluster/NAME.yaml``, or a file of the user's own by its path.

    Raises `ConfigError` where there is none, or where it makes no sense.
    """
    path = Path(name) if name.endswith((".yaml", ".yml")) else FOLDER / f"{name}.yaml"
    if not path.is_file():
        known = sorted(one.stem for one in FOLDER.glob("*.yaml"))
        near = difflib.get_close_matches(name, known, 1)
        hint = f"cluster={near[0]}" if near else f"one of {', '.join(known)}"
        raise ConfigError(f"cluster={name}: there is no {path}. Remedy: {hint}, or FILE.yaml")
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {' '.join(str(error).split())}") from None
    keys = {one.name for one in fields(Cluster)}
    problems = [] if isinstance(values, dict) else [f"{', '.join(sorted(keys))} are its keys"]
    if not problems:
        unknown = sorted(map(str, values.keys() - keys))
        problems += [f"there is no key {key}" for key in unknown]
        stages = values.get("stages") or {}
        if not isinstance(stages, dict):
            problems.append("stages: a list of options for each stage is needed")
            stages = {}
        teacher = values.get("teacher") or {}
        if not isinstance(teacher, dict) or not set(teacher) <= {"command", "options"}:
            problems.append("teacher: a command is needed, and options if any")
            teacher = {}
        elif teacher and "{port}" not in str(teacher.get("command")):
            problems.append("teacher.command: {port} is needed, where the server is to listen")
        lists = {
            "options": values.get("options"),
            **{f"stages.{k}": v for k, v in stages.items()},
            "teacher.options": teacher.get("options"),
        }
        problems += [
            f"{key}: a list of texts is needed, such as [--partition=gpu], received {value!r}"
            for key, value in lists.items()
            if value is not None
            and not (isinstance(value, list) and all(isinstance(one, str) for one in value))
        ]
    if problems:
        raise ConfigError("\n".join(f"{path}: {problem}" for problem in problems))
    return Cluster(
        tuple(values.get("options") or ()),
        {str(stage): tuple(options or ()) for stage, options in stages.items()},
        str(values.get("setup") or ""),
        TeacherServer(teacher["command"], tuple(teacher.get("options") or ())) if teacher else None,
    )
