"""The wording of every request, read from a YAML file that users may copy and change."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

import yaml

from generation.errors import PromptsError

DEFAULT_FILE = Path(__file__).with_name("prompts.yaml")

# Placeholders of each request beside $language.
_REQUESTS: dict[str, frozenset[str]] = {
    "macro_topics": frozenset({"count", "seed"}),
    "topics": frozenset({"count", "topic"}),
    "topic_prompts": frozenset({"count", "topic"}),
    "scenarios_general": frozenset({"count"}),
    "scenarios_language": frozenset({"count"}),
    "scenario_details": frozenset({"count", "scenario"}),
    "scenario_prompts": frozenset({"count", "scenario"}),
    "context_prompts": frozenset({"count", "task", "text"}),
    "revise": frozenset({"prompt"}),
    "revise_context": frozenset({"prompt", "text"}),
    "respond": frozenset({"prompt"}),
    "translate": frozenset({"conversation"}),
}
# The others ask for a list and get the list format appended.
_NOT_LISTS = ("respond", "translate")

# The keys of the original repository's config.yaml, with {lang_name} for the language; each is the
# system message of these requests. They say themselves in what form lists are to come.
_ORIGINAL = {
    "prompt_gen_system_prompt_template": ("topic_prompts", "scenario_prompts", "context_prompts"),
    "prompt_improvement_system_prompt_template": ("revise", "revise_context"),
    "response_gen_system_prompt_template": ("respond",),
}


@dataclass(frozen=True)
class Prompts:
    """Messages for one language. `lists` says how lists are asked for: "fenced" or "schema"."""

    language: str
    lists: str
    general_seeds: tuple[str, ...]
    language_seeds: tuple[str, ...]
    context_tasks: tuple[str, ...]
    _requests: Mapping[str, tuple[Template, Template]]
    _list_format: Template
    _own_format: frozenset[str]

    def write_messages(
        self, request: str, /, *, count: int = 1, **values: str
    ) -> list[dict[str, str]]:
        """The system and user message of a request; list requests end with the list's format."""
        filled = {"language": self.language, "count": str(count), **values}
        system, user = (part.substitute(filled) for part in self._requests[request])
        if request not in _NOT_LISTS and request not in self._own_format:
            system = f"{system}\n{self._list_format.substitute(filled)}"
        return [{"role": "system", "content": system}, {"role": "user", "content": user}]

    def list_wordings(self) -> list[str]:
        """Every wording, with nothing but the language put in: what must not leak into rows."""
        parts = [part for pair in self._requests.values() for part in pair]
        return [
            part.safe_substitute(language=self.language) for part in (*parts, self._list_format)
        ]


def load_prompts(path: Path, *, language: str, lists: str) -> Prompts:
    """Read and check a prompts file: one like prompts.yaml, or the original repository's
    config.yaml, whose system messages then replace ours as they stand.

    Raises PromptsError with every missing key and unknown placeholder at once.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        original = _is_original(content)
        if original:
            content = _from_original(content)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise PromptsError(
            f"The prompts file {path} cannot be read: {error}. Remedy: start from a copy of "
            f"{DEFAULT_FILE.name} of this package, saved as UTF-8."
        ) from error
    reader = _Reader(content if isinstance(content, dict) else {})
    requests = {
        name: (
            reader.read_template((name, "system"), known),
            reader.read_template((name, "user"), known, default="$prompt"),
        )
        for name, known in _REQUESTS.items()
    }
    list_format = reader.read_template(("lists", lists), frozenset({"count"}))
    general = reader.read_texts(("seeds", "general"))
    own = reader.read_texts(("seeds", "language"))
    tasks = reader.read_texts(("context_tasks",))
    if reader.problems:
        raise PromptsError(
            f"The prompts file {path} cannot be used: {'; '.join(reader.problems)}. Remedy: "
            f"compare it with {DEFAULT_FILE.name} of this package."
        )
    if original and lists == "schema":
        raise PromptsError(
            f"The prompts file {path} asks for its own JSON in a code block, and teacher.lists is "
            "schema. Remedy: teacher.lists=fenced."
        )
    return Prompts(
        language=language,
        lists=lists,
        general_seeds=tuple(part.substitute(language=language) for part in general),
        language_seeds=tuple(part.substitute(language=language) for part in own),
        context_tasks=tuple(part.substitute(language=language) for part in tasks),
        _requests=requests,
        _list_format=list_format,
        _own_format=frozenset(name for names in _ORIGINAL.values() for name in names)
        if original
        else frozenset(),
    )


def _is_original(content: object) -> bool:
    return isinstance(content, dict) and any(key in content for key in _ORIGINAL)


def _from_original(content: dict[str, Any]) -> dict[str, Any]:
    """Our own prompts with the original's system messages in their places."""
    merged: dict[str, Any] = yaml.safe_load(DEFAULT_FILE.read_text(encoding="utf-8"))
    for key, requests in _ORIGINAL.items():
        wording = str(content.get(key) or "").replace("$", "$$").replace("{lang_name}", "$language")
        for name in requests:
            merged[name] = {**merged[name], "system": wording}
    return merged


class _Reader:
    """Takes texts out of the file's content and collects what is wrong with them."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self.content = content
        self.problems: list[str] = []

    def read_template(
        self, keys: tuple[str, ...], known: frozenset[str], default: str | None = None
    ) -> Template:
        value = self._find_value(keys)
        # Only the respond request may leave out the user message: it is the prompt itself.
        if value is None and default is not None and keys[0] == "respond":
            value = default
        return self._check_template(".".join(keys), value, known)

    def read_texts(self, keys: tuple[str, ...]) -> list[Template]:
        value = self._find_value(keys)
        if not isinstance(value, list) or not value:
            self.problems.append(f"{'.'.join(keys)} must be a list of texts")
            return []
        return [
            self._check_template(f"{'.'.join(keys)}[{index}]", item, frozenset())
            for index, item in enumerate(value)
        ]

    def _find_value(self, keys: tuple[str, ...]) -> Any:
        value: Any = self.content
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    def _check_template(self, where: str, value: Any, known: frozenset[str]) -> Template:
        if not isinstance(value, str) or not value.strip():
            self.problems.append(f"{where} must be a text")
            return Template("")
        template = Template(value.strip())
        if not template.is_valid():
            self.problems.append(f"{where} has a single $ (write $$)")
            return template
        allowed = known | {"language"}
        for name in template.get_identifiers():
            if name not in allowed:
                self.problems.append(
                    f"{where} names ${name} (it may name ${', $'.join(sorted(allowed))})"
                )
        return template
