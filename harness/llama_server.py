"""Runs llama.cpp's server on one GGUF file, on a free loopback port, until its standard input ends.

    python -m harness.llama_server GGUF MODEL_NAME CONTEXT_TOKENS [--many]

With --many it keeps what it has read of a prompt for the next one, and takes all processors: for
thousands of prompts with one beginning, of whose answers the last digits do not matter.

The first line on standard output is the server's address. The parent keeps the other end of
standard input: see `core.processes`.
"""

import os
import sys
import threading

from core.processes import end_with_parent

MANY = "--many"


def main(gguf: str, name: str, context: int, *, many: bool = False) -> None:
    """Serves until standard input ends."""
    end_with_parent()
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = gguf
    params.model_alias = {name}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    # One slot: the text of a request then does not depend on what runs beside it.
    params.n_parallel = 1
    params.n_ctx = context
    params.cache_prompt = many
    params.ui = False
    # One thread, which is no slower for so small a model: two spend their time waiting for each
    # other. And the text does not depend on the number of cores.
    params.cpuparams.n_threads = (os.cpu_count() or 1) if many else 1
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), many=MANY in sys.argv[4:])
