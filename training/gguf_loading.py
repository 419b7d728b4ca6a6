"""transformers' GGUF reader, made quicker and quiet.

For a Llama file, transformers 5.23 parses the header once each for the config, the tokenizer and
the weights, through numpy's slow memory-map views, and builds the table of tensor names once per
submodule. For SmolLM2-135M that is 15 of 20 seconds. Here the header is parsed once, through a
plain array, and the table built once; the conversion itself stays transformers' own.
"""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def parsed_once() -> Iterator[None]:
    """Within this context, transformers reads a GGUF file's header only once, without a bar."""
    import gguf
    import numpy as np
    from transformers import modeling_gguf_pytorch_utils as conversion

    class ArrayReader(gguf.GGUFReader):  # type: ignore[misc]
        @property
        def data(self) -> Any:
            return self._array

        @data.setter
        def data(self, mapped: Any) -> None:
            self._array = np.asarray(mapped)

    with (
        _replacing(gguf, "GGUFReader", functools.cache(ArrayReader)),
        _replacing(gguf, "get_tensor_name_map", functools.cache(gguf.get_tensor_name_map)),
        _replacing(conversion, "tqdm", lambda items, **_: items),
    ):
        yield


@contextmanager
def _replacing(owner: Any, name: str, value: Any) -> Iterator[None]:
    kept = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, kept)
