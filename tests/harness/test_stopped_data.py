"""A run that is stopped while it makes data: what the next one says of it, and makes."""

import json
import signal
import sys
from pathlib import Path

import pytest
from small import KAKUGO, run

pytestmark = pytest.mark.slow

ROWS = 2_500
AGAIN = "made again: an earlier run stopped before its end"
# The stages of the user's own data, and what each says while it works.
NOTES = {
    "source": "checking",
    "mixture": "writing rows",
    "contamination": "rows contaminated",
    "packed": "tokens of the rows",
}


@pytest.fixture(scope="module")
def asked(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What is asked of each run, but for its store."""
    chats = tmp_path_factory.mktemp("own") / "chats.jsonl"
    with chats.open("w", encoding="utf-8") as file:
        for n in range(ROWS):
            # A million letters in all, so that benchmark texts are looked for in two parts.
            answer = " ".join(f"maneno{n * k % 997}" for k in range(1, 46))
            turns = [
                {"role": "user", "content": f"Swali la {n * 7919}?"},
                {"role": "assistant", "content": answer},
            ]
            file.write(json.dumps({"messages": turns}) + "\n")
    return [
        "student=directory",
        "student.name=tiny",
        f"student.path={tiny}",
        "mix=own",
        "+mix.weights.mine=1",
        f"++sources.own={{mine: {{kind: chat, files: [{chats}]}}}}",
        "train.steps=1",
        "train.batch_size=1",
        "train.micro_batch=1",
        "train.threads=1",
        "train.evaluations=1",
        "stop_after=train",
    ]


def in_store(store: Path, asked: list[str]) -> list[str]:
    return [*asked, f"store={store}", f"cache={store}/cache"]


def contents(store: Path) -> dict[str, str]:
    """The hash of what each stage made, the checkpoint too."""
    made = [json.loads(path.read_text()) for path in store.glob("*/*/manifest.json")]
    return {one["stage"]: one["content"] for one in made}


@pytest.fixture(scope="module")
def undisturbed(asked: list[str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    store = tmp_path_factory.mktemp("undisturbed")
    done = run([*KAKUGO, *in_store(store, asked)])
    assert done.returncode == 0, done.stdout + done.stderr
    assert AGAIN not in done.stdout
    return contents(store)


@pytest.mark.parametrize(
    ("sign", "stages"),
    [(signal.SIGKILL, [*NOTES]), (signal.SIGINT, ["contamination", "packed"])],
)
def test_what_was_stopped_is_made_again_and_said_so(
    asked: list[str],
    undisturbed: dict[str, str],
    tmp_path: Path,
    sign: signal.Signals,
    stages: list[str],
) -> None:
    arguments = in_store(tmp_path, asked)
    dying = [sys.executable, str(Path(__file__).with_name("dying_run.py"))]
    order = [*NOTES]
    for number, stage in enumerate(stages):
        done = run([*dying, stage, NOTES[stage], sign.name, *arguments])
        assert done.returncode == (-sign if sign == signal.SIGKILL else 130), done.stderr
        assert {path.parent.name for path in tmp_path.glob("*/*.partial")} == {stage}
        finished = {path.parent.parent.name for path in tmp_path.glob("*/*/manifest.json")}
        assert finished & {*NOTES} == {*order[: order.index(stage)]}
        # Nothing but the stage that was stopped before is said to be made again, and it was.
        assert done.stdout.count(AGAIN) == bool(number)
        assert "continued" not in done.stdout
    done = run([*KAKUGO, *arguments])
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(AGAIN) == 1
    assert "continued" not in done.stdout
    assert not list(tmp_path.glob("*/*.partial"))
    assert contents(tmp_path) == undisturbed
