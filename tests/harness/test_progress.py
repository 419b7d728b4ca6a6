"""What is said while stages run: true counts, rates and times left, and no silence."""

import io
import time
from pathlib import Path

import pytest
from counting import counting_stage
from rich.console import Console

import harness.progress
from harness.progress import Count, Display
from harness.stage import Outcome, Stage, Work
from harness.store import Store


class Clock:
    """A time that passes when it is told to."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def count(clock: Clock) -> Count:
    return Count(clock)


def test_a_rate_is_that_of_the_count_at_hand(count: Count, clock: Clock) -> None:
    """Three minutes of reading say nothing of how long it takes to write."""
    for read in range(0, 3001, 1000):
        count.tell(read, 3000, "reading")
        clock.now += 60
    count.tell(0, 500, "writing")
    clock.now += 10
    count.tell(100, 500, "writing")
    assert count.words == "writing, 100 of 500, 10.0/s, 40 s left"


def test_what_was_there_before_is_not_in_the_rate(count: Count, clock: Clock) -> None:
    count.tell(900, 1000, "topics")  # answered in an earlier run
    clock.now += 10
    count.tell(920, 1000, "topics")
    assert count.words == "topics, 920 of 1,000, 2.0/s, 40 s left"


def test_a_rate_is_that_of_the_last_minute(count: Count, clock: Clock) -> None:
    """Long texts come first: what they took says little of the short ones."""
    done = 0
    for second in range(400):
        count.tell(done, 20_000, "")
        clock.now += 1
        done += 1 if second < 200 else 50
    assert count.rate == pytest.approx(50, rel=0.05)


def test_a_count_that_stands_still_slows_down(count: Count, clock: Clock) -> None:
    count.tell(0, 100, "")
    clock.now += 10
    count.tell(50, 100, "")
    assert count.words == "50 of 100, 5.0/s, 10 s left"
    clock.now += 490
    assert count.words == "50 of 100, 0.1/s, 8 min left"


def test_an_unknown_total_has_no_time_left(count: Count, clock: Clock) -> None:
    assert count.words == "0 s so far"
    count.tell(0, 0, "hashing")
    assert count.words == "hashing"
    clock.now += 1000
    count.tell(30, 0, "hashing")
    assert count.words == "hashing, 30 so far, 33 s each"


def test_a_count_that_is_complete_has_nothing_left(count: Count, clock: Clock) -> None:
    count.tell(0, 10, "")
    clock.now += 1
    count.tell(10, 10, "")
    assert count.words == "10 of 10, 10.0/s, 0 s left"


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    monkeypatch.setattr(harness.progress, "FIRST_LINE_SECONDS", 0.05)
    monkeypatch.setattr(harness.progress, "LINE_SECONDS", 0.1)
    return io.StringIO()


def shown_while(make: object, shown: io.StringIO, tmp_path: Path, **console: object) -> str:
    display = Display(Console(file=shown, width=100, **console), "[job 3]")  # type: ignore[arg-type]
    stage = Stage("s", 1, "Lao: a stage", {}, make)  # type: ignore[arg-type]
    Store(tmp_path, tmp_path / "cache", display).build(stage)
    return shown.getvalue()


def test_a_stage_that_says_nothing_is_not_silent(shown: io.StringIO, tmp_path: Path) -> None:
    def make(settings: object, work: Work) -> Outcome:
        work.progress(0, 0, "")
        time.sleep(0.5)
        return Outcome()

    lines = shown_while(make, shown, tmp_path).splitlines()
    assert lines[0] == "[job 3] begun    Lao: a stage"
    assert 3 <= sum("Lao: a stage (0 s so far)" in line for line in lines) <= 6
    assert lines[-1].startswith("[job 3] done     Lao: a stage")
    time.sleep(0.3)
    assert shown.getvalue().splitlines() == lines


def test_a_terminal_has_the_same_words(shown: io.StringIO, tmp_path: Path) -> None:
    def make(settings: object, work: Work) -> Outcome:
        work.progress(30, 40, "rows [of all]")
        time.sleep(0.3)
        return Outcome()

    said = shown_while(make, shown, tmp_path, force_terminal=True, color_system=None)
    assert "rows [of all], 30 of 40" in said


def test_it_says_what_became_of_a_run_that_was_stopped(shown: io.StringIO, tmp_path: Path) -> None:
    display = Display(Console(file=shown))
    store = Store(tmp_path, tmp_path / "cache", display)
    for resumes, words in ((True, "continued from where"), (False, "made again: an earlier run")):
        stage = counting_stage(tmp_path / "trace", name=f"resumes {resumes}", resumes=resumes)
        partial = store.find_folder(stage).with_suffix(".partial")
        partial.mkdir(parents=True)
        (partial / "0.txt").write_text("1000")
        made = store.build(stage)
        assert words in shown.getvalue()
        assert made.manifest.facts["sum"] == (1285 if resumes else 285)
        assert made.manifest.resumed is resumes
