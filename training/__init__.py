"""Fine-tuning a student on a mixture of chat rows.

settings.py     what a training run is (import-light)
precision.py    bf16 or fp32, decided without importing torch
students.py     a GGUF file becomes a transformers checkpoint
gguf_loading.py transformers' GGUF reader, made quicker and quiet
chats.py        conversations as the student's chat template renders them
dataset.py      chat rows become tokens and labels
packing.py      documents share rows
prepare.py      the trainer's data: packed tokens and labels, before any weight is read
order.py        which row comes when
launch.py       starts a run, in this process or in several under torchrun
worker.py       one process of a launched run
zero.py         DeepSpeed's settings
finetune.py     the whole run, from base and packed rows to checkpoint and log
collate.py      packed rows become a batch in which no document sees another
probe.py        shows on the loaded model that they do not
engine.py       the step: a thin layer on TRL's SFTTrainer
journal.py      what a run says of itself while it runs
checkpoints.py  which interrupted state may be continued
saving.py       the finished checkpoint, in bf16
card.py         its README.md
distillation/   the losses, the data and the steps of a distillation
quiet.py        no bars and notes of the libraries under our progress display
errors.py       what can go wrong, as messages with a remedy
"""

from core.versions import VERSION

__version__ = VERSION
