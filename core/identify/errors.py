"""What can be wrong with a language identifier, as a message for the person who chose it."""

from core.errors import MendableError


class IdentifierError(MendableError):
    """The language identifier is not installed or cannot be loaded."""
