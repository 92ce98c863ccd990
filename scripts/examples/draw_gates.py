#!/usr/bin/env python3
"""Draw the gates of an LSTM while it reads a review: what it forgets, lets in and shows, token by token.

    python draw_gates.py                                   # the classifier inside okt-lstm
    python draw_gates.py --text "처음엔 지루했지만 결말이 최고였다" --picture gates.png

It runs the first layer by hand, step by step, from the equations of the textbook, and checks that torch gets the same.
"""

import argparse

import matplotlib.pyplot as plt
import torch

import okt_lstm

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--text", default="처음엔 지루했지만 배우들 연기가 좋아서 끝까지 재밌게 봤다")
parser.add_argument("--model", help="a trained LSTM (default: the one inside okt-lstm)")
parser.add_argument("--picture", default="gates.png")
options = parser.parse_args()

classifier = okt_lstm.load(options.model, engine="torch")
tokenizer, model = classifier.tokenizer, classifier.model.model
input_ids = tokenizer(options.text, return_tensors="pt")["input_ids"]  # (1, time)
tokens = tokenizer.convert_ids_to_tokens(input_ids[0])
lstm = model.layers[0].forward_rnn  # reads from left to right

# The equations. All four gates are computed from the token and from the hidden state before it.
gates = {"input": [], "forget": [], "output": []}
hidden = cell = torch.zeros(lstm.hidden_size)
with torch.no_grad():
    embeddings = model.embed_tokens(input_ids)[0]  # (time, embedding)
    for embedding in embeddings:
        sums = lstm.weight_ih_l0 @ embedding + lstm.bias_ih_l0 + lstm.weight_hh_l0 @ hidden + lstm.bias_hh_l0
        i, f, g, o = sums.chunk(4)  # (hidden,) each, in torch's order
        i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
        cell = f * cell + i * g  # forget some of what was known, let some of the new in
        hidden = o * cell.tanh()  # show some of it
        for name, values in zip(gates, (i, f, o), strict=True):
            gates[name].append(values)
    expected, _ = lstm(embeddings.unsqueeze(1))  # (time, 1, hidden)
assert torch.allclose(hidden, expected[-1, 0], atol=1e-4)

figure, axes = plt.subplots(3, 1, figsize=(0.5 * len(tokens) + 3, 6), sharex=True)
for axis, (name, values) in zip(axes, gates.items(), strict=True):
    matrix = torch.stack(values)  # (time, hidden)
    # The units whose gate moves most.
    units = matrix.std(dim=0).topk(min(24, matrix.shape[1])).indices
    axis.imshow(matrix[:, units].T, aspect="auto", cmap="viridis", vmin=0, vmax=1)
    axis.set_ylabel(f"{name} gate\n(units)")
    axis.set_yticks([])
axes[-1].set_xticks(range(len(tokens)), range(1, len(tokens) + 1))
axes[-1].set_xlabel("token")
figure.savefig(options.picture, dpi=120, bbox_inches="tight")
print("tokens: " + ", ".join(f"{number} {token}" for number, token in enumerate(tokens, 1)))
for name, values in gates.items():
    means = torch.stack(values).mean(dim=1)  # (time,)
    strongest = tokens[int(means.argmax())]
    print(f"{name} gate: {means.mean():.2f} open on average, most at {strongest!r}")
print(f"{options.picture} shows the 24 units of each gate that move most, from 0 (dark) to 1 (bright)")
