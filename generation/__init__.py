"""From a language's name and a teacher's address to source files, and from sources to a mixture."""

from core.versions import VERSION

__version__ = VERSION
