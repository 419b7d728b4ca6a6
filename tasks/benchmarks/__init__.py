"""The benchmarks, a file each, and found by it: a file here that declares a `BENCHMARK` is one.

Nothing else names them. A new benchmark is a file here; the languages' codes of it stand in
``conf/language/``, and ``python -m tasks.generate`` writes the rest.
"""
