"""A server of the embedded weights on a host and port that are given, as a cluster's command is."""

import sys
import threading

import xllamacpp

from training.students import find_embedded_gguf

params = xllamacpp.CommonParams()
params.model.path = str(find_embedded_gguf())
params.model_alias = {"served"}
params.hostnames = [sys.argv[1]]
params.port = int(sys.argv[2])
params.n_parallel = 1
params.n_ctx = 4096
params.cache_prompt = False
params.ui = False
params.cpuparams.n_threads = 1
server = xllamacpp.Server(params)
threading.Event().wait()
