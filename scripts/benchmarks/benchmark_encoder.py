"""Measure sentence encoders: frozen, under a logistic regression, on several corpora, and by the similarity of pairs.

    python scripts/benchmarks/benchmark_encoder.py --corpora CORPORA --encoder ENCODER --teacher TEACHER --output OUT

ENCODER is a folder that `oktane.load_encoder` reads, or "inside" for the one in the package; TEACHER one of
sentence-transformers. With --model2vec, static vectors that `model2vec.distill` made of the teacher stand beside them,
and with --onnxruntime the teacher is timed there, too.

For each corpus and number of rows, five training sets are drawn. Each system trains a logistic regression on the same
rows: TF-IDF of character 1- to 4-grams with C 10, and vectors with C chosen by cross-validation; both with balanced
class weights. "+ TF-IDF" adds the log probabilities of the two, weighted by cross-validation on the training rows. What
is measured is kept line by line in OUT/results.jsonl, and not measured again. The table and the picture are made of
that file.
"""

import argparse
import json
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from encoder_corpora import CORPORA, Corpus, read_corpus, read_pairs
from encoder_plot import draw
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold
from sklearn.multiclass import OneVsRestClassifier

import oktane
from okt_lstm.atomic import write_text
from okt_lstm.reports.model_card import table
from okt_lstm.training.teacher_vectors import Teacher, teacher_vectors

ROWS = (100, 300, 1000, 3000)
DRAWS = 5
CS = (1.0, 10.0, 100.0)
# Of vectors, beside TF-IDF.
WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0)
# The plot's number of rows.
PLOTTED_ROWS = 300
# Turns that are timed, and about how long each takes.
TURNS, SECONDS = 7, 2.0
TFIDF, TEACHER, MODEL2VEC = "TF-IDF", "teacher", "model2vec"
TEACHER_BATCH_SIZE = 32

Encode = Callable[[Sequence[str]], NDArray[np.float32]]


def classifier(labels: NDArray[np.int64], c: float) -> Any:
    """Return an untrained logistic regression for labels of one or two dimensions."""
    model = LogisticRegression(C=c, class_weight="balanced", max_iter=300, tol=1e-3)
    return OneVsRestClassifier(model) if labels.ndim == 2 else model


def probabilities_of_vectors(
    train: NDArray[np.float32], labels: NDArray[np.int64], test: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return the probabilities by a logistic regression over vectors; its C is chosen by cross-validation."""
    mean = train.mean(axis=0)
    model = classifier(labels, 1.0)
    name = "estimator__C" if labels.ndim == 2 else "C"
    splits: Any = KFold if labels.ndim == 2 else StratifiedKFold
    search = GridSearchCV(model, {name: CS}, scoring="f1_macro", cv=splits(3, shuffle=True, random_state=0))
    found: NDArray[np.float64] = search.fit(train - mean, labels).predict_proba(test - mean)
    return found


def probabilities_of_tfidf(train: Sequence[str], labels: NDArray[np.int64], test: Sequence[str]) -> NDArray[np.float64]:
    """Return the probabilities by TF-IDF and logistic regression."""
    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 4), sublinear_tf=True)
    model = classifier(labels, 10.0).fit(vectorizer.fit_transform(train), labels)
    found: NDArray[np.float64] = model.predict_proba(vectorizer.transform(test))
    return found


def macro_f1(probabilities: NDArray[np.float64], classes: NDArray[np.int64], labels: NDArray[np.int64]) -> float:
    """Return the macro F1 in percent. With several labels a text, those above one half are predicted."""
    predicted = probabilities > 0.5 if labels.ndim == 2 else classes[probabilities.argmax(axis=1)]
    return float(100 * f1_score(labels, predicted, average="macro", zero_division=0))


def mixed(first: NDArray[np.float64], second: NDArray[np.float64], weight: float, several: bool) -> NDArray[np.float64]:
    """Return probabilities whose logs, or with several labels a text log odds, are a weighted mean of two systems'.

    Args:
        first: Probabilities, `(texts, classes)`.
        second: The other system's.
        weight: The weight of the second, from 0 to 1.
        several: Whether a text may have several labels, so that its probabilities need not sum to 1.
    """
    logs = [np.log(np.clip(found, 1e-9, 1 - 1e-9)) for found in (first, second)]
    if not several:
        powers = np.exp((1 - weight) * logs[0] + weight * logs[1])
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))
    odds = [log - np.log1p(-np.exp(log)) for log in logs]
    return np.asarray(1 / (1 + np.exp(-(1 - weight) * odds[0] - weight * odds[1])))


def out_of_fold(fit: Callable[..., NDArray[np.float64]], rows: Any, labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the probabilities of each row by a system that was trained on the other folds, of four."""
    found = np.zeros((len(labels), labels.shape[1] if labels.ndim == 2 else len(np.unique(labels))))
    splits: Any = KFold if labels.ndim == 2 else StratifiedKFold
    for train, test in splits(4, shuffle=True, random_state=0).split(np.zeros(len(labels)), labels):
        parts = [rows[part] if isinstance(rows, np.ndarray) else [rows[i] for i in part] for part in (train, test)]
        columns = slice(None) if labels.ndim == 2 else np.searchsorted(np.unique(labels), np.unique(labels[train]))
        found[test[:, None], np.arange(found.shape[1])[columns]] = fit(parts[0], labels[train], parts[1])
    return found


def best_weight(first: NDArray[np.float64], second: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Return the weight with which two systems' probabilities have the best macro F1 on the rows."""
    classes = np.unique(labels)
    return max(WEIGHTS, key=lambda weight: macro_f1(mixed(first, second, weight, labels.ndim == 2), classes, labels))


def measure_corpus(name: str, corpus: Corpus, encoders: dict[str, Encode], done: set[Any]) -> Iterator[dict[str, Any]]:
    """Yield the macro F1 of every system, number of rows and draw that is not done."""
    vectors: dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]] = {}
    for rows in (count for count in ROWS if count <= len(corpus.pool)):
        for number, chosen in enumerate(corpus.draws(rows, DRAWS)):
            labels = corpus.pool_labels[chosen]
            classes = np.unique(labels)
            keys = {system: (name, rows, number, system) for system in (TFIDF, *encoders)}
            if all(key in done for key in keys.values()):
                continue
            texts = [corpus.pool[i] for i in chosen]
            lexical = probabilities_of_tfidf(texts, labels, corpus.test)
            found, lexical_folds = {TFIDF: lexical}, out_of_fold(probabilities_of_tfidf, texts, labels)
            for system, encode in encoders.items():
                if keys[system] in done:
                    continue
                if system not in vectors:
                    vectors[system] = encode(corpus.pool), encode(corpus.test)
                pool, test = vectors[system]
                found[system] = probabilities_of_vectors(pool[chosen], labels, test)
                folds = out_of_fold(probabilities_of_vectors, pool[chosen], labels)
                weight = best_weight(lexical_folds, folds, labels)
                found[f"{system} + {TFIDF}"] = mixed(lexical, found[system], weight, labels.ndim == 2)
            for system, probabilities in found.items():
                if keys.get(system) in done:
                    continue
                score = macro_f1(probabilities, classes, corpus.test_labels)
                yield {"corpus": name, "rows": rows, "draw": number, "system": system, "score": score}


def measure_pairs(folder: Path, encoders: dict[str, Encode], done: set[Any]) -> Iterator[dict[str, Any]]:
    """Yield how well the cosine of two texts' vectors tells how similar they are, without any training."""
    for corpus, measure in (("korsts", "Spearman"), ("question_pair", "AUC")):
        first, second, labels = read_pairs(folder / corpus / "test.csv")
        for system, encode in encoders.items():
            if (corpus, 0, 0, system) in done:
                continue
            cosines = (encode(first) * encode(second)).sum(axis=1)
            if measure == "Spearman":
                score = spearmanr(cosines, [float(label) for label in labels]).statistic
            else:
                score = roc_auc_score([label == "same" for label in labels], cosines)
            yield {"corpus": corpus, "rows": 0, "draw": 0, "system": system, "score": float(100 * score)}


def mean_scores(results: Sequence[dict[str, Any]]) -> dict[tuple[str, str, int], float]:
    """Return the mean over the draws by system, corpus and number of rows."""
    scores: dict[tuple[str, str, int], list[float]] = {}
    for line in results:
        scores.setdefault((line["system"], line["corpus"], line["rows"]), []).append(line["score"])
    return {key: statistics.mean(values) for key, values in scores.items()}


def table_of(results: Sequence[dict[str, Any]]) -> str:
    """Return the table: a row for each number of rows and system, a column for each corpus."""
    means = mean_scores(results)
    # TF-IDF first, whatever was measured first.
    systems = list(dict.fromkeys([TFIDF, *(line["system"] for line in results)]))
    lines = []
    for rows in ROWS:
        for system in systems:
            scores = [means.get((system, corpus, rows)) for corpus in CORPORA]
            known = [score for score in scores if score is not None]
            if known:
                cells = ["—" if score is None else f"{score:.1f}" for score in scores]
                lines.append([f"{rows:,}", system, *cells, f"{statistics.mean(known):.1f}"])
    pairs = []
    for system in dict.fromkeys(line["system"] for line in results):
        if (system, "speed", 0) in means:
            scores = [means.get((system, corpus, 0)) for corpus in ("korsts", "question_pair")]
            cells = ["—" if score is None else f"{score:.1f}" for score in scores]
            pairs.append([system, *cells, f"{means[system, 'speed', 0]:,.0f}"])
    return "\n\n".join(
        (
            table(["rows", "system", *CORPORA.values(), "mean"], lines),
            table(["system", "KorSTS, Spearman", "question_pair, area under the curve", "texts/s, one core"], pairs),
        )
    )


def measure_speed(
    systems: dict[str, Callable[[Sequence[str]], object]], texts: Sequence[str], done: set[Any]
) -> Iterator[dict[str, Any]]:
    """Yield how many texts a second each system reads in a second of CPU time; the median of turns."""
    missing = {name: run for name, run in systems.items() if ("speed", 0, 0, name) not in done}
    counts, rates = {}, {name: [] for name in missing}
    for name, run in missing.items():
        run(texts[:64])
        start = time.process_time()
        run(texts[:256])
        counts[name] = max(256, min(len(texts), int(256 / (time.process_time() - start) * SECONDS)))
    for _ in range(TURNS):
        for name, run in missing.items():
            start = time.process_time()
            run(texts[: counts[name]])
            rates[name].append(counts[name] / (time.process_time() - start))
    for name, found in rates.items():
        yield {"corpus": "speed", "rows": 0, "draw": 0, "system": name, "score": statistics.median(found)}


class _States(torch.nn.Module):
    """A transformer from ids and mask to the states of its last layer."""

    def __init__(self, transformer: torch.nn.Module) -> None:
        super().__init__()
        self.transformer = transformer

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        states: torch.Tensor = self.transformer(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return states


def in_onnxruntime(teacher: str) -> Callable[[Sequence[str]], NDArray[np.float32]]:
    """Return the teacher, exported to ONNX, as a function from texts to vectors."""
    import onnxruntime

    model = Teacher(teacher).load()
    transformer: Any = model[0]
    names = ["input_ids", "attention_mask"]
    example = (torch.ones(2, 8, dtype=torch.long), torch.ones(2, 8, dtype=torch.long))
    axes = {name: {0: "batch", 1: "time"} for name in [*names, "states"]}
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "teacher.onnx")
        states = _States(transformer.auto_model)
        torch.onnx.export(
            states, example, file, input_names=names, output_names=["states"], dynamic_axes=axes, dynamo=False
        )
        one_thread = onnxruntime.SessionOptions()
        one_thread.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(file, one_thread, providers=["CPUExecutionProvider"])
    prompt = model.prompts.get(model.default_prompt_name or "", "")

    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        order = np.argsort([len(text) for text in texts], kind="stable")
        result = np.empty((len(texts), transformer.auto_model.config.hidden_size), np.float32)
        for start in range(0, len(texts), TEACHER_BATCH_SIZE):
            rows = order[start : start + TEACHER_BATCH_SIZE]
            batch = transformer.tokenizer(
                [prompt + texts[row] for row in rows], padding=True, truncation=True, return_tensors="np"
            )
            states = session.run(["states"], {name: batch[name] for name in names})[0]
            mask = batch["attention_mask"][:, :, None]
            result[rows] = (states * mask).sum(axis=1) / mask.sum(axis=1)
        return result / np.linalg.norm(result, axis=1, keepdims=True)

    return encode


def speed_systems(
    encoders: dict[str, Encode], teacher: str | None, corpus: Corpus, onnxruntime: bool
) -> dict[str, Any]:
    """Return what is timed: from raw text to a vector or, for TF-IDF, to a label."""
    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 4), sublinear_tf=True)
    model = classifier(corpus.pool_labels, 10.0).fit(vectorizer.fit_transform(corpus.pool), corpus.pool_labels)
    systems: dict[str, Any] = {TFIDF: lambda texts: model.predict(vectorizer.transform(texts))}
    systems |= {name: encode for name, encode in encoders.items() if name != TEACHER}
    if teacher:
        loaded = Teacher(teacher).load()
        systems[TEACHER] = lambda texts: loaded.encode(list(texts), batch_size=TEACHER_BATCH_SIZE)
        if onnxruntime:
            systems[f"{TEACHER}, onnxruntime"] = in_onnxruntime(teacher)
    return systems


def main() -> None:
    """Measure what is missing, and write the table and the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", type=Path, required=True, help="folder of the corpora's folders")
    parser.add_argument("--encoder", action="append", default=[], metavar="[NAME=]FOLDER", help='folder, or "inside"')
    parser.add_argument("--teacher", help="folder of a sentence-transformers model")
    parser.add_argument(
        "--bf16", action="store_true", help="let the teacher compute in bfloat16 (not when it is timed)"
    )
    parser.add_argument("--model2vec", help="folder of static vectors that model2vec distilled from the teacher")
    parser.add_argument("--onnxruntime", action="store_true", help="time the teacher in onnxruntime, too")
    parser.add_argument("--output", type=Path, required=True, help="folder for results.jsonl, table.md and plot.png")
    options = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    torch.set_num_threads(1)
    options.output.mkdir(parents=True, exist_ok=True)
    path = options.output / "results.jsonl"
    results = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    done = {(line["corpus"], line["rows"], line["draw"], line["system"]) for line in results}
    encoders: dict[str, Encode] = {}
    for given in options.encoder:
        name, _, folder = given.rpartition("=")
        loaded = oktane.load_encoder(None if folder == "inside" else folder, num_threads=1)
        encoders[name or "encoder"] = loaded.encode
    if options.model2vec:
        from model2vec import StaticModel

        static = StaticModel.from_pretrained(options.model2vec, normalize=True)
        encoders[MODEL2VEC] = lambda texts: static.encode(list(texts), use_multiprocessing=False)
    if options.teacher:
        teacher = Teacher(options.teacher, bf16=options.bf16)
        encoders[TEACHER] = lambda texts: teacher_vectors(teacher, texts).astype(np.float32)
    corpora = {name: read_corpus(options.corpora / name) for name in CORPORA}
    with path.open("a", encoding="utf-8") as stream:
        for source in (
            measure_pairs(options.corpora, encoders, done),
            measure_speed(
                speed_systems(encoders, options.teacher, corpora["chatbot"], options.onnxruntime),
                corpora["chatbot"].pool,
                done,
            ),
            *(measure_corpus(name, corpus, encoders, done) for name, corpus in corpora.items()),
        ):
            for line in source:
                print(json.dumps(line), file=stream, flush=True)
                results.append(line)
    write_text(options.output / "table.md", table_of(results) + "\n")
    print(table_of(results))
    means = mean_scores(results)
    quality = {
        system: statistics.mean(means[system, corpus, PLOTTED_ROWS] for corpus in CORPORA)
        for system in (TFIDF, *encoders)
    }
    rates = {system: rate for (system, corpus, _), rate in means.items() if corpus == "speed"}
    draw(quality, rates, PLOTTED_ROWS, options.output / "plot.png")


if __name__ == "__main__":
    main()
