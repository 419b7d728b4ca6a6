"""From sources to the rows that a student is trained on, and what of benchmarks is in them."""
