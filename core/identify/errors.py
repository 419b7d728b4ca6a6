"""Errors of a language identifier, as messages for the person who chose it."""

from core.errors import MendableError


class IdentifierError(MendableError):
    """The language identifier is not installed or cannot be loaded."""
