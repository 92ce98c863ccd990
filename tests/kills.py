"""Commands that are killed at random moments, and what they leave; test_kills.py says what has to hold.

Each runs in a child of a server that has imported everything, so that moments of work are hit and not of starting up.
"""

import json
import multiprocessing
import os
import random
import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

TRAINING = (
    "--embedding_size 8 --hidden_size 8 --min_frequency 1 --batch_size 16 --warmup_steps 0 --use_cpu "
    "--disable_tqdm true --report_to none"
)
RECIPE = """
version: 1
stages:
  - name: vectors
    command: word-vectors
    options: {vector_size: 8, bucket: 100, epochs: 2, min_frequency: 1, workers: 1}
  - name: language_model
    command: pretrain
    options: {embedding_size: 8, hidden_size: 8, min_frequency: 1, num_train_epochs: 2, warmup_steps: 0, use_cpu: true}
  - name: teacher
    command: train
    seeds: [1, 2]
    options: {pretrained: $language_model, num_train_epochs: 2}
  - name: model
    command: train
    options: {embeddings: $vectors, embedding_size: 8, hidden_size: 8, min_frequency: 1, teacher: $teacher}
"""
# Names of JSON values that differ from run to run: times, and Trainer's mean training loss, which is that of the steps
# since it was resumed.
VARYING = re.compile(r"(\w+_)?(runtime|train_loss|seconds|per_second|flos)")


@dataclass(frozen=True)
class Kind:
    """A kind of work.

    Attributes:
        name: Its name.
        program: `okt-lstm`, `oktane`, or `data` for the building of a data set alone.
        words: The arguments. `{folder}` is the folder of the inputs, `{out}` the place of the output.
        is_run: Whether the output is the folder of a training run, which the next one may continue.
    """

    name: str
    program: str
    words: str
    is_run: bool = False


KINDS = [
    Kind("train", "okt-lstm", f"train --dataset {{folder}}/rows.csv --output_dir {{out}} --epochs 3 {TRAINING}", True),
    Kind(
        "pretrain",
        "okt-lstm",
        f"pretrain --unlabeled {{folder}}/texts.txt --output_dir {{out}} --epochs 3 {TRAINING}",
        True,
    ),
    Kind(
        "recipe",
        "okt-lstm",
        "train --recipe {folder}/recipe.yaml --dataset {folder}/rows.csv --unlabeled {folder}/texts.txt --output_dir "
        "{out} --epochs 2 --batch_size 16 --use_cpu --disable_tqdm true --report_to none",
        True,
    ),
    Kind(
        "train-encoder",
        "okt-lstm",
        "train-encoder --teacher {folder}/teacher --unlabeled {folder}/texts.txt --output_dir {out} --vocab_size 400 "
        f"--epochs 3 {TRAINING}",
        True,
    ),
    Kind(
        "word-vectors",
        "okt-lstm",
        "word-vectors --unlabeled {folder}/texts.txt --output {out}/vectors.safetensors --vector_size 8 --bucket 100 "
        "--min_frequency 1 --workers 1 --epochs 20",
    ),
    Kind("predict", "okt-lstm", "predict --model {folder}/model --input {folder}/many.csv --output {out}/labels.csv"),
    Kind("oktane", "oktane", "predict --input {folder}/many.csv --output {out}/labels.jsonl"),
    Kind("data", "data", "{folder}/many.csv {out}/rows.json"),
]


def save_inputs(folder: Path) -> None:
    """Write what the commands read."""
    from sentence_teachers import save_transformer
    from tiny import random_texts, save_tiny

    texts = [text or "굿" for text in random_texts(300)]
    (folder / "texts.txt").write_text("".join(f"{text}\n" for text in texts))
    for name, count in (("rows", 150), ("many", 20_000)):
        rows = "".join(
            f"{text} {i % 7},{'pos' if '최고였다' in text else 'neg'}\n" for i, text in enumerate((texts * 99)[:count])
        )
        (folder / f"{name}.csv").write_text(f"text,label\n{rows}")
    (folder / "recipe.yaml").write_text(RECIPE)
    save_tiny(folder / "model")
    save_transformer(folder / "teacher")


# ---- in the child ---------------------------------------------------------------------------------------------------


def work(kind: Kind, words: list[str], cache: str, log: str) -> None:
    """Run a command, with an empty cache of data sets, and end with its exit code."""
    import datasets

    datasets.config.HF_DATASETS_CACHE = cache
    datasets.config.HF_DATASETS_OFFLINE = True
    stream = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(stream, 1)
    os.dup2(stream, 2)
    if kind.program == "data":
        build_data(*words)
        code = 0
    elif kind.program == "oktane":
        from oktane.cli import main

        code = main(words)
    else:
        from okt_lstm.cli import main

        code = main(words)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code or 0)


def build_data(table: str, output: str) -> None:
    """Build a data set, and write its rows."""
    from okt_lstm.atomic import write_json
    from okt_lstm.data.splits import load_splits
    from okt_lstm.training.commands import TRAIN
    from okt_lstm.training.parsing import parse
    from okt_lstm.training.parts import TrainParts, build

    options = build(TrainParts, parse(TRAIN, ["--dataset", table, "--output_dir", "unused", "--use_cpu"]))
    splits = load_splits(options.data)
    write_json(output, {name: rows.to_list() for name, rows in splits.datasets.items()})


# ---- in the test ----------------------------------------------------------------------------------------------------


class Runner:
    """Runs commands in children of a server.

    Args:
        folder: The folder of the inputs.
        scratch: Where caches and what commands say go.
    """

    def __init__(self, folder: Path, scratch: Path) -> None:
        self.folder, self.scratch = folder, scratch
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(
            [
                "okt_lstm.training.run_recipe",
                "okt_lstm.inference.loading",
                "sentence_transformers",
                "gensim.models",
                "kills",
            ]
        )
        self.undisturbed: dict[str, tuple[dict[str, object], float]] = {}

    def run(
        self, kind: Kind, out: Path, cache: Path, *more: str, kill_after: float | None = None
    ) -> tuple[int, float, str]:
        """Run a command.

        Args:
            kind: The kind.
            out: The place of the output.
            cache: The cache of data sets.
            *more: Further words.
            kill_after: The seconds of the processor after which it is killed.

        Returns:
            The exit code, the seconds of the processor, and what it said.
        """
        words = shlex.split(kind.words.format(folder=self.folder, out=out))
        log = self.scratch / f"{out.parent.name}.log"
        process = self.context.Process(target=work, args=(kind, [*words, *more], str(cache), str(log)))
        process.start()
        begun, used = processor_seconds(process.pid), 0.0
        while process.exitcode is None:
            used = max(used, processor_seconds(process.pid) - begun)
            if kill_after is not None and used >= kill_after:
                process.kill()
                break
            process.join(0.005)
        process.join()
        return process.exitcode, used, log.read_text(errors="replace") if log.exists() else ""

    def expected(self, kind: Kind) -> tuple[dict[str, object], float]:
        """Return what an undisturbed run leaves, and its seconds of the processor."""
        if kind.name not in self.undisturbed:
            place = self.scratch / f"whole-{kind.name}"
            (place / "out").mkdir(parents=True)
            code, seconds, said = self.run(kind, place / "out", place / "cache")
            assert code == 0, said
            self.undisturbed[kind.name] = contents(place / "out"), seconds
        return self.undisturbed[kind.name]


def processor_seconds(pid: int) -> float:
    """Return what a process has used so far; 0 if it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def contents(out: Path) -> dict[str, object]:
    """Return what a command left, by path, without what differs from run to run."""
    return {str(path.relative_to(out)): content(path, out) for path in sorted(out.rglob("*")) if path.is_file()}


def content(path: Path, out: Path) -> object:
    """Return the content of a whole file as far as it is the same in every run; a half one is an error."""
    if path.suffix == ".json":
        return without_varying(json.loads(path.read_text().replace(str(out), "{out}")))
    if path.suffix == ".safetensors":
        from safetensors.numpy import load_file

        return {name: (tensor.shape, tensor.tobytes()) for name, tensor in load_file(path).items()}
    # Pictures, cards and PyTorch's files hold times and paths: that they are there is enough.
    return path.read_bytes() if path.suffix in (".csv", ".jsonl", ".txt", ".py") else None


def without_varying(value: object) -> object:
    """Return a JSON value without what differs from run to run, at any depth."""
    if isinstance(value, dict):
        return {name: without_varying(inner) for name, inner in value.items() if not VARYING.fullmatch(name)}
    return [without_varying(inner) for inner in value] if isinstance(value, list) else value


def killed_and_repeated(runner: Runner, kind: Kind, seed: int, folder: Path) -> None:
    """Kill a command once or twice at random moments, check what it leaves, and do what it says until it succeeds."""
    expected, seconds = runner.expected(kind)
    draw = random.Random(f"{kind.name} {seed}")
    out, cache = folder / "out", folder / "cache"
    out.mkdir(parents=True)
    earlier = draw.random() < 0.5 and not kind.is_run
    if earlier:
        # What stood there is neither lost nor half replaced.
        for name in expected:
            (out / name).write_text("earlier")
    more: list[str] = []
    for moment in [draw.uniform(0, 1.05 * seconds) for _ in range(draw.choice([1, 1, 2]))]:
        code, _, said = runner.run(kind, out, cache, *more, kill_after=moment)
        assert code in (0, -9), said
        check_whole(kind, out, expected, earlier)
        if code == 0:
            break
        more = advised(kind, out)
    if code != 0:
        code, _, said = runner.run(kind, out, cache, *more)
        assert code == 0, said
    found = contents(out)
    assert found.keys() == expected.keys()
    differing = [name for name in expected if found[name] != expected[name]]
    assert not differing, f"{kind.name}, seed {seed}: {differing} differ from an undisturbed run's"


def check_whole(kind: Kind, out: Path, expected: dict[str, object], earlier: bool) -> None:
    """Check that every file but the hidden ones, which the next run removes, is whole."""
    found = {
        str(path.relative_to(out)): path
        for path in out.rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(out).parts)
    }
    for name, path in found.items():
        if earlier and path.read_bytes() == b"earlier":
            continue
        # Half a file can't be read. That of a run may be one that the next replaces.
        found_content = content(path, out)
        assert kind.is_run or found_content == expected[name], name
    assert not earlier or found.keys() >= expected.keys()


def advised(kind: Kind, out: Path) -> list[str]:
    """Return the option that goes on after a kill, as the error of the plain command says; none if none is needed."""
    from okt_lstm.training.output_folder import newest_checkpoint, refuse_overwrite

    if not kind.is_run:
        return []
    try:
        refuse_overwrite(out, overwrite=False)
    except FileExistsError as error:
        message = str(error)
    else:
        return []
    option = "--resume_from_checkpoint" if newest_checkpoint(out) else "--overwrite_output_dir"
    assert f" {option}" in message
    return [option]
