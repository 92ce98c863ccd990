"""What the processes of test_hub.py run: where okt_lstm is imported, and where neither it nor oktane can be."""

import io
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from unittest import mock

TEXTS = ["연기도 연출도 최고였다 😀", "시간이 아까운 영화", "", "배우의 연기가  참 좋았다!"]
LABELS = ["negative", "positive"]
NEVER_SHARED = [
    "training_args.bin",
    "optimizer.pt",
    "scheduler.pkl",
    "checkpoint-1/config.json",
    "checkpoint-1/optimizer.pt",
    "runs/events.out.tfevents",
    ".env",
    "train.log",
    "other.py",
    "credentials.json",
    "notes.md",
    "Screenshot.png",
    "trainer_state.json",
    "more.safetensors",
]


class Forbid:
    """A finder that makes packages look as if they were not installed."""

    def __init__(self, *packages):
        self.packages = packages

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in self.packages:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def start_with_package():
    import okt_lstm  # noqa: F401


def start_without_package():
    sys.meta_path.insert(0, Forbid("okt_lstm", "oktane"))


def make_folder(folder, seed):
    """What training leaves: a small classifier with random weights, and things that no one should get."""
    import torch

    from okt_lstm import LSTMConfig, LSTMForSequenceClassification, OktTokenizer

    tokenizer = OktTokenizer(stem=True).train_new_from_iterator(TEXTS, vocab_size=30, show_progress=False)
    torch.manual_seed(seed)
    id2label = dict(enumerate(LABELS))
    config = LSTMConfig(vocab_size=len(tokenizer), embedding_size=8, hidden_size=4, id2label=id2label)
    LSTMForSequenceClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "README.md").write_text("---\nlanguage: ko\npipeline_tag: text-classification\n---\n# A small model\n")
    (folder / "test_results.json").write_text('{"test_accuracy": 0.5}')
    (folder / "confusion_matrix.png").write_bytes(b"\x89PNG\r\n\x1a\n\0")
    for name in NEVER_SHARED:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"\x80secret")


def make_sibling(folder, family):
    """A GRU, RNN or n-gram classifier without a tokenizer."""
    import okt_lstm

    sizes = {"num_buckets": 20} if family == "Ngram" else {"embedding_size": 8, "hidden_size": 4}
    config = getattr(okt_lstm, f"{family}Config")(vocab_size=10, **sizes)
    getattr(okt_lstm, f"{family}ForSequenceClassification")(config).save_pretrained(folder)


def make_language_model(folder, family):
    """A language model without a tokenizer."""
    import okt_lstm

    sizes = {"vocab_size": 10, "embedding_size": 8, "hidden_size": 4}
    config = getattr(okt_lstm, f"{family}Config")(**sizes, separate_directions=True)
    getattr(okt_lstm, f"{family}ForPreTraining")(config).save_pretrained(folder)


def make_head(folder, family, head):
    """A tagger, a language model that writes or fills gaps, or a translator, with its tokenizer and random weights."""
    import torch

    import okt_lstm

    marks = {"bos_token": "<bos>", "eos_token": "<eos>", "mask_token": "<mask>"}
    tokenizer = okt_lstm.OktTokenizer(**marks).train_new_from_iterator(TEXTS, vocab_size=40, show_progress=False)
    fields = {
        "TokenClassification": {"crf": True, "id2label": dict(enumerate(["O", "B-X", "I-X"])), "num_bigram_buckets": 9},
        "CausalLM": {"bidirectional": False},
        "MaskedLM": {"separate_directions": True},
        "Seq2SeqLM": {"decoder_start_token_id": tokenizer.bos_token_id},
    }[head]
    config = getattr(okt_lstm, f"{family}Config")(
        vocab_size=len(tokenizer),
        embedding_size=8,
        hidden_size=4,
        initializer_range=1.0,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        **fields,
    )
    torch.manual_seed(0)
    getattr(okt_lstm, f"{family}For{head}")(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "README.md").write_text("---\nlanguage: ko\n---\n# A small model\n")


def use_head(source, head, **options):
    """What a model of the Hub makes of a text: by its pipeline, where transformers has one."""
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer, pipeline

    text = TEXTS[0]
    if head == "TokenClassification":
        tag = pipeline("token-classification", source, aggregation_strategy="simple", ignore_labels=[], **options)
        return [(entity["entity_group"], entity["start"], entity["end"]) for entity in tag(text)]
    if head == "CausalLM":
        return pipeline("text-generation", source, **options)(text, do_sample=False, max_new_tokens=5)
    if head == "MaskedLM":
        return [guess["token_str"] for guess in pipeline("fill-mask", source, **options)(f"{text} <mask>")]
    inputs = AutoTokenizer.from_pretrained(source, **options)(text, return_tensors="pt")
    model = AutoModelForSeq2SeqLM.from_pretrained(source, **options)
    return model.generate(**inputs, num_beams=2, max_new_tokens=5).tolist()


def make_encoder(folder):
    """What `okt-lstm train-encoder` leaves, with random weights."""
    from okt_lstm import LSTMConfig, LSTMModel, OktTokenizer
    from okt_lstm.inference.sentence_transformers_files import write_sentence_transformers_files

    tokenizer = OktTokenizer().train_new_from_iterator(TEXTS, vocab_size=30, show_progress=False)
    config = LSTMConfig(vocab_size=len(tokenizer), embedding_size=8, hidden_size=4, projection_size=6)
    LSTMModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "README.md").write_text("---\nlanguage: ko\nlibrary_name: sentence-transformers\n---\n# An encoder\n")
    write_sentence_transformers_files(folder)


def vectors(source, **options):
    """The vectors that oktane, where it is, and sentence-transformers give to TEXTS."""
    from sentence_transformers import SentenceTransformer

    found = [SentenceTransformer(str(source), device="cpu", **options).encode(TEXTS)]
    if not options:
        import oktane

        found.append(oktane.load_encoder(source).encode(TEXTS))
    return [vectors.round(4).tolist() for vectors in found]


def push(*arguments, **options):
    from okt_lstm.hub import push

    return push(*arguments, **options)


def push_objects(source, repo, **options):
    """push_to_hub of a model and of its tokenizer."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    AutoModelForSequenceClassification.from_pretrained(source, **options).push_to_hub(repo)
    AutoTokenizer.from_pretrained(source, **options).push_to_hub(repo)


def classify(source, **options):
    """Everything that loads by its name: configuration, models, tokenizer and pipeline; and what they say of TEXTS."""
    import torch
    from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification, AutoTokenizer, pipeline

    config = AutoConfig.from_pretrained(source, **options)
    tokenizer = AutoTokenizer.from_pretrained(source, **options)
    model = AutoModelForSequenceClassification.from_pretrained(source, **options)
    inputs = tokenizer(TEXTS, padding=True, return_tensors="pt")
    with torch.no_grad():
        logits = model(**inputs).logits
        pooled = AutoModel.from_pretrained(source, **options)(**inputs).pooler_output
    return {
        "model_type": config.model_type,
        "ids": inputs["input_ids"].tolist(),
        "logits": logits.tolist(),
        "pooled": pooled.tolist(),
        "labels": [answer["label"] for answer in pipeline("text-classification", source, **options)(TEXTS)],
        "module": type(model).__module__.split(".")[0],
    }


def logits_for(source, ids, **options):
    import torch
    from transformers import AutoModelForSequenceClassification

    with torch.no_grad():
        return AutoModelForSequenceClassification.from_pretrained(source, **options)(torch.tensor(ids)).logits.tolist()


def loss_for(source, ids, **options):
    import torch
    from transformers import AutoModelForPreTraining

    with torch.no_grad():
        return AutoModelForPreTraining.from_pretrained(source, **options)(torch.tensor(ids)).loss.item()


def command(*arguments):
    """`okt-lstm ...`: the exit code, standard output and standard error."""
    from okt_lstm.cli import main

    with redirect_stdout(io.StringIO()) as output, redirect_stderr(io.StringIO()) as errors:
        code = main([str(argument) for argument in arguments])
    return code, output.getvalue(), errors.getvalue()


def error_of(function, *arguments, **options):
    """The name and message of the error that a function raises; errors of the client don't survive pickling."""
    try:
        return "no error", function(*arguments, **options)
    except Exception as error:
        return type(error).__name__, str(error)


def with_environment(variables, function, *arguments):
    with mock.patch.dict(os.environ, variables):
        return function(*arguments)


def with_endpoint(endpoint, function, *arguments):
    """Calls a function as if the Hub were elsewhere."""
    from huggingface_hub import constants

    with mock.patch.object(constants, "ENDPOINT", endpoint):
        return function(*arguments)
