"""Find what is wrong with a row: checks, duplicates, and the counts of both."""
