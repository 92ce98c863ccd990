#!/usr/bin/env python3
"""Search texts by meaning, find near-duplicates and group texts, with oktane's sentence vectors and faiss.

    pip install faiss-cpu
    python search_texts.py texts.txt "배송이 늦게 왔어요"
    python search_texts.py texts.txt "배송이 늦게 왔어요" --encoder ENCODER    # not the one inside oktane

The file has one text per line.
"""

import argparse
import time
from pathlib import Path

import faiss
import numpy as np

import oktane

parser = argparse.ArgumentParser()
parser.add_argument("texts", type=Path)
parser.add_argument("query", nargs="+")
parser.add_argument("--encoder", help="folder or Hub id of an encoder")
parser.add_argument("--clusters", type=int, default=8)
options = parser.parse_args()


def timed(what: str, start: float) -> None:
    """Print how long a step took."""
    print(f"{what}: {time.perf_counter() - start:.2f} s")


# 1. Vectors. They are normalized, so the product of two of them is their cosine.
encoder = oktane.load_encoder(options.encoder)
texts = list(dict.fromkeys(line.strip() for line in options.texts.read_text("utf-8").splitlines() if line.strip()))
start = time.perf_counter()
vectors = encoder.encode(texts)  # (texts, dimension)
timed(f"{len(texts):,} texts encoded", start)

# 2. An index: a graph that finds neighbors without looking at every vector (HNSW, Malkov and Yashunin, 2018).
start = time.perf_counter()
index = faiss.IndexHNSWFlat(encoder.dimension, 16, faiss.METRIC_INNER_PRODUCT)
index.add(vectors)
timed("indexed", start)

# 3. Search.
for query in options.query:
    start = time.perf_counter()
    cosines, rows = index.search(encoder.encode([query]), 5)
    print(f"\n{query} ({1000 * (time.perf_counter() - start):.1f} ms)")
    for cosine, row in zip(cosines[0], rows[0], strict=True):
        if row >= 0:
            print(f"  {cosine:.2f}  {texts[row]}")

# 4. Near-duplicates: each text with its nearest neighbor, which is not the text itself.
start = time.perf_counter()
cosines, rows = index.search(vectors, 2)
timed("\nneighbors found", start)
best = np.where(rows[:, 0] == np.arange(len(texts)), 1, 0)
everyone = np.arange(len(texts))
nearest, cosine = rows[everyone, best], cosines[everyone, best]
pairs = {tuple(sorted((int(row), int(nearest[row])))): float(cosine[row]) for row in everyone if nearest[row] >= 0}
for (first, second), value in sorted(pairs.items(), key=lambda pair: -pair[1])[:5]:
    print(f"  {value:.3f}  {texts[first]}  |  {texts[second]}")

# 5. Groups: k-means, with the text nearest to each center.
start = time.perf_counter()
kmeans = faiss.Kmeans(
    encoder.dimension, min(options.clusters, len(texts)), seed=1, spherical=True, min_points_per_centroid=1
)
kmeans.train(vectors)
_, groups = kmeans.index.search(vectors, 1)
timed("\ngrouped", start)
_, central = index.search(kmeans.centroids, 1)
for group, row in enumerate(central[:, 0]):
    print(f"  {int((groups == group).sum()):>7,} texts like: {texts[row]}")
