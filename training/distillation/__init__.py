"""Distillation of a student from a teacher whose token probabilities are at hand.

The signals are those that the abstract of DuDi (arXiv 2606.04694) names. Its formulas and settings
could not be had: what is here is DuDi-style, an interpretation, of which each choice is a field.
"""
