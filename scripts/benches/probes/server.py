"""Reads a checkpoint with vLLM, in an environment of its own: server.py FOLDER QUESTIONS.json.

Prints one line of JSON, as reader.py does.
"""

import json
import sys
from pathlib import Path


def main() -> None:
    """Everything here, since vLLM's own processes load this file again."""
    from vllm import LLM, SamplingParams

    asked = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    model = LLM(sys.argv[1], dtype="float32", enforce_eager=True, max_model_len=256, max_num_seqs=1)
    tokenizer = model.get_tokenizer()
    talk = [{"role": "user", "content": asked["question"]}]
    manner = SamplingParams(temperature=0, max_tokens=1, logprobs=asked["best"])
    (answer,) = model.chat(talk, manner, use_tqdm=False)
    found = {
        "tokens": [tokenizer.encode(text, add_special_tokens=False) for text in asked["texts"]],
        "prompt": tokenizer.decode(answer.prompt_token_ids),
        "best": {token: one.logprob for token, one in answer.outputs[0].logprobs[0].items()},
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
