"""The files that one room writes and another reads: their names, and records of what they hold.

    names        how files and folders of a store are called
    record       reads and writes any of the records below
    manifest     a finished artifact
    facts        what each stage says of its result, beside the manifest's own fields
    plan         what a run intended
    score        one checkpoint on one task, and `samples`, one row per item
    journal      the lines that training writes while it runs
    study        the result of a blind preference study

A record bears the version of its form as `schema` (a manifest's `version` is the stage's own). One
without a schema is older than that field. What an older form lacks is None here, never a made-up
value; a newer form than this code knows is refused with a remedy.
"""
