"""Errors of this package. Each message says what is wrong and, as "Remedy:", what to do.

GenerationError
├── TeacherError     the endpoint cannot be reached, refuses the key, the model or every request,
│   │                stops answering, or left requests unanswered that it may answer later
│   └── BudgetError  the next call may go over the budget
├── PromptsError     the prompts file lacks a key or names a placeholder that does not exist
├── InputError       the context texts or the conversations to translate are missing or malformed
├── LedgerError      the ledger file cannot be opened or is not a ledger
├── OutputError      rows cannot be written
└── MixtureError     a source with a weight is not there, or nothing remains to mix
"""

from core.errors import MendableError


class GenerationError(MendableError):
    """Base of this package's errors; a user can mend the cause, so no traceback is needed."""


class TeacherError(GenerationError):
    """The teacher cannot answer: address, key, model name or the requests themselves are wrong, or
    it does not answer for the time being."""


class BudgetError(TeacherError):
    """The next call may go over the budget in dollars or calls."""


class PromptsError(GenerationError):
    """The prompts file cannot be used as it stands."""


class InputError(GenerationError):
    """The texts or conversations to start from are missing or malformed."""


class LedgerError(GenerationError):
    """The ledger cannot be opened, or the file is something else."""


class OutputError(GenerationError):
    """The rows cannot be written; no answer is lost."""


class MixtureError(GenerationError):
    """The requested mixture is empty or needs a source that is not there."""
