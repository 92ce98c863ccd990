"""The files that make a sentence encoder's folder one that sentence-transformers loads."""

from pathlib import Path

from ..atomic import write_json

MODULES_NAME = "modules.json"

# An encoder's pooled vector is the sentence's; all that is left to do is normalizing it.
_MODULES = [
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.base.modules.transformer.Transformer"},
    {"idx": 1, "name": "1", "path": "1_Normalize", "type": "sentence_transformers.base.modules.normalize.Normalize"},
]
_TRANSFORMER = {
    "transformer_task": "feature-extraction",
    "modality_config": {"text": {"method": "forward", "method_output_name": "pooler_output"}},
    "module_output_name": "sentence_embedding",
}


def write_sentence_transformers_files(folder: Path) -> None:
    """Write `modules.json` and what it needs into the folder of an encoder. Normalizing needs no files.

    `SentenceTransformer(folder, trust_remote_code=True)` then loads it, with or without okt-lstm.

    Args:
        folder: The folder, which holds the model and its tokenizer.
    """
    write_json(folder / MODULES_NAME, _MODULES)
    write_json(folder / "sentence_bert_config.json", _TRANSFORMER)
    write_json(folder / "config_sentence_transformers.json", {"similarity_fn_name": "cosine"})
