#!/usr/bin/env python3
"""Predict the next token: train a language model on film reviews, and let it go on in every way of `generate`. To read.

    python continue_reviews.py                        # the reviews inside the package; half a minute on two cores
    python continue_reviews.py --dataset nsmc         # downloads NSMC; takes longer, and writes better

`okt-lstm pretrain --direction forward` and `okt-lstm generate` do the same and more.
"""

import argparse
import math

import torch
from torch.nn.utils.rnn import pad_sequence
from transformers import TextStreamer, set_seed

from okt_lstm import NSMC, LSTMConfig, LSTMForCausalLM, OktTokenizer

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--dataset", default="sample", choices=["nsmc", "sample"])
parser.add_argument("--data_dir")
parser.add_argument("--epochs", type=int, default=6)
parser.add_argument("--prompt", default="배우들 연기가")
options = parser.parse_args()
set_seed(1)

# 1. The reviews, each between a token that begins it and one that ends it. With a word mark, decoding restores spaces.
builder = NSMC(options.dataset, data_dir=options.data_dir)
builder.download_and_prepare()
texts = builder.as_dataset()["train"]["document"][:]
tokenizer = OktTokenizer(bos_token="<bos>", eos_token="<eos>", word_mark="▁", model_max_length=40)
tokenizer = tokenizer.train_new_from_iterator(texts, vocab_size=8000, min_frequency=2)
begin, end = tokenizer.bos_token_id, tokenizer.eos_token_id
rows = [torch.tensor([begin, *ids, end]) for ids in tokenizer(texts, truncation=True)["input_ids"]]

# 2. The model reads from left to right. Its state is all that it knows of the text so far.
config = LSTMConfig(
    vocab_size=len(tokenizer),
    embedding_size=128,
    hidden_size=128,
    num_hidden_layers=1,
    bidirectional=False,
    hidden_dropout=0.2,
    bos_token_id=begin,
    eos_token_id=end,
)
model = LSTMForCausalLM(config)

# 3. Training: predict each token from those before it. The labels are the tokens themselves.
optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
for epoch in range(options.epochs):
    total = 0.0
    batches = torch.randperm(len(rows)).split(32)
    for batch in batches:
        input_ids = pad_sequence([rows[i] for i in batch], batch_first=True)  # (batch, time)
        loss = model(input_ids, labels=input_ids.masked_fill(input_ids == 0, -100)).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        total += loss.item()
    print(f"epoch {epoch + 1}: perplexity of the training texts {math.exp(total / len(batches)):.0f}")

# 4. The state: the same size after 3 tokens and after 3,000.
model.eval()
for length in (3, 3000):
    cache = model(torch.full((1, length), 7), use_cache=True).cache
    print(f"after {length} tokens: a state of {tuple(cache.layers[0].recurrent_states[0].shape)}")

# 5. The ways to go on. Unknown morphemes are not to be written.
ids = torch.tensor([[begin, *tokenizer(options.prompt)["input_ids"]]])
avoid = {"suppress_tokens": [tokenizer.unk_token_id, tokenizer.pad_token_id, begin], "max_new_tokens": 30}
ways = {
    "the most probable token at each step": {"do_sample": False},
    "five beams": {"num_beams": 5, "num_return_sequences": 2},
    "drawn by probability": {"do_sample": True, "num_return_sequences": 2},
    "drawn, but safer": {"do_sample": True, "temperature": 0.6, "top_p": 0.9, "num_return_sequences": 2},
}
for name, how in ways.items():
    for text in tokenizer.batch_decode(model.generate(ids, **avoid, **how), skip_special_tokens=True):
        print(f"{name}: {text}")
print("token by token: ", end="")
model.generate(ids, **avoid, do_sample=True, streamer=TextStreamer(tokenizer, skip_special_tokens=True))
