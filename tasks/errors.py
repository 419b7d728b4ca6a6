"""Errors of the benchmarks.

TasksError
├─ DataMissing    a benchmark has no data for a language where they were looked for
│  └─ FileMissing a directory that was given lacks a benchmark's file
├─ DataMalformed  a benchmark's rows are not what they should be
├─ SegmenterMissing a library that finds words is not installed
├─ HubUnavailable a data set of the Hub, or a local copy of one, cannot be had
├─ WordsMissing   the instructions are not written in a language
└─ WordsMalformed the table of the instructions' words cannot be read as one
"""

from core.errors import MendableError


class TasksError(MendableError):
    """Base of all errors of this package; the message says what to do."""


class DataMissing(TasksError):
    """A benchmark has no data for a language where they were looked for."""


class FileMissing(DataMissing):
    """A directory that was given lacks a benchmark's file, which may lie elsewhere."""


class DataMalformed(TasksError):
    """Rows lack columns, number or sense."""


class SegmenterMissing(TasksError):
    """A library that finds the words of a language is not installed."""


class HubUnavailable(TasksError):
    """The Hub cannot be reached, does not let us in, or does not know a repository or revision."""


class WordsMissing(TasksError):
    """``words.yaml`` has no entry for a language."""


class WordsMalformed(TasksError):
    """``words.yaml`` lacks a word or cannot be read."""
