"""`kakugo export`: checkpoints of an experiment as GGUF files for llama.cpp and Ollama, scored.

    command      the command line
    converter    llama.cpp's converter, in a folder of its own
    modelfile    a chat template as Ollama writes one
    talking      checks a file by talking to it
    losses       scores of files beside their checkpoint's, on the same items

The stages stand in `harness.stages.exporting`.
"""
