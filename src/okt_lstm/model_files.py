"""What is in a trained folder: the names of its files, for those who write, delete and share them."""

MODEL_FILES = (
    "config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "user_dictionary.txt",
    "README.md",
    "curves.png",
    "confusion_matrix.png",
    "reliability.png",
    # What sentence-transformers reads.
    "modules.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
)
"""What others may write under the same names, besides the code for `trust_remote_code=True`."""

RECORD_FILES = (
    "card.json",
    "data_args.json",
    "pretraining.json",
    "recipe_stages.json",
    *(f"{name}_results.json" for name in ("train", "eval", "test", "all")),
)
"""What nothing but a run of this package writes."""
