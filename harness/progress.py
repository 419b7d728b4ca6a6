"""What a person sees while an experiment runs: one line a stage, and a bar for the one at work."""

import time

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from harness.stage import Artifact, Stage
from harness.stage import Progress as Report

# Without a terminal (logs, sweeps) a line is printed at most this often.
LINE_SECONDS = 30.0


class Display:
    """A `harness.store.Watcher` that writes to a console. `name` marks the lines of one job."""

    def __init__(self, console: Console, name: str = "") -> None:
        self.console = console
        self._mark = f"[dim]{escape(name)}[/dim] " if name else ""
        self._bar: Progress | None = None
        self._begun = 0.0

    def reused(self, stage: Stage, artifact: Artifact) -> None:
        self._line("[dim]reused[/dim]  ", stage)

    def waiting(self, stage: Stage) -> None:
        self._line("[yellow]waiting[/yellow] ", stage, "another process is making it")

    def started(self, stage: Stage, resumed: bool) -> Report:
        self._begun = time.monotonic()
        note = "continued from where an earlier run stopped" if resumed else ""
        if not self.console.is_terminal:
            self._line("begun   ", stage, note)
            return self._lines(stage)
        if note:
            self._line("[cyan]resumed[/cyan] ", stage, note)
        self._bar = Progress(
            TextColumn("working  {task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("[dim]{task.fields[note]}[/dim]"),
            console=self.console,
            transient=True,
        )
        self._bar.start()
        bar, task = self._bar, self._bar.add_task(escape(stage.label), total=None, rate="", note="")

        def report(done: int, total: int, note: str) -> None:
            speed = bar.tasks[0].speed
            rate = _pace(speed) if speed else ""
            bar.update(task, completed=done, total=total, rate=rate, note=escape(note))

        return report

    def finished(self, stage: Stage, artifact: Artifact) -> None:
        self._close()
        tokens = artifact.manifest["tokens"]
        cost = artifact.manifest["cost_usd"]
        parts = [f"{artifact.manifest['seconds']:.0f} s"]
        if tokens["input"] or tokens["output"]:
            parts.append(f"{tokens['input'] + tokens['output']:,} teacher tokens")
            parts.append("cost unknown" if cost is None else f"${cost:.2f}")
        self._line("[green]done[/green]    ", stage, ", ".join(parts))

    def warned(self, stage: Stage, note: str) -> None:
        """What a person must know of a finished stage, before the run goes on."""
        self._line("[yellow]warning[/yellow] ", stage, note)

    def will_lack(self, reason: str) -> None:
        """Why the run will have no result where it could have one, before it begins."""
        self.console.print(
            f"{self._mark}[yellow]warning[/yellow]  no result: {escape(reason)}",
            highlight=False,
            soft_wrap=True,
        )

    def stopped(self, stage: Stage, as_asked: bool = False) -> None:
        self._close()
        if as_asked:
            self._line("[green]asked[/green]   ", stage, "a few calls, which are kept")
        else:
            self._line("[red]stopped[/red] ", stage)

    def _lines(self, stage: Stage) -> Report:
        """Progress as lines of text, for where no bar can be drawn."""
        last = time.monotonic()

        def report(done: int, total: int, note: str) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last < LINE_SECONDS:
                return
            last = now
            rate = done / (now - self._begun)
            left = f", {(total - done) / rate:.0f} s left" if rate > 0 else ""
            self._line("        ", stage, f"{done}/{total}, {_pace(rate)}{left} {note}".rstrip())

        return report

    def _line(self, word: str, stage: Stage, note: str = "") -> None:
        note = f" [dim]({escape(note)})[/dim]" if note else ""
        # In a log a line is a line, however long.
        wraps = self.console.is_terminal
        line = f"{self._mark}{word} {escape(stage.label)}{note}"
        self.console.print(line, highlight=False, soft_wrap=not wraps)

    def _close(self) -> None:
        if self._bar:
            self._bar.stop()
            self._bar = None


def _pace(rate: float) -> str:
    """Of a rate per second; steps of a large model take many seconds each."""
    return f"{1 / rate:.0f} s each" if 0 < rate < 0.1 else f"{rate:.1f}/s"
