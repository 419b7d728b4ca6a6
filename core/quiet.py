"""Keeps bars and notes of libraries out of our progress display."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Lets transformers draw no progress bars and log errors only, within this context, and
    keeps DeepSpeed from being loaded only to ask whether a model is wrapped in it."""
    from accelerate.utils import other
    from transformers.utils import logging

    # Wherever it is installed, accelerate imports it for that question at every save, which takes
    # seconds and warns of a machine without GPU. Who has not started it has no such model.
    is_installed = other.is_deepspeed_available
    other.is_deepspeed_available = lambda: "deepspeed" in sys.modules and is_installed()
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        other.is_deepspeed_available = is_installed
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
