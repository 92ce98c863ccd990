# Copyright 2026 the okt-lstm developers. Licensed under the Apache License, Version 2.0.
"""What the models that generate text share: the states that they carry in the `cache` of transformers."""

from typing import Any

import transformers
from transformers import GenerationMixin
from transformers.cache_utils import Cache, DynamicCache
from transformers.generation.utils import ALL_CACHE_NAMES

from .configuration_lstm import RecurrentConfig

# Earlier releases have another name for it, and another form of its layers.
FIRST_RELEASE = "5.24"
HAS_CACHE = "cache" in ALL_CACHE_NAMES


class RecurrentGenerationMixin(GenerationMixin):
    """`generate` for models whose states travel in the `cache`."""

    config: RecurrentConfig
    training: bool

    def generate(self, *args: Any, **kwargs: Any) -> Any:
        """Generate text; see `GenerationMixin.generate`.

        Raises:
            ImportError: If transformers is too old.
        """
        _check_release()
        return super().generate(*args, **kwargs)

    def carried_states(self, cache: Cache | None, use_cache: bool | None) -> Cache | None:
        """Return the cache that a forward pass goes on from and updates: the given one, a new one, or none.

        Args:
            cache: The states after the tokens that came before.
            use_cache: Whether to begin a cache if there is none. By default, what the configuration says, but not in
                training.

        Raises:
            ImportError: If there is to be a cache, and transformers is too old.
        """
        if use_cache is None:
            use_cache = HAS_CACHE and self.config.use_cache and not self.training
        if cache is None and not use_cache:
            return None
        _check_release()
        return DynamicCache(config=self.config) if cache is None else cache


def _check_release() -> None:
    if not HAS_CACHE:
        raise ImportError(
            f"generating text needs transformers {FIRST_RELEASE} or later, and this is {transformers.__version__}: "
            "pip install --upgrade transformers"
        )
