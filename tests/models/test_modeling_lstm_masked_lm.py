import pytest
import torch
from transformers import AutoModelForMaskedLM, pipeline

from okt_lstm import (
    GRUConfig,
    GRUForMaskedLM,
    LSTMConfig,
    LSTMForMaskedLM,
    LSTMForPreTraining,
    OktTokenizer,
    RNNConfig,
    RNNForMaskedLM,
)

FAMILIES = [(LSTMConfig, LSTMForMaskedLM), (GRUConfig, GRUForMaskedLM), (RNNConfig, RNNForMaskedLM)]


def make(config_class=LSTMConfig, model_class=LSTMForMaskedLM, **fields):
    torch.manual_seed(0)
    options = {"vocab_size": 50, "embedding_size": 16, "hidden_size": 24, "initializer_range": 1.0} | fields
    return model_class(config_class(separate_directions=True, **options)).eval()


@pytest.mark.parametrize("family", FAMILIES)
@torch.no_grad()
def test_a_prediction_depends_on_both_sides_and_not_on_its_own_token(family):
    model = make(*family)
    input_ids = torch.randint(3, 50, (1, 7))
    logits = model(input_ids).logits[0, 3]
    for position in range(7):
        changed = input_ids.clone()
        changed[0, position] = 1 + input_ids[0, position] % 49
        assert torch.allclose(model(changed).logits[0, 3], logits, atol=1e-6) == (position == 3)


@torch.no_grad()
def test_padding_changes_no_prediction():
    model = make()
    input_ids = torch.randint(3, 50, (1, 5))
    padded = torch.tensor([[0, 0, *input_ids[0].tolist(), 0]])
    torch.testing.assert_close(model(padded).logits[:, 2:7], model(input_ids).logits)


@torch.no_grad()
def test_the_logits_are_the_sum_of_both_directions_with_one_bias():
    model = make()
    torch.nn.init.normal_(model.output_bias)
    input_ids = torch.randint(3, 50, (1, 5))
    states = model.model(input_ids).last_hidden_state
    forward, backward = model.projections[0](states[:, 1, :24]), model.projections[1](states[:, 3, 24:])
    torch.testing.assert_close(model(input_ids).logits[:, 2], model.lm_head(forward + backward))
    torch.testing.assert_close(model(input_ids).logits[:, 0], model.lm_head(model.projections[1](states[:, 1, 24:])))
    torch.testing.assert_close(model(torch.tensor([[7]])).logits[0, 0], model.output_bias)


@torch.no_grad()
def test_a_pretrained_language_model_is_one_without_further_training(tmp_path):
    torch.manual_seed(0)
    config = LSTMConfig(vocab_size=50, embedding_size=16, hidden_size=24, separate_directions=True)
    LSTMForPreTraining(config).save_pretrained(tmp_path)
    model, loaded = AutoModelForMaskedLM.from_pretrained(tmp_path, output_loading_info=True)
    assert type(model) is LSTMForMaskedLM
    assert not loaded["missing_keys"]
    assert not loaded["unexpected_keys"]


def test_it_learns_to_fill_a_gap_and_the_pipeline_finds_the_word(tmp_path):
    texts = ["이 영화 정말 최고", "이 배우 정말 별로"]
    tokenizer = OktTokenizer(mask_token="<mask>")
    tokenizer = tokenizer.train_new_from_iterator(texts, vocab_size=50, show_progress=False)
    model = make(vocab_size=len(tokenizer), initializer_range=0.1, hidden_dropout=0).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.02)
    batch = tokenizer(texts, return_tensors="pt")
    for _ in range(60):
        loss = model(**batch, labels=batch["input_ids"]).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.eval().save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    fill = pipeline("fill-mask", model=str(tmp_path))
    assert fill("이 영화 정말 <mask>")[0]["token_str"] == "최고"
    assert fill("이 <mask> 정말 별로")[0]["token_str"] == "배우"
