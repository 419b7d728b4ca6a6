"""Asks a teacher, and keeps each answer: client, limits, budget, batch jobs, ledger, replies."""
