#!/usr/bin/env python3
"""Both directions: fill the gap in 어제 시장에서 ___ 세 마리를 샀다, from what stands before it and after it. To read.

    python fill_gaps.py              # seconds; the sentences are made here

The place before the gap allows several things, and so does the counter after it. Only both together leave one.
`okt-lstm pretrain --mask_token '<mask>'` trains such a model on any text.
"""

import argparse
import random

import torch
from transformers import pipeline, set_seed

from okt_lstm import LSTMConfig, LSTMForMaskedLM, OktTokenizer

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--epochs", type=int, default=8)
options = parser.parse_args()
set_seed(42)

# 1. Sentences: a place, a thing, a number, the thing's counter, a verb.
things = {
    ("시장", "마리"): "생선",
    ("시장", "개"): "사과",
    ("시장", "켤레"): "장화",
    ("농장", "마리"): "송아지",
    ("농장", "개"): "달걀",
    ("서점", "권"): "소설",
    ("서점", "장"): "엽서",
    ("학교", "권"): "공책",
    ("학교", "장"): "색종이",
    ("학교", "켤레"): "실내화",
}


def make_sentence() -> tuple[str, str]:
    """Return a sentence and the thing in it."""
    (place, counter), thing = random.choice(list(things.items()))
    day, number = random.choice(["어제", "오늘", "아까"]), random.choice(["한", "두", "세", "네"])
    return f"{day} {place}에서 {thing} {number} {counter}를 {random.choice(['샀다', '봤다', '골랐다'])}", thing


sentences = [make_sentence() for _ in range(1200)]
train, test = sentences[:1000], sentences[1000:]

# 2. Morphemes, and a token for a gap.
tokenizer = OktTokenizer(mask_token="<mask>")
tokenizer = tokenizer.train_new_from_iterator((text for text, _ in train), vocab_size=200)

# 3. The model: one network reads from the left, the other one from the right. Neither sees what the other one read.
size = 32
config = LSTMConfig(
    vocab_size=len(tokenizer),
    embedding_size=size,
    hidden_size=size,
    num_hidden_layers=1,
    separate_directions=True,
    hidden_dropout=0,
)
model = LSTMForMaskedLM(config)

# 4. Training: predict every token from its left and its right. None needs a mask: no prediction reads its own token.
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
for epoch in range(options.epochs):
    random.shuffle(train)
    for start in range(0, len(train), 25):
        batch = tokenizer([text for text, _ in train[start : start + 25]], padding=True, return_tensors="pt")
        loss = model(**batch, labels=batch["input_ids"].masked_fill(batch["attention_mask"] == 0, -100)).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    print(f"epoch {epoch + 1}: loss {loss.item():.3f}")

# 5. The gaps of new sentences, filled from either side and from both.
model.eval()
right = dict.fromkeys(["what stands before", "what stands after", "both"], 0)
for text, thing in test:
    inputs = tokenizer(text.replace(thing, "<mask>"), return_tensors="pt")
    gap = int((inputs["input_ids"][0] == tokenizer.mask_token_id).nonzero())
    with torch.no_grad():
        states = model.model(**inputs).last_hidden_state[0]  # (time, 2 * size)
        before, after = states[gap - 1, :size], states[gap + 1, size:]  # (size,) each
        for side, vector in zip(right, (before, after, before + after), strict=True):
            guess = model.lm_head(vector).argmax()  # of (vocab_size,)
            right[side] += tokenizer.decode([guess]) == thing
for side, count in right.items():
    print(f"from {side}: {count / len(test):.0%} of the gaps are filled right")
fill = pipeline("fill-mask", model=model, tokenizer=tokenizer, top_k=3)
for text in ("어제 시장에서 <mask> 세 마리를 샀다", "어제 시장에서 <mask> 세 켤레를 샀다"):
    print(text, ", ".join(f"{guess['token_str']} {guess['score']:.2f}" for guess in fill(text)))
