"""Talks with real checkpoints, files and servers, as a person types them."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from small import run, small

from harness.chat.command import read_words, show_answer
from harness.chat.speakers import LocalSpeaker, Manner, list_messages, open_speaker
from harness.errors import TalkError
from harness.teacher import running_llama
from training.students import find_embedded_gguf


def talk(typed: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "harness.cli", "chat", *arguments]
    return subprocess.run(command, input=typed, capture_output=True, text=True)


@pytest.mark.slow
def test_a_file_and_its_server_say_the_same_and_remember_what_was_said() -> None:
    file = find_embedded_gguf()
    typed = (
        "My name is Asha. Say it.\nWhat is my name?\n/new\nWhat is my name?\n/quit\nnever asked\n"
    )
    done = talk(typed, str(file), "max_tokens=24", "system=You answer in a few words.")
    assert done.returncode == 0, done.stderr
    said = done.stdout.strip().split("\n")
    assert len(said) >= 3
    assert "Asha" in done.stdout
    with running_llama(file, "served", 2048, "the server") as address:
        served = talk(typed, f"{address}/v1", "max_tokens=24", "system=You answer in a few words.")
    assert served.stdout == done.stdout


def test_a_checkpoint_says_what_transformers_says(tiny: Path) -> None:
    speaker = LocalSpeaker("tiny", tiny)
    messages = list_messages("", [], "Habari?")
    manner = Manner(max_tokens=12)
    said = "".join(speaker.stream(messages, manner))
    prompt = speaker.tokenizer.apply_chat_template(
        messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    tokens = speaker.model.generate(**prompt, max_new_tokens=12, do_sample=False)
    whole = speaker.tokenizer.decode(tokens[0, prompt["input_ids"].shape[1] :], True)
    assert said == whole
    assert said


def test_an_answer_that_is_not_wanted_ends(tiny: Path) -> None:
    speaker = LocalSpeaker("tiny", tiny)
    pieces = speaker.stream(list_messages("", [], "Habari?"), Manner(max_tokens=2000))
    next(piece for piece in pieces if piece)
    pieces.close()  # type: ignore[attr-defined]  # and its thread with it, or this would hang


@pytest.mark.slow
def test_artifacts_of_a_store_stand_side_by_side_by_their_names(tiny: Path, tmp_path: Path) -> None:
    """Also a base that is used where it lies."""
    store = tmp_path / "store"
    made = run(small(store, tiny, "mix=topic", "evaluate.tasks=[sib200]", "stop_after=train"))
    assert made.returncode == 0, made.stderr
    (trained,) = store.glob("train/*/manifest.json")
    (base,) = [
        path for root in (store, store / "cache") for path in root.glob("base/*/manifest.json")
    ]
    done = talk("Habari?\n", str(base.parent), str(trained.parent), "max_tokens=4")
    assert done.returncode == 0, done.stderr
    assert "Side by side, and not blind." in done.stdout
    assert "tiny: base checkpoint\n" in done.stdout
    assert "Swahili: train on topic\n" in done.stdout


class Rude:
    """A speaker who sends control characters."""

    name = "rude"

    def stream(self, messages: object, manner: Manner) -> "object":
        yield "a\x1b[2J"
        yield "b\n"


def test_what_is_said_does_nothing_to_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    from rich.console import Console

    show_answer(Rude(), [], Manner(), Console(markup=False, highlight=False))  # type: ignore[arg-type]
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert shown.startswith("a\N{REPLACEMENT CHARACTER}[2Jb")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "there is nobody to talk to"),
        (["x", "thinking=maybe"], "thinking is true or false"),
        (["x", "max_tokens=0"], "max_tokens is at least 1"),
        (["x", "temperature=3"], "temperature 0 to 2"),
    ],
)
def test_what_makes_no_sense_is_told(arguments: Sequence[str], said: str) -> None:
    with pytest.raises(TalkError, match=said):
        read_words(arguments)


def test_who_is_nobody_is_told(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text(json.dumps({}))
    for who in (str(tmp_path), str(tmp_path / "none.gguf"), str(tmp_path / "note.txt")):
        with pytest.raises(TalkError, match="is no checkpoint"), open_speaker(who):
            pass
    with pytest.raises(TalkError, match="tells of no model"), open_speaker("http://127.0.0.1:9/v1"):
        pass
