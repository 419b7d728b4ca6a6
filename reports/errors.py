"""Errors of a report that cannot be made. A damaged file inside a store is none of them: it becomes
a named problem in the report, and everything else is still shown.

    ReportsError
    ├── StoreNotFoundError    the store's folder does not exist
    ├── EmptyStoreError       the store holds neither a run nor an artifact
    ├── ImportedTableError    a CSV file is no score table
    ├── LanguageNotFoundError no result is of the language that was asked for
    ├── SamplesNotFoundError  no score answers to what was asked for
    ├── CheckpointNotFoundError no trained checkpoint answers to a name
    ├── FiguresError          a figure cannot be written as asked
    ├── StoreNeededError     a format is made of a store alone
    ├── PiecesModelError      a file is no SentencePiece model, or none can be read
    ├── CometError            COMET cannot be run, or what it wrote not be read
    └── RunNotFoundError      no run of the store lies in the folder that was asked for
"""

from core.errors import MendableError


class ReportsError(MendableError):
    """A report cannot be made; the message says why and what to do."""


class StoreNotFoundError(ReportsError):
    """The store's folder does not exist."""


class EmptyStoreError(ReportsError):
    """The store holds neither a run nor an artifact."""


class RunNotFoundError(ReportsError):
    """No run of the store lies in the folder that was asked for."""


class ImportedTableError(ReportsError):
    """A CSV file is no score table; the message lists what is wrong on which line."""


class LanguageNotFoundError(ReportsError):
    """No result is of the language that was asked for."""


class SamplesNotFoundError(ReportsError):
    """No score, or no sample, answers to what was asked for."""


class CheckpointNotFoundError(ReportsError):
    """No trained checkpoint of the store, or more than one, answers to a name."""


class FiguresError(ReportsError):
    """A figure cannot be written in the form that was asked for."""


class StoreNeededError(ReportsError):
    """A format is made of a store alone, and was asked for of an imported table."""


class PiecesModelError(ReportsError):
    """A file is no SentencePiece model, or the package that reads it is not installed."""


class CometError(ReportsError):
    """COMET cannot be run, or what it wrote cannot be read; the message has its own words."""
