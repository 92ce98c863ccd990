"""A trained language model: texts in, the same texts and what follows them out."""

from collections.abc import Sequence
from typing import Any

from transformers import PreTrainedModel, PreTrainedTokenizerBase


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
