#!/usr/bin/env python3
"""Sequence to sequence: read numbers aloud, from `3721` to 삼천칠백이십일, and see where the decoder looks.

    python read_numbers.py                     # a minute on two cores; draws alignment.png
    python read_numbers.py --attention none    # the whole number has to fit into the encoder's final states

The data are made here. The encoder reads the digits in both directions, and the decoder writes the syllables.
"""

import argparse
import random

import matplotlib.pyplot as plt
import torch
from transformers import set_seed

from okt_lstm import LSTMConfig, LSTMForSeq2SeqLM

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--attention", choices=["dot", "additive", "none"], default="additive")
parser.add_argument("--steps", type=int, default=400)
parser.add_argument("--picture", default="alignment.png")
options = parser.parse_args()


def read_aloud(number: int) -> str:
    """Return how a number below 100,000,000 is read: 10023 is 만이십삼."""
    if number >= 10_000:
        high, low = divmod(number, 10_000)
        return (read_aloud(high) if high > 1 else "") + "만" + (read_aloud(low) if low else "")
    text = ""
    for digit, unit in zip(f"{number:04}", ("천", "백", "십", ""), strict=True):
        # 십, not 일십.
        text += "" if digit == "0" else ("" if digit == "1" and unit else "영일이삼사오육칠팔구"[int(digit)]) + unit
    return text


# 1. One vocabulary for both sides: the special tokens, ten digits and all syllables. An id for each character.
characters = ["<pad>", "<bos>", "<eos>", *"0123456789", *"일이삼사오육칠팔구십백천만"]
ids = {character: index for index, character in enumerate(characters)}


def encode(texts: list[str], end: list[str]) -> torch.Tensor:
    """Return ids, padded to the longest text, `(batch, time)`."""
    rows = [torch.tensor([ids[character] for character in [*text, *end]]) for text in texts]
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)


# 2. The model: a bidirectional layer that reads, one that writes, and attention between them.
set_seed(1)
config = LSTMConfig(
    vocab_size=len(characters),
    embedding_size=64,
    hidden_size=64,
    num_hidden_layers=1,
    hidden_dropout=0.1,
    attention=options.attention,
    bos_token_id=1,
    eos_token_id=2,
    decoder_start_token_id=1,
)
model = LSTMForSeq2SeqLM(config)

# 3. Training. The decoder reads the right syllables and predicts the next one at each step (teacher forcing).
optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=5e-3, total_steps=options.steps)
for step in range(options.steps):
    numbers = [int(10 ** random.uniform(0, 8)) for _ in range(64)]
    labels = encode([read_aloud(number) for number in numbers], ["<eos>"])  # (batch, target)
    labels[labels == 0] = -100
    output = model(input_ids=encode([str(number) for number in numbers], []), labels=labels)
    output.loss.backward()
    optimizer.step()
    schedule.step()
    optimizer.zero_grad()
    if step % 100 == 99:
        print(f"step {step + 1}: loss {output.loss:.3f}")

# 4. The result on numbers of its own choice: right or wrong, and what the decoder looked at.
model.eval()
tests = [int(10 ** random.uniform(0, 8)) for _ in range(500)]
written = model.generate(encode([str(number) for number in tests], []), num_beams=3, max_new_tokens=20)
texts = ["".join(characters[i] for i in row if i > 2) for row in written.tolist()]
right = sum(text == read_aloud(number) for text, number in zip(texts, tests, strict=True))
print(f"{right / 5:.1f} % of 500 numbers are read right, such as {tests[0]}: {texts[0]}")
number = 30_721_846
output = model(encode([str(number)], []), labels=encode([read_aloud(number)], ["<eos>"]), output_attentions=True)
if output.cross_attentions:
    # Not every machine has a font with Hangul.
    roman = ["il", "i", "sam", "sa", "o", "yuk", "chil", "pal", "gu", "sip", "baek", "cheon", "man", "<eos>"]
    syllables = [roman["일이삼사오육칠팔구십백천만".find(syllable)] for syllable in read_aloud(number)] + ["<eos>"]
    figure, axes = plt.subplots(figsize=(5, 6))
    axes.imshow(output.cross_attentions[0][0, 0].detach(), cmap="Greys", vmin=0, vmax=1)  # (target, source)
    axes.set(xlabel="source", ylabel="target")
    axes.set_xticks(range(len(str(number))), [*str(number)])
    axes.set_yticks(range(len(syllables)), syllables)
    figure.savefig(options.picture, dpi=150, bbox_inches="tight")
    print(f"{options.picture} shows where the decoder looked while it read {number}")
