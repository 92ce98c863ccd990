#!/usr/bin/env python3
"""One to many: write a film review from a label and a length, which decide the state that the network starts from.

    python write_reviews.py                        # the made-up reviews of the package; a minute on two cores
    python write_reviews.py --dataset nsmc         # downloads NSMC; takes longer, and writes better

Image captioning is the same with the vector of a picture.
"""

import argparse

import torch
from torch.nn.utils.rnn import pad_sequence
from transformers import set_seed

from okt_lstm import NSMC, LSTMConfig, LSTMForCausalLM, OktTokenizer

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--dataset", default="sample", choices=["nsmc", "sample"])
parser.add_argument("--data_dir")
parser.add_argument("--epochs", type=int, default=15)
options = parser.parse_args()

# 1. The reviews, each between a token that begins it and one that ends it. With a word mark, decoding restores spaces.
builder = NSMC(options.dataset, data_dir=options.data_dir)
builder.download_and_prepare()
reviews = builder.as_dataset()["train"]
tokenizer = OktTokenizer(bos_token="<bos>", eos_token="<eos>", word_mark="▁", model_max_length=40)
tokenizer = tokenizer.train_new_from_iterator(reviews["document"], vocab_size=8000, min_frequency=2)
begin, end = tokenizer.bos_token_id, tokenizer.eos_token_id
rows = [
    torch.tensor([begin, *ids, end]) for ids in tokenizer(reviews["document"][:], truncation=True)["input_ids"] if ids
]
labels = [
    label for label, text in zip(reviews["label"], reviews["document"], strict=True) if tokenizer(text)["input_ids"]
]


def vector(label: int, length: int) -> list[float]:
    """Return what a review starts from: which label it has, and how many tokens, in tens."""
    return [float(label == 0), float(label == 1), length / 10]


# 2. The model: one direction, and a layer that makes the first state of the vector.
set_seed(1)
config = LSTMConfig(
    vocab_size=len(tokenizer),
    embedding_size=128,
    hidden_size=128,
    num_hidden_layers=1,
    bidirectional=False,
    hidden_dropout=0.2,
    bos_token_id=begin,
    eos_token_id=end,
    initial_state_size=3,
)
model = LSTMForCausalLM(config)

# 3. Training: predict each token from the vector and from the tokens before it.
optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
for epoch in range(options.epochs):
    total = 0.0
    batches = torch.randperm(len(rows)).split(32)
    for batch in batches:
        input_ids = pad_sequence([rows[i] for i in batch], batch_first=True)  # (batch, time)
        vectors = torch.tensor([vector(labels[i], len(rows[i]) - 2) for i in batch])  # (batch, 3)
        output = model(input_ids, initial_state=vectors, labels=input_ids.masked_fill(input_ids == 0, -100))
        output.loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        total += output.loss.item()
    print(f"epoch {epoch + 1}: loss {total / len(batches):.3f}")

# 4. The result: two reviews for each label and length. Unknown morphemes are not to be written.
model.eval()
for label, name in ((1, "positive"), (0, "negative")):
    for length in (5, 15):
        written = model.generate(
            torch.tensor([[begin]]),
            initial_state=torch.tensor([vector(label, length)]),
            do_sample=True,
            temperature=0.7,
            num_return_sequences=2,
            max_new_tokens=40,
            suppress_tokens=[tokenizer.unk_token_id, tokenizer.pad_token_id, begin],
        )
        for text in tokenizer.batch_decode(written, skip_special_tokens=True):
            print(f"{name}, {length} tokens: {text}")
