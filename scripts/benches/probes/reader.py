"""Reads a checkpoint with the transformers of another environment: reader.py FOLDER QUESTIONS.json.

Prints one line of JSON: tokens of texts, the prompt of a question, and the likeliest next tokens.
"""

import json
import sys
from pathlib import Path

import torch
import transformers

folder, asked = sys.argv[1], json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
talk = [{"role": "user", "content": asked["question"]}]
prompt = tokenizer.apply_chat_template(talk, tokenize=False, add_generation_prompt=True)
tokens = tokenizer(prompt, return_tensors="pt", add_special_tokens=False)
with torch.no_grad():
    best = torch.log_softmax(model(**tokens).logits[0, -1].float(), -1).topk(asked["best"])
found = {
    "tokens": [tokenizer.encode(text, add_special_tokens=False) for text in asked["texts"]],
    "prompt": prompt,
    "best": dict(zip(best.indices.tolist(), best.values.tolist(), strict=True)),
}
print(json.dumps(found))
