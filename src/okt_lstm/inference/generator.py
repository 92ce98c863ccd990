"""From a folder, or the id of a repository on the Hub, to a language model that continues texts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from oktane.folders import LoadError
from oktane.hub import hub_is_unreachable

from .torch_checks import check_weights


class Generator:
    """Continues texts with a trained language model.

    Args:
        model: The model, such as `LSTMForCausalLM`.
        tokenizer: Its tokenizer, which puts the token before each text that texts began with in training.
    """

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
        self.model = model.eval()
        self.tokenizer = tokenizer
        # A state goes on from the last token, so that has to be a text's own.
        tokenizer.padding_side = "left"

    def generate(self, texts: Sequence[str], **options: Any) -> list[str]:
        """Return texts, continued.

        A text may be of any length: the model has read all of it, and knows of it what its state holds.

        Args:
            texts: The texts to continue. An empty one is the beginning of a text.
            **options: Options of transformers' `generate`, such as `max_new_tokens`, `do_sample`, `num_beams` and
                `num_return_sequences`.

        Returns:
            The texts with what follows them: `num_return_sequences` for each text, one after the other.

        Raises:
            ValueError: If options contradict each other.
        """
        inputs = self.tokenizer(list(texts), padding=True, return_tensors="pt").to(self.model.device)
        if inputs["input_ids"].shape[1] == 0:
            raise ValueError("the tokenizer adds no token that begins a text, so there is nothing to go on from")
        written = self.model.generate(**inputs, **options)  # (batch * sequences, time)
        sequences = len(written) // len(inputs["input_ids"])
        prompts = inputs["input_ids"].repeat_interleave(sequences, dim=0)
        results = []
        for index, (prompt, ids) in enumerate(zip(prompts, written, strict=True)):
            known, whole = (self.tokenizer.decode(part, skip_special_tokens=True) for part in (prompt, ids))
            # What stands in the text may be unknown to the model: keep it as it is.
            results.append(texts[index // sequences] + str(whole).removeprefix(str(known)))
        return results


def load_generator(
    folder_or_hub_id: str,
    revision: str | None = None,
    token: str | bool | None = None,
    device: str | None = None,
) -> Generator:
    """Load a language model that `okt-lstm pretrain --direction forward` trained. No code of the folder is run.

    Args:
        folder_or_hub_id: A folder or the id of a repository on the Hub.
        revision: A branch, tag or commit of the repository.
        token: A token for the Hub, for private repositories.
        device: Where the model runs, such as `"cuda"`. By default the CPU.

    Raises:
        LoadError: If there is no such folder or repository, or it holds no model that generates text.
    """
    folder = Path(folder_or_hub_id).expanduser()
    name = str(folder) if folder.is_dir() else folder_or_hub_id
    offline = folder.is_dir() or hub_is_unreachable(name, revision, token)
    options: dict[str, Any] = {"revision": revision or "main", "token": token, "local_files_only": offline}
    try:
        config = AutoConfig.from_pretrained(name, trust_remote_code=False, **options)
    except (OSError, ValueError) as error:
        raise LoadError(f"{name} can't be loaded: {error}") from error
    if not any(architecture.endswith("ForCausalLM") for architecture in config.architectures or ()):
        found = ", ".join(config.architectures or ()) or config.model_type
        raise LoadError(
            f"{name} holds no model that generates text, but {found}: train one with `okt-lstm pretrain --direction "
            "forward`"
        )
    try:
        tokenizer = AutoTokenizer.from_pretrained(name, trust_remote_code=False, **options)
        loaded_model: Any = AutoModelForCausalLM.from_pretrained(
            name, trust_remote_code=False, use_safetensors=True, output_loading_info=True, **options
        )
        model, loaded = loaded_model
    except (OSError, ValueError, RuntimeError) as error:
        raise LoadError(f"{name} can't be loaded: {error}") from error
    if loaded["missing_keys"]:
        raise LoadError(f"{name} lacks weights: {', '.join(sorted(loaded['missing_keys']))}")
    check_weights(name, model)
    return Generator(model.to(torch.device(device or "cpu")), tokenizer)
