"""Errors of a checkpoint, as messages for the person who gave it.

CheckpointError   its files, weights or tokenizer are not those of a whole, known causal model
└── ChatError     its chat template is missing or refuses a conversation
"""

from core.errors import MendableError


class CheckpointError(MendableError):
    """The message names the file and the fault, and ends in a remedy."""


class ChatError(CheckpointError):
    """A chat template is missing or refuses a conversation."""
