"""What a sentence encoder's teacher says: a vector for each text, computed once and kept in files.

The teacher is any model that sentence-transformers loads. It is asked in shards, and each shard is a file, so an
interrupted run continues where it was, and students of the same teacher and texts share the vectors.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import datasets
import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from ..atomic import replacing
from ..data.cache import file_version

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

SHARD_SIZE = 4096
BATCH_SIZE = 64
# A GPU needs more texts at a time to be busy.
GPU_BATCH_SIZE = 1024


@dataclass(frozen=True)
class Teacher:
    """A sentence encoder, and how it is asked.

    Attributes:
        name: A folder or Hub id of a sentence-transformers model, or of an encoder of transformers.
        prompt: What stands before each text, such as `"query: "`. None for the model's own default prompt.
        pooling: `mean`, `cls` or `lasttoken`, for an encoder of transformers. None for the model's own, or the mean.
        bf16: Whether it computes in bfloat16.
    """

    name: str
    prompt: str | None = None
    pooling: str | None = None
    bf16: bool = False

    def load(self) -> "SentenceTransformer":
        """Load the model.

        Raises:
            ModuleNotFoundError: If sentence-transformers is not installed.
            OSError: If there is no such model.
        """
        try:
            from sentence_transformers import SentenceTransformer
            from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(
                f"a teacher of sentence vectors needs {error.name}: pip install 'okt-lstm[encoder]'", name=error.name
            ) from None
        dtype = torch.bfloat16 if self.bf16 else torch.float32
        model = SentenceTransformer(self.name, model_kwargs={"dtype": dtype})
        if self.pooling is None:
            return model
        transformer = model[0]
        assert isinstance(transformer, Transformer)
        return SentenceTransformer(modules=[transformer, Pooling(transformer.get_embedding_dimension(), self.pooling)])

    def fingerprint(self, texts: Sequence[str]) -> str:
        """Return a name for the vectors of texts: it changes with the texts, the teacher's files and its options."""
        digest = hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode())
        for file in sorted(Path(self.name).glob("**/*")):
            if file.is_file():
                digest.update(f"{file.relative_to(self.name)} {file_version(file)}\n".encode())
        for text in texts:
            content = text.encode(errors="surrogatepass")
            digest.update(b"%d " % len(content) + content)
        return digest.hexdigest()[:20]


def teacher_vectors(teacher: Teacher, texts: Sequence[str], cache_dir: Path | None = None) -> NDArray[np.float16]:
    """Return the teacher's vectors of texts, normalized, float16 `(texts, width)`.

    Args:
        teacher: The teacher.
        texts: The texts.
        cache_dir: Where the shards go. By default a folder in the cache of `datasets`.
    """
    root = cache_dir or Path(datasets.config.HF_DATASETS_CACHE) / "okt_lstm_teacher_vectors"
    folder = root / teacher.fingerprint(texts)
    folder.mkdir(parents=True, exist_ok=True)
    shards = [folder / f"{start // SHARD_SIZE:06}.npy" for start in range(0, len(texts), SHARD_SIZE)]
    missing = [index for index, shard in enumerate(shards) if not shard.exists()]
    if missing:
        model = teacher.load()
        batch_size = BATCH_SIZE if model.device.type == "cpu" else GPU_BATCH_SIZE
        for index in tqdm(missing, desc="Vectors of the teacher", unit="shard", disable=None):
            chunk = list(texts[index * SHARD_SIZE : (index + 1) * SHARD_SIZE])
            found = model.encode(
                chunk,
                prompt=teacher.prompt,
                batch_size=batch_size,
                convert_to_tensor=True,
                normalize_embeddings=True,
                show_progress_bar=False,
            )
            with replacing(shards[index]) as stream:
                np.save(stream, found.to(torch.float16).cpu().numpy())
    return np.concatenate([np.load(shard) for shard in shards])
