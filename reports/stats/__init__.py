"""Statistics of a report: every formula with its source, and none that reads a file.

    bootstrap.py    resampling of units, and the intervals and p-values that follow
    paired.py       two checkpoints on the same multiple-choice items
    chrf.py         two checkpoints on the same translations
    intervals.py    one score: design effect, chance level, minimum detectable effect
    multiple.py     many tests at once: Benjamini and Hochberg
    correlation.py  base score against gain
    languages.py    means over languages

Wilson's interval, Holm's correction and the test by sign flips are in `core.statistics`, since the
scoring and the blind study need them too. scipy computes what scipy has; tests compare the rest
with statsmodels, sacrebleu and simulation.
"""
