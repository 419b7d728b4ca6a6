"""Errors of the preference study. Each message says what was received and what to do about it.

PreferenceError
├─ QuestionsError    the questions cannot be read, are not frozen, or were changed since
├─ AnswersError      the two arms' answers cannot be compared blindly
├─ PackError         a pack or a key cannot be made, read or trusted
├─ BallotError       a vote, link or packet that cannot be taken
│  └─ WithdrawnError a vote or link for a rater who withdrew
├─ StudyStateError   the study is not in the state that a step needs (open, closed)
├─ VerificationError what was published and what lies here differ
└─ MessagesError     a catalogue of the raters' words cannot be used
"""

from core.errors import MendableError


class PreferenceError(MendableError):
    """Base of the study's errors."""


class QuestionsError(PreferenceError):
    """The questions are no valid JSONL, not frozen, or not those that were frozen."""


class AnswersError(PreferenceError):
    """Unequal sets, an empty answer, one that names its model or carries template text."""


class PackError(PreferenceError):
    """A pack or key that exists already, is damaged, or belongs to another study."""


class BallotError(PreferenceError):
    """An invitation or vote that is unknown, revoked or impossible, or a packet that was edited."""


class WithdrawnError(BallotError):
    """Something for a rater who has withdrawn: nothing of theirs is taken any more."""


class StudyStateError(PreferenceError):
    """A step that needs an open, closed or unserved study, and found another."""


class VerificationError(PreferenceError):
    """At least one check of `verify` failed; the message names each."""


class MessagesError(PreferenceError):
    """A catalogue lacks a message, or one of its messages lost a placeholder."""
