"""Prepares the arguments that a person types for Hydra.

Hydra stops at the first unknown key and does not say which one was meant. Values are therefore
handed on as ``++key=value``, which Hydra always accepts, and `harness.config` reports every
problem at once. The names of groups and options are checked here, and values that Hydra's grammar
cannot read are quoted (see values.py).
"""

import difflib
import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from harness.errors import ConfigError
from harness.languages import GROUP, explain_unknown, find_option, make_unknown, register_languages
from harness.values import (
    find_call,
    is_plain_sweep,
    is_spaced,
    make_readable,
    parse_override,
    quote,
    split_at,
    unquote,
)

# Holds what was typed, also for the jobs of a sweep, which run in processes of their own.
COMMAND_VARIABLE = "KAKUGO_COMMAND"
CONF = Path(__file__).parents[1] / "conf"
_OVERRIDE = re.compile(r"(?P<mark>\+\+|\+|~)?(?P<key>[^=@]*)(?P<package>@[^=]*)?=", re.DOTALL)
# Hydra makes a run's folder below it before any configuration is checked: below / where it is "".
_FOLDERS = ("store", "cache")
_SHOWN = ("--cfg", "-c", "--info", "-i")
_ALONE = ("-m", "--multirun", "-r", "--run", "--resolve", "--hydra-help", "--version")


def prepare_arguments(arguments: Sequence[str]) -> list[str]:
    """Prepares `arguments` for Hydra; `ConfigError` names each one that it could not make sense
    of."""
    if {"-sc", "--shell-completion"} & set(arguments):
        register_languages()
        return list(arguments)
    flags, typed = _split_flags(arguments)
    sweeps = bool({"-m", "--multirun"} & set(flags)) or "hydra.mode=MULTIRUN" in typed
    problems: list[str] = []
    shown = [flag for flag in flags if flag in _SHOWN]
    if shown and {"-m", "--multirun"} & set(flags):
        problems.append(
            f"{shown[0]} shows the configuration of one run, and -m is a sweep of several. Remedy: "
            "leave -m out, and give each key one value"
        )
    ready = []
    for argument in typed:
        try:
            ready += _prepare_override(argument, sweeps)
        except ConfigError as error:
            problems.append(str(error))
    if problems:
        raise ConfigError("\n".join(problems))
    # Hydra's parser takes flags only before the first override.
    return flags + ready


def _split_flags(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Splits arguments into Hydra's own options with their values, and the overrides."""
    flags: list[str] = []
    typed: list[str] = []
    takes_value = False
    for argument in arguments:
        is_flag = argument.startswith("-")
        (flags if is_flag or takes_value else typed).append(argument)
        takes_value = is_flag and argument not in _ALONE and "=" not in argument
    return flags, typed


def _prepare_override(argument: str, sweeps: bool) -> list[str]:
    """Prepares one override for Hydra; returns nothing where it asks for nothing."""
    try:
        argument.encode()
    except UnicodeEncodeError:
        raise ConfigError(
            f"{argument!a}: this is not UTF-8. Remedy: a terminal, and names of files, in UTF-8."
        ) from None
    match = _OVERRIDE.match(argument)
    if not match:
        if argument.startswith("~") and parse_override(argument):
            return [argument]
        raise ConfigError(
            f"{argument}: this is neither KEY=VALUE nor GROUP=OPTION. Remedy: write it as one, "
            "such as language=swahili; `kakugo --help` lists the groups."
        )
    head, key, value = match[0], match["key"], argument[match.end() :]
    if not key or parse_override(f"{head}x") is None:
        raise ConfigError(
            f"{argument}: {key or 'nothing'} is no key. Remedy: names of Latin letters, digits, _ "
            "and -, with dots between them, such as language.name; only a value may hold anything "
            "else."
        )
    if key == "cluster":
        raise ConfigError(
            f"{argument}: a cluster is for kakugo submit, which submits stages as jobs. Remedy: "
            f"kakugo submit ... {argument}, or leave it out"
        )
    is_group = (CONF / key).is_dir() and match["mark"] != "~" and not _is_hydras(key)
    if is_group:
        if key == "sweep" and value == "null":
            return []
        name = unquote(value.strip())
        if key == GROUP and not sweeps and _is_unknown_name(value, name):
            overrides, said = make_unknown(name)
            print(f"kakugo: {said}", file=sys.stderr)
            return overrides
        value = _replace_options(key, value, sweeps)
    if key in _FOLDERS and unquote(value.strip()) == "":
        raise ConfigError(f"{argument}: a folder is needed. Remedy: {key}=DIR, or leave it out.")
    readable = make_readable(value, sweeps)
    read = parse_override(head + readable)
    if read is None:
        raise ConfigError(
            f"{argument}: this list, dictionary or call cannot be read. Remedy: check its "
            "brackets and commas, and that the keys of a dictionary are Latin letters, digits, "
            "_ and -; a text that looks like one is put in quotes of its own: "
            + shlex.quote(f"{head}{quote(value)}")
        )
    if not read.is_sweep_override():
        try:
            OmegaConf.create({"value": read.value()})
        except OmegaConfBaseException:
            raise ConfigError(
                f"{argument}: ${{ begins a reference to another value, such as ${{store}}, and "
                "this is none. Remedy: as text it is written \\${."
            ) from None
    if is_spaced(value) and is_plain_sweep(read):
        one = shlex.quote(head + quote(value.strip()))
        print(
            f"kakugo: -m runs each of {key}={value}, one after the other. As one text with a "
            f"comma: {one}",
            file=sys.stderr,
        )
    if is_group or match["mark"] == "~" or match["package"] or _is_hydras(key):
        return [head + readable]
    return [f"++{key}={readable}"]


def _is_hydras(key: str) -> bool:
    return key == "hydra" or key.startswith(("hydra.", "hydra/"))


def _replace_options(group: str, value: str, sweeps: bool) -> str:
    """Replaces each option in `value` by the name of its file; `ConfigError` for one that is not
    there."""
    options = _list_options(group)
    whole = _find_option(group, unquote(value), options)
    if whole:
        return whole
    names = split_at(value, ",")
    if find_call(value) or value.startswith(("[", "{")) or "${" in value:
        return value  # a choice(...), a glob(...), a list, something put in: Hydra's to read
    found = [_find_option(group, unquote(name), options) for name in names]
    unknown = [name for name, option in zip(names, found, strict=True) if option is None]
    if not sweeps and unknown == names:
        unknown = [value]  # a name with a comma
    if unknown:
        raise ConfigError(
            "\n".join(_explain_unknown_option(group, name, options) for name in unknown)
        )
    if len(found) > 1 and not sweeps:
        raise ConfigError(
            f"{group}={value}: several options are a sweep. Remedy: kakugo -m ... "
            f"{shlex.quote(f'{group}={value}')}, or one of them."
        )
    return ",".join(map(str, found))


def _find_option(group: str, name: str, options: Sequence[str]) -> str | None:
    """Finds the option of that name. A language goes by any name or code that the registry has
    of it."""
    if name in (*options, "null"):
        return name
    return find_option(name) if group == GROUP else None


def _is_unknown_name(value: str, name: str) -> bool:
    """Says whether what was typed for a language is a text, and no name that is known."""
    written = not find_call(value) and not value.startswith(("[", "{")) and "${" not in value
    known = _find_option(GROUP, name, _list_options(GROUP))
    return written and "," not in value and bool(name) and known is None


def _list_options(group: str) -> list[str]:
    return sorted(path.stem for path in (CONF / group).glob("*.yaml"))


def _explain_unknown_option(group: str, name: str, options: Sequence[str]) -> str:
    if group == GROUP:
        return explain_unknown(name)
    near = difflib.get_close_matches(name.lower().replace(" ", "_"), options, n=3, cutoff=0.5)
    hint = f"Nearest: {', '.join(near)}." if near else f"Known: {', '.join(options)}."
    return f"{group}={name}: there is no conf/{group}/{name}.yaml. {hint}"
