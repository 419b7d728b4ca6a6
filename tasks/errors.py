"""Errors of the benchmarks.

TasksError
├─ DataMissing   a benchmark's file is not where it should be
└─ DataMalformed a benchmark's file cannot be read as what it should be
"""


class TasksError(Exception):
    """Base of all errors of this package; the message says what to do."""


class DataMissing(TasksError):
    """A benchmark has no data for a language in the directory that was given."""


class DataMalformed(TasksError):
    """A data file lacks columns, rows or sense."""
