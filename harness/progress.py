"""Shows a person how an experiment runs: one line a stage, and a bar for the one at work.

Rate and time left belong to the count at hand, and to its last minute: a stage that first reads,
then computes and then writes has three counts. In a log there are lines instead of the bar, the
first after five seconds, whether or not the stage has said anything by then.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
from rich.progress_bar import ProgressBar
from rich.text import Text

from harness.stage import Artifact, Stage
from harness.stage import Progress as Report

# Without a terminal (logs, sweeps) the first line is printed after so long, and then one so often.
FIRST_LINE_SECONDS = 5.0
LINE_SECONDS = 30.0
_WINDOW_SECONDS = 60.0


class Count:
    """The count at hand of a stage, with its rate and what is left of it.

    A new count begins where less is done than before, or another total is told. A total of 0 means
    that it is not known.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begun = clock()
        self._told: deque[tuple[float, int]] = deque()  # (when, how many were done)
        self.done = self.total = 0
        self.note = ""

    def tell(self, done: int, total: int, note: str) -> None:
        """Takes note of progress; it is a `harness.stage.Progress`."""
        if total != self.total or done < self.done:
            self._told.clear()
        self.done, self.total, self.note = done, total, note
        now = self._clock()
        self._told.append((now, done))
        while len(self._told) > 2 and self._told[1][0] <= now - _WINDOW_SECONDS:
            self._told.popleft()

    @property
    def rate(self) -> float:
        """The number that is done in a second; 0 where that is not known yet."""
        if not self._told:
            return 0.0
        since, before = self._told[0]
        seconds = self._clock() - since
        return (self.done - before) / seconds if seconds > 0 else 0.0

    @property
    def words(self) -> str:
        """All that is known now, in a line."""
        parts = [self.note] if self.note else []
        if self.total:
            parts.append(f"{self.done:,} of {self.total:,}")
        elif self.done:
            parts.append(f"{self.done:,} so far")
        if rate := self.rate:
            parts.append(f"{1 / rate:.0f} s each" if rate < 0.1 else f"{rate:,.1f}/s")
            if self.total:
                parts.append(f"{_write_span((self.total - self.done) / rate)} left")
        return ", ".join(parts) or f"{_write_span(self._clock() - self._begun)} so far"


class Display:
    """A `harness.store.Watcher` that writes to a console.

    `name` marks the lines of a sweep's job, which does not list what is there already.
    """

    def __init__(self, console: Console, name: str = "") -> None:
        self.console = console
        self._mark = f"[dim]{escape(name)}[/dim] " if name else ""
        self._at_work: _Bar | _Lines | None = None

    def say(self, text: str) -> None:
        """Prints a line of its own, about no stage."""
        self.console.print(f"{self._mark}{escape(text)}", highlight=False, soft_wrap=True)

    def show_reused(self, stage: Stage, artifact: Artifact) -> None:
        if not self._mark:
            self._print_line("[dim]reused[/dim]  ", stage.label)

    def show_waiting(self, stage: Stage) -> None:
        self._print_line("[yellow]waiting[/yellow] ", stage.label, "another process is making it")

    def show_started(self, stage: Stage, resumed: bool, again: bool = False) -> Report:
        note = ""
        if resumed:
            note = "continued from where an earlier run stopped"
        elif again:
            note = "made again: an earlier run stopped before its end"
        if not self.console.is_terminal:
            self._print_line("begun   ", stage.label, note)
        elif note:
            word = "[cyan]resumed[/cyan] " if resumed else "[cyan]again[/cyan]   "
            self._print_line(word, stage.label, note)
        return self._open(stage.label)

    def show_finished(self, stage: Stage, artifact: Artifact) -> None:
        self._close()
        tokens, cost = artifact.manifest.tokens, artifact.manifest.cost_usd
        parts = [f"{artifact.manifest.seconds:.0f} s"]
        if tokens.input or tokens.output:
            parts.append(f"{tokens.input + tokens.output:,} teacher tokens")
            parts.append("cost unknown" if cost is None else f"${cost:.2f}")
        self._print_line("[green]done[/green]    ", stage.label, ", ".join(parts))

    def show_warnings(self, stage: Stage, note: str) -> None:
        """Prints the warnings of a finished stage, before the run goes on."""
        self._print_line("[yellow]warning[/yellow] ", stage.label, note)

    def show_lacking(self, reason: str) -> None:
        """Prints, before the run begins, why it will lack a result that it could have."""
        self.console.print(
            f"{self._mark}[yellow]warning[/yellow]  no result: {escape(reason)}",
            highlight=False,
            soft_wrap=True,
        )

    def show_stopped(self, stage: Stage, as_asked: bool = False) -> None:
        self._close()
        if as_asked:
            self._print_line("[green]asked[/green]   ", stage.label, "a few calls, which are kept")
        else:
            self._print_line("[red]stopped[/red] ", stage.label)

    @contextmanager
    def showing_work(self, with_what: str) -> Iterator[Report]:
        """Shows work that belongs to no stage, for as long as it takes; it is told how far that
        is."""
        report = self._open(with_what)
        try:
            yield report
        finally:
            self._close()

    def _open(self, label: str) -> Report:
        count = Count()
        if self.console.is_terminal:
            self._at_work = _Bar(self.console, label, count)
        else:
            self._at_work = _Lines(lambda: self._print_line("        ", label, count.words))
        return count.tell

    def _close(self) -> None:
        if self._at_work:
            self._at_work.end()
            self._at_work = None

    def _print_line(self, word: str, label: str, note: str = "") -> None:
        note = f" [dim]({escape(note)})[/dim]" if note else ""
        # In a log a line is a line, however long.
        wraps = self.console.is_terminal
        line = f"{self._mark}{word} {escape(label)}{note}"
        self.console.print(line, highlight=False, soft_wrap=not wraps)


class _Bar:
    """A count in a terminal, drawn anew several times a second."""

    def __init__(self, console: Console, label: str, count: Count) -> None:
        self._progress = Progress(
            TextColumn("working  {task.description}"),
            _CountBar(count),
            TimeElapsedColumn(),
            _CountWords(count),
            console=console,
            transient=True,
        )
        self._progress.start()
        self._progress.add_task(escape(label), total=None)

    def end(self) -> None:
        self._progress.stop()


class _CountBar(BarColumn):
    """The share that is done; a pulse where that is not known."""

    def __init__(self, count: Count) -> None:
        super().__init__()
        self._count = count

    def render(self, task: Task) -> ProgressBar:
        task.total, task.completed = self._count.total or None, self._count.done
        return super().render(task)


class _CountWords(ProgressColumn):
    """A column of the bar that tells the known numbers of the count."""

    def __init__(self, count: Count) -> None:
        super().__init__()
        self._count = count

    def render(self, task: Task) -> Text:
        return Text(self._count.words)


class _Lines:
    """A count as lines of text, for where no bar can be drawn."""

    def __init__(self, say: Callable[[], None]) -> None:
        self._say = say
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        wait = FIRST_LINE_SECONDS
        while not self._ended.wait(wait):
            self._say()
            wait = LINE_SECONDS


def _write_span(seconds: float) -> str:
    """Writes a time in the unit that people would say it in."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
