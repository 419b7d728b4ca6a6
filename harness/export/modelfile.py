"""Writes Ollama's Modelfile: the file, its chat template in Go's language, and where turns end.

A Jinja template is any program, and Ollama's are of another language. So the template is probed:
what stands before and after the words of each role is taken from rendered conversations, and the
result is believed only where it renders further conversations to the very text of the original.
Not covered: tools, and templates that treat a role in more than one way.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from core.checkpoints.errors import ChatError
from harness.errors import ExportError

Messages = Sequence[Mapping[str, str]]
Render = Callable[[Messages, bool], str]
"""Renders messages; the flag asks for the beginning of an answer."""

_ROLES = ("system", "user", "assistant")
_MARK = "\u2042{}\u2042"  # stands for words in a probe, and in no template


@dataclass(frozen=True)
class Turns:
    """A template as text around each role's words. `default` stands before all where no system
    message is given, and `asking` behind all, where the answer begins."""

    default: str
    around: Mapping[str, tuple[str, str]]
    asking: str

    def render(self, messages: Messages, asks: bool) -> str:
        """Renders messages as Ollama will."""
        has_system = bool(messages) and messages[0]["role"] == "system"
        parts = ["" if has_system else self.default]
        for message in messages:
            before, after = self.around[message["role"]]
            parts += [before, message["content"], after]
        return "".join(parts) + (self.asking if asks else "")


def probe_template(render: Render) -> Turns:
    """Finds the text around each role's words. Raises `ExportError` where the template cannot be
    written so."""
    try:
        turns = _probe(render)
        differs = next((m for m in _PROBES if turns.render(m, True) != render(m, True)), None)
    except (ValueError, IndexError, ChatError) as error:
        raise _refuse(str(error)) from None
    if differs is not None:
        roles = ", ".join(message["role"] for message in differs)
        raise _refuse(f"a conversation of {roles} is written otherwise")
    return turns


def write_modelfile(file: str, turns: Turns | None, stops: Sequence[str], system: str) -> str:
    """Returns the text of a Modelfile.

    `turns` None leaves the template to the one inside the GGUF file, which newer versions of Ollama
    read. `system` is the system prompt that the checkpoint was trained with; "" for none.
    """
    lines = [f"FROM ./{file}"]
    if turns is not None:
        lines.append(f'TEMPLATE """{write_go_template(turns)}"""')
    lines += [f"PARAMETER stop {_quote(stop)}" for stop in stops]
    if system:
        if '"""' in system:
            raise _refuse('the system prompt holds """, which ends a text in a Modelfile')
        lines.append(f'SYSTEM """{system}"""')
    return "\n".join(lines) + "\n"


def write_go_template(turns: Turns) -> str:
    """Returns the template in Go's language, as Ollama's Modelfile takes it. Ollama hands the
    Modelfile's SYSTEM over as the first message."""
    roles = []
    for place, role in enumerate(_ROLES):
        before, after = turns.around[role]
        word = "if" if place == 0 else "else if"
        test = f'{word} eq .Role "{role}"'
        roles.append(f"{{{{ {test} }}}}{_escape(before)}{{{{ .Content }}}}{_escape(after)}")
    opening = ""
    if turns.default:
        opening = f"{{{{ if not .System }}}}{_escape(turns.default)}{{{{ end }}}}"
    text = (
        f"{opening}{{{{ range .Messages }}}}{''.join(roles)}{{{{ end }}}}{{{{ end }}}}"
        f"{_escape(turns.asking)}"
    )
    if '"""' in text:
        raise _refuse('it holds """, which ends a text in a Modelfile')
    return text


def _say(role: str, words: str) -> dict[str, str]:
    return {"role": role, "content": words}


_S, _U, _A, _V = (_MARK.format(name) for name in "suav")
_PROBES: tuple[Messages, ...] = (
    [_say("user", "a b")],
    [_say("system", "s"), _say("user", "What is 2 + 2?")],
    [_say("user", "x"), _say("assistant", "y"), _say("user", "z")],
    [_say("system", "ቃል"), _say("user", "x"), _say("assistant", "سلام"), _say("user", "z, w")],
)


def _probe(render: Render) -> Turns:
    whole = render([_say("system", _S), _say("user", _U), _say("assistant", _A),
                    _say("user", _V)], True)  # fmt: skip
    head, rest = _cut(whole, _S)
    system_user, rest = _cut(rest, _U)
    user_assistant, rest = _cut(rest, _A)
    assistant_user, tail = _cut(rest, _V)
    before_user, after_user = _cut(render([_say("user", _U)], False), _U)
    answered = render([_say("user", _U), _say("assistant", _A)], False)
    after_assistant = _cut(answered, _A)[1]
    start = _take_off(assistant_user, after_assistant)
    return Turns(
        default=_take_off_end(before_user, start),
        around={
            "system": (head, _take_off_end(system_user, start)),
            "user": (start, after_user),
            "assistant": (_take_off(user_assistant, after_user), after_assistant),
        },
        asking=_take_off(tail, after_user),
    )


def _cut(text: str, mark: str) -> tuple[str, str]:
    if text.count(mark) != 1:
        raise ValueError("it does not write every message once")
    before, _, after = text.partition(mark)
    return before, after


def _take_off(text: str, beginning: str) -> str:
    if not text.startswith(beginning):
        raise ValueError("the end of a turn depends on the turn behind it")
    return text[len(beginning) :]


def _take_off_end(text: str, end: str) -> str:
    if not text.endswith(end):
        raise ValueError("the beginning of a turn depends on the turn before it")
    return text[: len(text) - len(end)]


def _escape(text: str) -> str:
    return text.replace("{{", '{{ "{{" }}')


def _quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _refuse(why: str) -> ExportError:
    return ExportError(
        f"the chat template cannot be written for Ollama: {why}. Remedy: use the GGUF file with "
        "llama.cpp, which reads the template inside it."
    )
