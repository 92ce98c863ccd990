#!/usr/bin/env python3
"""Many to many, aligned: label each character of a sentence with an LSTM and a CRF. A program to read.

    python tag_names.py              # seconds; the sentences are made here

A sentence of T characters gives T labels: B-PS begins a person's name, I-PS goes on with it, B-LC and I-LC do the same
for a place, and O is neither. `okt-lstm train --task token-classification` does the same and more.
"""

import argparse
import random

import torch
from torch.utils.data import DataLoader
from transformers import DataCollatorForTokenClassification, pipeline, set_seed

from okt_lstm import LSTMConfig, LSTMForTokenClassification, OktCharacterTokenizer
from okt_lstm.models.tokenization_okt_character import TYPE_VOCAB_SIZE

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--epochs", type=int, default=5)
options = parser.parse_args()
set_seed(42)

# 1. Sentences with names. A particle (은, 에서, 를) sticks to the name before it: a label ends within a word.
family, given = "김이박최정강조윤장임", "민서지우하준유진도윤서연예은시우수아"
places = ["서울", "부산", "제주", "강릉", "경주", "전주", "속초", "여수"]
patterns = [
    "{ps}은 {lc}에서 태어났다",
    "{lc}에 사는 {ps}를 만났다",
    "어제 {ps}와 {lc}로 떠났다",
    "{ps}의 고향은 {lc}이다",
]
labels = ["O", "B-PS", "I-PS", "B-LC", "I-LC"]


def make_sentence() -> tuple[str, list[int]]:
    """Return a sentence and the id of each character's label."""
    ps, lc = random.choice(family) + "".join(random.sample(given, 2)), random.choice(places)
    text = random.choice(patterns).format(ps=ps, lc=lc)
    tags = [0] * len(text)
    for name, begin in ((ps, 1), (lc, 3)):
        start = text.index(name)
        tags[start : start + len(name)] = [begin] + [begin + 1] * (len(name) - 1)
    return text, tags


sentences = [make_sentence() for _ in range(600)]

# 2. A token for each character. Its type is what Okt says of it: part of speech, begins a morpheme, after a space.
tokenizer = OktCharacterTokenizer().train_new_from_iterator((text for text, _ in sentences), vocab_size=1000)
rows = [{**tokenizer(text), "labels": tags} for text, tags in sentences]
train, test = rows[:500], rows[500:]

# 3. The network: ids, (batch, T); states of two directions, (batch, T, 64); scores, (batch, T, 5); the best labels.
model = LSTMForTokenClassification(
    LSTMConfig(
        vocab_size=len(tokenizer),
        type_vocab_size=TYPE_VOCAB_SIZE,
        embedding_size=32,
        hidden_size=32,
        num_hidden_layers=1,
        crf=True,
        constrain_tags=True,
        id2label=dict(enumerate(labels)),
    )
)

# 4. Training.
collate = DataCollatorForTokenClassification(tokenizer)
optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
for epoch in range(options.epochs):
    model.train()
    for batch in DataLoader(train, batch_size=25, shuffle=True, collate_fn=collate):
        loss = model(**batch).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        batch = collate(test)
        right = (model(**batch).logits.argmax(-1) == batch["labels"])[batch["labels"] >= 0]
    print(f"epoch {epoch + 1}: loss {loss.item():.4f}, {right.float().mean():.2%} of the characters are right")

# 5. A sentence that was not in the training set, character by character, and as names.
text = "이은서와 강릉에 갔다"
tag = pipeline("token-classification", model=model, tokenizer=tokenizer, ignore_labels=[])
for entity in tag(text):
    print(f"  {entity['word']}  {entity['entity']:5} {entity['score']:.2f}")
for entity in tag(text, aggregation_strategy="simple", ignore_labels=["O"]):
    print(f"{text[entity['start'] : entity['end']]}: {entity['entity_group']}")
