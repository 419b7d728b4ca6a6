"""Fine-tuning a student on a mixture of chat rows.

settings.py     what a training run is (import-light)
precision.py    bf16 or fp32, decided without importing torch
students.py     a GGUF file becomes a transformers checkpoint
gguf_loading.py transformers' GGUF reader, made quicker and quiet
dataset.py      chat rows become tokens and labels
order.py        which row comes when
finetune.py     the whole run, from base and rows to checkpoint and log
engine.py       the step: a thin layer on transformers' Trainer
checkpoints.py  which interrupted state may be continued
quiet.py        no bars and notes of the libraries under our progress display
errors.py       what can go wrong, as messages with a remedy
"""
