"""Errors of decoding; its callers say them in the words of their own settings.

DecodingError
├── NotPackable   the model's rows cannot be packed
└── TooLarge      memory does not suffice for a single item
"""


class DecodingError(Exception):
    """Base of all errors of this package."""


class NotPackable(DecodingError):
    """This model's attention is not what a packed pass can compute."""


class TooLarge(DecodingError):
    """Memory does not suffice for a single item."""
