import pytest
import torch
import transformers

from okt_lstm import LSTMConfig, LSTMForCausalLM, LSTMForSeq2SeqLM
from okt_lstm.models import generation

MODELS = {LSTMForCausalLM: {"bidirectional": False}, LSTMForSeq2SeqLM: {"decoder_start_token_id": 1}}


@pytest.mark.parametrize("model_class", MODELS)
def test_releases_that_are_too_old_compute_losses_and_refuse_to_generate_in_one_line(model_class, monkeypatch):
    monkeypatch.setattr(generation, "HAS_CACHE", False)
    fields = MODELS[model_class] | {"vocab_size": 50, "bos_token_id": 1, "eos_token_id": 2}
    model = model_class(LSTMConfig(**fields)).eval()
    input_ids = torch.tensor([[1, 5, 6]])
    output = model(input_ids, labels=input_ids)
    assert output.loss.isfinite()
    assert output.cache is None
    installed = transformers.__version__
    for generate in (lambda: model.generate(input_ids), lambda: model(input_ids, labels=input_ids, use_cache=True)):
        with pytest.raises(ImportError, match=rf"5\.24 or later.*{installed}.*pip install --upgrade") as refusal:
            generate()
        assert "\n" not in str(refusal.value)
