"""From unlabeled text and a teacher of sentence vectors to a sentence encoder, which is the teacher's student.

The student learns two things of the teacher's vectors, which are centered, whitened and normalized: their directions,
by the cosine, and which of a batch's vectors is a text's own, by the cross-entropy of van den Oord et al. (2018),
"Representation Learning with Contrastive Predictive Coding". Its embeddings start from the teacher's vectors of the
tokens, which spares it learning what rare words mean from the few texts that have them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import Enum
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F  # noqa: N812
from transformers import AutoModel, DataCollatorWithPadding, PreTrainedTokenizerBase, set_seed

from oktane.lines import counted

from ..inference.sentence_transformers_files import write_sentence_transformers_files
from ..models.configuration_lstm import RecurrentConfig
from ..reports.encoder_card import TrainedEncoder, build_encoder_card
from .options import ModelOptions
from .output_folder import begin_at, start_run
from .parts import EncoderParts
from .provenance import display_name
from .teacher_embeddings import start_from_teacher, token_vectors
from .teacher_vectors import Teacher, teacher_vectors
from .trainer import RecurrentTrainer


@dataclass(frozen=True)
class EncoderResult:
    """What a training of a sentence encoder leaves.

    Attributes:
        folder: The encoder with its tokenizer, code, figures and card.
        loss: The loss on the held-out texts.
        cosine: Mean cosine, on the held-out texts, of the encoder's vectors and the teacher's.
        seconds: How long training took, without the teacher's vectors.
    """

    folder: Path
    loss: float
    cosine: float
    seconds: float


def train_encoder(options: EncoderParts) -> EncoderResult:
    """Train a sentence encoder on unlabeled text, and leave it documented in `options.training.output_dir`.

    All texts and the teacher's vectors are held in memory: some 1 KB a text.

    Args:
        options: The network, the tokenizer, the text, the teacher and the training. See
            `okt_lstm.training.parts.build`.

    Returns:
        The folder and the figures.

    Raises:
        OSError: If the folder already holds a model, there is nothing to resume, or a file can't be read or written.
        ValueError: If the text can't be used, or options contradict each other.
        ModuleNotFoundError: If sentence-transformers is not installed.
        KeyboardInterrupt: If the run was interrupted; the message says how to resume it.
    """
    training = options.training
    if options.model.model_type == "ngram":
        raise ValueError("a sentence encoder is a recurrent network: --model_type can be lstm, gru or rnn here")
    folder, checkpoint = begin_at(training)
    unlabeled = options.unlabeled.open("a sentence encoder", options.tables)
    teacher = Teacher(
        options.teacher.teacher, options.teacher.teacher_prompt, options.teacher.teacher_pooling, training.bf16
    )
    with training.main_process_first(desc="reading, tokenizing and asking the teacher"):
        texts = list(unlabeled)
        tokenizer = options.tokenizer.train(texts)
        vectors = whitened(teacher_vectors(teacher, texts), options.teacher.whitening)
        splits = _split(texts, tokenizer, training.max_eval_samples, training.seed)
        of_tokens = token_vectors(teacher, tokenizer) if options.teacher.teacher_embeddings else None
    config = options.model.to_config(vocab_size=len(tokenizer), pad_token_id=tokenizer.pad_token_id)
    assert isinstance(config, RecurrentConfig), "checked above"
    config.projection_size = vectors.shape[1]
    if training.should_save:
        start_run(folder, resumed=checkpoint is not None)

    set_seed(training.seed)
    model = AutoModel.from_config(config)
    if of_tokens is not None:
        start_from_teacher(model.embed_tokens, of_tokens)
    training.label_names = ["labels"]
    training.prediction_loss_only = True
    training.remove_unused_columns = False
    trainer = EncoderTrainer(
        model=model,
        args=training,
        train_dataset=splits["train"],
        eval_dataset=splits["test"],
        processing_class=tokenizer,
        data_collator=VectorCollator(tokenizer, vectors),
        similarity_weight=options.teacher.similarity_weight,
        similarity_scale=options.teacher.similarity_scale,
    )
    trained = trainer.fit(checkpoint)
    metrics = trainer.evaluate()
    metrics["eval_cosine"] = trainer.cosine()
    # The first file of a finished run has to be one that nothing else writes.
    trainer.save_metrics("train", trained.metrics)
    trainer.save_metrics("eval", metrics)
    result = EncoderResult(folder, metrics["eval_loss"], metrics["eval_cosine"], trained.metrics["train_runtime"])
    if trainer.is_world_process_zero():
        encoder = TrainedEncoder(
            name=training.hub_model_id or folder.resolve().name,
            license=training.license,
            config=config,
            num_parameters=trainer.model.num_parameters(),
            max_length=tokenizer.model_max_length,
            teacher=display_name(teacher.name),
            file=unlabeled.file,
            num_texts=len(splits["train"]),
            num_held_out=len(splits["test"]),
            scores={"loss": result.loss, "cosine with the teacher's vectors": result.cosine},
            hyperparameters=_hyperparameters(options, config),
            seconds=result.seconds,
        )
        trainer.card = build_encoder_card(encoder)
        trainer.create_model_card()
        write_sentence_transformers_files(folder)
    trainer.save_state()
    trainer.save_model()
    return result


def whitened(vectors: NDArray[np.float16], power: float) -> NDArray[np.float16]:
    """Return vectors without their mean, spread more evenly over their principal directions, and normalized.

    A teacher's vectors may all point much the same way, and vary along few directions. What tells similar texts apart
    is in the others, which count for more after whitening (Su et al. 2021, "Whitening Sentence Representations for
    Better Semantics and Faster Retrieval").

    Args:
        vectors: Normalized vectors, `(texts, width)`.
        power: Each principal component is divided by its standard deviation to this power: 0 leaves them, 1 makes all
            directions equal.
    """
    width = vectors.shape[1]
    mean = vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
    chunks = range(0, len(vectors), 65536)
    covariance = np.zeros((width, width))
    for start in chunks:
        part = vectors[start : start + 65536].astype(np.float32) - mean
        covariance += part.T @ part
    variances, directions = np.linalg.eigh(covariance / len(vectors))
    # Directions in which the vectors don't vary, as few texts can't fill all, hold only rounding errors.
    spread = variances.clip(variances[-1] * 1e-4) ** (-power / 2)
    matrix = ((directions * spread) @ directions.T).astype(np.float32)
    result = np.empty_like(vectors)
    for start in chunks:
        part = (vectors[start : start + 65536].astype(np.float32) - mean) @ matrix
        result[start : start + 65536] = part / np.linalg.norm(part, axis=1, keepdims=True).clip(1e-6)
    return result


def _hyperparameters(options: EncoderParts, config: RecurrentConfig) -> dict[str, Any]:
    """Return the hyperparameters that the card lists, by name."""
    training = options.training
    names = ("num_train_epochs", "per_device_train_batch_size", "optim", "learning_rate", "lr_scheduler_type")
    model = {field.name: getattr(config, field.name) for field in fields(ModelOptions) if hasattr(config, field.name)}
    # Encoders don't use them.
    for name in ("classifier_dropout", "sampled_softmax_size"):
        model.pop(name, None)
    return {
        **model,
        "projection_size": config.projection_size,
        **options.tokenizer.for_card(),
        "teacher_embeddings": options.teacher.teacher_embeddings,
        "whitening": options.teacher.whitening,
        "similarity_weight": options.teacher.similarity_weight,
        "similarity_scale": options.teacher.similarity_scale,
        **{name: _plain(getattr(training, name)) for name in (*names, "warmup_steps", "weight_decay", "bf16", "seed")},
    }


def _plain(value: Any) -> Any:
    """Return the value of a member of an enumeration, and everything else as it is."""
    return value.value if isinstance(value, Enum) else value


def _split(
    texts: Sequence[str], tokenizer: PreTrainedTokenizerBase, max_eval_samples: int, seed: int
) -> datasets.DatasetDict:
    """Return rows of `input_ids` and `index`, the text's number, and hold some out as the split `test`."""
    held_out = min(max_eval_samples, len(texts) // 10)
    if not held_out:
        raise ValueError(f"{counted(len(texts), 'text')}: too few to train on; give ten or more")
    rows = datasets.Dataset.from_dict({"text": texts, "index": range(len(texts))})
    tokenized = rows.map(_encode, batched=True, remove_columns="text", fn_kwargs={"tokenizer": tokenizer})
    return tokenized.train_test_split(test_size=held_out, seed=seed)


def _encode(rows: Mapping[str, list[Any]], tokenizer: PreTrainedTokenizerBase) -> dict[str, list[Any]]:
    return {"input_ids": tokenizer(rows["text"], truncation=True, return_attention_mask=False)["input_ids"]}


class VectorCollator:
    """Pads token ids, and looks up the teacher's vectors as labels.

    Args:
        tokenizer: The tokenizer, which pads.
        vectors: The teacher's vectors, `(texts, width)`.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, vectors: NDArray[np.float16]) -> None:
        self.pad = DataCollatorWithPadding(tokenizer)
        self.vectors = vectors

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, Tensor]:
        """Return `input_ids` and `attention_mask`, `(batch, time)`, and `labels`, `(batch, width)`."""
        indices = [row["index"] for row in rows]
        batch = self.pad([{"input_ids": row["input_ids"]} for row in rows])
        return {**batch, "labels": torch.from_numpy(self.vectors[indices].astype(np.float32))}


class EncoderTrainer(RecurrentTrainer):
    """A trainer whose model learns the vectors in `labels`.

    Args:
        similarity_weight: Weight of the similarities' loss.
        similarity_scale: Factor of the similarities before their softmax.
        **kwargs: See `transformers.Trainer`.
    """

    def __init__(self, *, similarity_weight: float, similarity_scale: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.similarity_weight = similarity_weight
        self.similarity_scale = similarity_scale
        # The loss is a mean over the batch, whatever Trainer thinks of the model's signature.
        self.model_accepts_loss_kwargs = False

    def compute_loss(  # type: ignore[override]
        self, model: torch.nn.Module, inputs: dict[str, Tensor], return_outputs: bool = False, **kwargs: Any
    ) -> Tensor | tuple[Tensor, Any]:
        """Return the loss of a batch, and the model's outputs if asked for."""
        inputs = dict(inputs)
        labels = inputs.pop("labels")
        outputs = model(**inputs)
        # Cosines in bfloat16 would be too coarse to learn from.
        with torch.autocast(labels.device.type, enabled=False):
            vectors = outputs.pooler_output.float()
            loss = distillation_loss(vectors, labels, self.similarity_weight, self.similarity_scale)
        return (loss, outputs) if return_outputs else loss

    @torch.no_grad()
    def cosine(self) -> float:
        """Return the mean cosine of the model's vectors and the teacher's on the evaluation set."""
        self.model.eval()
        found = []
        for batch in self.get_eval_dataloader():
            batch = self._prepare_inputs(batch)
            labels = batch.pop("labels")
            found.append(F.cosine_similarity(self.model(**batch).pooler_output.float(), labels, dim=1))
        return float(torch.cat(found).mean())


def distillation_loss(vectors: Tensor, targets: Tensor, similarity_weight: float, similarity_scale: float) -> Tensor:
    """Return how far a batch's vectors are from the teacher's.

    Args:
        vectors: The student's vectors, `(batch, width)`.
        targets: The teacher's vectors, normalized, `(batch, width)`.
        similarity_weight: Weight of the second part of the loss.
        similarity_scale: Factor of the cosines before their softmax.

    Returns:
        One minus the mean cosine, plus the weighted cross-entropy of finding a text's own target among the batch's.
    """
    normalized = F.normalize(vectors, dim=1)
    loss = 1 - (normalized * targets).sum(dim=1).mean()
    if not similarity_weight:
        return loss
    cosines = normalized @ targets.T  # (batch, batch)
    own = torch.arange(len(targets), device=targets.device)
    return loss + similarity_weight * F.cross_entropy(similarity_scale * cosines, own)
