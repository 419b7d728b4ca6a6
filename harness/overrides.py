"""What a person types, before Hydra sees it.

Hydra stops at the first unknown key and does not say which one was meant. Values are therefore
handed on as ``++key=value``, which Hydra always accepts, and `harness.config` reports every
problem at once. The names of groups and options are checked here.
"""

import difflib
import re
from collections.abc import Sequence
from pathlib import Path

from harness.errors import ConfigError

# Holds what was typed, also for the jobs of a sweep, which run in processes of their own.
COMMAND_VARIABLE = "KAKUGO_COMMAND"
CONF = Path(__file__).parents[1] / "conf"
_OVERRIDE = re.compile(r"^(?P<mark>\+\+|\+|~)?(?P<key>[A-Za-z_][\w./]*)(?P<package>@[\w.]*)?=")


def prepared(arguments: Sequence[str]) -> list[str]:
    """`arguments` for Hydra; `ConfigError` names each option that a group does not have."""
    if {"-sc", "--shell-completion"} & set(arguments):
        return list(arguments)
    problems: list[str] = []
    ready = []
    for argument in arguments:
        match = _OVERRIDE.match(argument)
        if not match or match["mark"] == "~" or match["package"] or _is_hydras(match["key"]):
            ready.append(argument)
        elif (CONF / match["key"]).is_dir():
            if match["key"] == "sweep" and argument.endswith("=null"):
                continue
            problems += _unknown_options(match["key"], argument[match.end() :])
            ready.append(argument)
        else:
            ready.append("++" + argument.removeprefix(match["mark"] or ""))
    if problems:
        raise ConfigError("\n".join(problems))
    # Hydra's parser takes flags only before the first override.
    return sorted(ready, key=lambda argument: argument not in ("-m", "--multirun"))


def _is_hydras(key: str) -> bool:
    return key == "hydra" or key.startswith(("hydra.", "hydra/"))


def _unknown_options(group: str, value: str) -> list[str]:
    """A message for each plain option name in `value` that the group lacks."""
    options = sorted(path.stem for path in (CONF / group).glob("*.yaml"))
    messages = []
    for name in value.split(","):
        if not re.fullmatch(r"[\w\- ']+", name) or name in options:
            continue
        near = difflib.get_close_matches(name.lower().replace(" ", "_"), options, n=3, cutoff=0.5)
        hint = f"Nearest: {', '.join(near)}." if near else f"Known: {', '.join(options)}."
        if group == "language":
            hint += f' For any other language: language=other language.name="{name}"'
        messages.append(f"{group}={name}: there is no conf/{group}/{name}.yaml. {hint}")
    return messages
