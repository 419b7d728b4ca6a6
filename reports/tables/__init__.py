"""The tables of a report: one file a subject, and no output format in any."""
