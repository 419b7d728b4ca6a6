"""Talks to checkpoints: `kakugo chat`."""
