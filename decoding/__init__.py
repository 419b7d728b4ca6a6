"""Decoding with transformers: many prompts behind one beginning, greedy or drawn by chance."""
