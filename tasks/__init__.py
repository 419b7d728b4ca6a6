"""The benchmarks as tasks of lm-eval, a file each."""

from core.versions import VERSION

__version__ = VERSION
