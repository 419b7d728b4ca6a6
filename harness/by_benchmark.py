"""Makes the parts of the configuration that have a field for each benchmark, or name its tasks.

They follow from the benchmarks' own declarations, so that a benchmark's file is all there is to
add, and a mistyped name is told the nearest.
"""

from dataclasses import dataclass, field, make_dataclass
from typing import TYPE_CHECKING, Any, Literal

from core.places import TypedPath
from tasks.catalogue import BENCHMARKS, TASKS

if TYPE_CHECKING:  # which fields there are is known when the program runs, not before
    TaskName = str

    @dataclass(frozen=True)
    class Benchmarks:
        """The language's code in each benchmark, or None where the benchmark lacks it."""

        def __getattr__(self, benchmark: str) -> str | None: ...

    @dataclass(frozen=True)
    class HubRepositories:
        """The repositories of the Hub that take the place of the benchmarks' own when
        ``data_dir=hub``: ``owner/name``, ``owner/name@revision`` or the path of a local
        repository."""

        def __getattr__(self, benchmark: str) -> str | None: ...

else:

    def _by_benchmark(name: str, kind: Any) -> Any:
        """Makes a dataclass with a field of a kind for each benchmark, or None."""
        fields = [(benchmark, kind | None, field(default=None)) for benchmark in BENCHMARKS]
        return make_dataclass(name, fields, frozen=True, namespace={"__module__": __name__})

    TaskName = Literal[tuple(TASKS)]
    Benchmarks = _by_benchmark("Benchmarks", str)
    HubRepositories = _by_benchmark("HubRepositories", TypedPath)
