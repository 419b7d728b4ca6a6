"""Errors of a publication, as messages for the person who asked for it.

PublishingError
├── PlanError   the store gives nothing that may be published as asked
└── HubError    the Hub refuses, or cannot be reached
"""

from core.errors import MendableError


class PublishingError(MendableError):
    """Nothing can be published as asked; the message says why and what to do."""


class PlanError(PublishingError):
    """The store gives nothing that may be published as asked."""


class HubError(PublishingError):
    """The Hub refuses, or cannot be reached."""
