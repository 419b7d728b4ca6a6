"""Keeps what lm-eval and its libraries say out of the way of what a user should read."""

import logging
import os


def quiet_lm_eval() -> None:
    """Silences progress and hints of lm-eval, datasets and transformers that are not the user's."""
    import datasets
    from transformers.utils import logging as transformers_logging

    os.environ["TOKENIZERS_PARALLELISM"] = "true"  # set, so that no process warns of a fork
    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    datasets.disable_progress_bars()
    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
