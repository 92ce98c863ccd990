import pytest
import torch
from transformers import AutoModelForCausalLM, TextStreamer, pipeline

from okt_lstm import (
    GRUConfig,
    GRUForCausalLM,
    LSTMConfig,
    LSTMForCausalLM,
    LSTMForPreTraining,
    OktTokenizer,
    RNNConfig,
    RNNForCausalLM,
)
from okt_lstm.models.generation import HAS_CACHE

FAMILIES = [(LSTMConfig, LSTMForCausalLM), (GRUConfig, GRUForCausalLM), (RNNConfig, RNNForCausalLM)]
pytestmark = pytest.mark.skipif(not HAS_CACHE, reason="generating text needs a later release of transformers")


def make(config_class=LSTMConfig, model_class=LSTMForCausalLM, **fields):
    torch.manual_seed(0)
    options = {"vocab_size": 50, "embedding_size": 16, "hidden_size": 24, "initializer_range": 1.0} | fields
    return model_class(config_class(bidirectional=False, bos_token_id=1, eos_token_id=2, **options)).eval()


def prompts():
    torch.manual_seed(1)
    input_ids = torch.randint(3, 50, (3, 9))
    attention_mask = torch.ones_like(input_ids)
    attention_mask[1, :4] = 0
    attention_mask[2, :8] = 0
    return {"input_ids": input_ids, "attention_mask": attention_mask}


@pytest.mark.parametrize("family", FAMILIES)
@torch.no_grad()
def test_steps_from_the_state_equal_the_whole_sequence_run_at_once(family):
    model, inputs = make(*family), prompts()
    whole = model(**inputs).logits
    cache, steps = None, []
    for start, end in ((0, 1), (1, 2), (2, 6), (6, 9)):
        output = model(inputs["input_ids"][:, start:end], attention_mask=inputs["attention_mask"][:, :end], cache=cache)
        cache = output.cache
        steps.append(output.logits)
    is_token = inputs["attention_mask"].bool()
    torch.testing.assert_close(torch.cat(steps, dim=1)[is_token], whole[is_token], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("how", [{}, {"num_beams": 4}, {"num_beams": 4, "num_return_sequences": 3}])
def test_generation_with_the_state_equals_generation_without(family, how):
    model = make(*family)
    texts = [model.generate(**prompts(), max_new_tokens=8, use_cache=cached, **how) for cached in (True, False)]
    assert texts[0].tolist() == texts[1].tolist()


def test_a_prompt_padded_on_the_left_is_continued_as_it_is_alone():
    model, inputs = make(), prompts()
    together = model.generate(**inputs, max_new_tokens=8)
    for row, (ids, mask) in enumerate(zip(inputs["input_ids"], inputs["attention_mask"], strict=True)):
        alone = model.generate(ids[mask.bool()].unsqueeze(0), max_new_tokens=8)
        assert together[row, 9:].tolist() == alone[0, mask.sum() :].tolist()


def test_samples_differ_and_the_seed_repeats_them():
    model = make()
    how = {"do_sample": True, "num_return_sequences": 4, "max_new_tokens": 6}
    drawn = []
    for _ in range(2):
        torch.manual_seed(5)
        drawn.append(model.generate(torch.tensor([[1, 7]]), **how).tolist())
    assert drawn[0] == drawn[1]
    assert len({tuple(row) for row in drawn[0]}) > 1


def test_generation_goes_on_from_a_returned_cache_with_the_new_tokens_alone():
    model = make()
    whole = model.generate(torch.tensor([[1, 7, 8, 9]]), max_new_tokens=5)
    cache = model(torch.tensor([[1, 7, 8]]), use_cache=True).cache
    rest = model.generate(torch.tensor([[9]]), cache=cache, max_new_tokens=5)
    assert rest[0, 1:].tolist() == whole[0, 4:].tolist()


@torch.no_grad()
def test_what_is_carried_does_not_grow_with_the_text():
    model = make()

    def carried(length):
        cache = model(torch.full((1, length), 7), use_cache=True).cache
        model(torch.tensor([[8]]), cache=cache)
        return [[state.shape for state in layer.recurrent_states.values()] for layer in cache.layers]

    assert carried(10) == carried(3000)


def test_a_text_may_start_from_a_vector():
    model = make(initial_state_size=5)
    vector = torch.eye(5)[:2]
    input_ids = torch.tensor([[1, 7], [1, 7]])
    logits = model(input_ids, initial_state=vector).logits
    assert not torch.allclose(logits[0], logits[1])
    output = model(input_ids[:, :1], initial_state=vector, use_cache=True)
    step = model(input_ids[:, 1:], cache=output.cache).logits
    torch.testing.assert_close(step[:, 0], logits[:, 1])
    model(input_ids, initial_state=vector, labels=input_ids).loss.backward()
    assert model.initial_states.weight.grad.abs().sum() > 0


def test_generation_may_start_from_a_vector_or_from_embeddings():
    model = make(initial_state_size=5)
    begin = torch.tensor([[1], [1]])
    how = {"initial_state": torch.eye(5)[:2], "max_new_tokens": 6}
    written = model.generate(begin, **how)
    assert written.tolist() == model.generate(begin, use_cache=False, **how).tolist()
    assert written[0].tolist() != written[1].tolist()
    embedded = model.generate(inputs_embeds=model.get_input_embeddings()(begin), **how)
    assert embedded.tolist() == written[:, 1:].tolist()


def test_wrong_inputs_are_named():
    with pytest.raises(ValueError, match="bidirectional=False"):
        LSTMForCausalLM(LSTMConfig(vocab_size=50))
    with pytest.raises(ValueError, match="initial_state_size"):
        make()(torch.tensor([[1]]), initial_state=torch.zeros(1, 5))
    with pytest.raises(ValueError, match=r"\(1, 4\), not \(batch, 5\)"):
        make(initial_state_size=5)(torch.tensor([[1]]), initial_state=torch.zeros(1, 4))
    cache = make()(torch.tensor([[1], [1]]), use_cache=True).cache
    with pytest.raises(ValueError, match="2 texts, but there are 3"):
        make()(torch.tensor([[1], [1], [1]]), cache=cache)


def test_the_forward_half_of_a_language_model_is_picked_up(tmp_path):
    torch.manual_seed(0)
    both = LSTMForPreTraining(LSTMConfig(vocab_size=50, embedding_size=16, hidden_size=24, separate_directions=True))
    torch.nn.init.normal_(both.output_bias)
    both.save_pretrained(tmp_path)
    model, loaded = LSTMForCausalLM.from_pretrained(tmp_path, bidirectional=False, output_loading_info=True)
    assert not loaded["missing_keys"]
    assert not loaded["unexpected_keys"]
    model.eval()
    both.eval()
    input_ids = torch.randint(3, 50, (2, 7))
    forward = both.model(input_ids).last_hidden_state[..., :24]
    torch.testing.assert_close(model.model(input_ids).last_hidden_state, forward)
    torch.testing.assert_close(model(input_ids).logits, both.lm_head(both.projections[0](forward)))


def test_the_auto_class_and_the_pipeline_load_a_saved_model(tmp_path, capsys):
    tokenizer = OktTokenizer(bos_token="<bos>", eos_token="<eos>", word_mark="▁")
    tokenizer = tokenizer.train_new_from_iterator(
        ["이 영화는 재미있다", "이 배우는 별로"], vocab_size=50, show_progress=False
    )
    make(vocab_size=len(tokenizer)).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    assert type(AutoModelForCausalLM.from_pretrained(tmp_path)) is LSTMForCausalLM
    write = pipeline("text-generation", model=str(tmp_path))
    text = write("이 영화는", max_new_tokens=3, do_sample=False)[0]["generated_text"]
    assert text.startswith("이 영화는")
    streamer = TextStreamer(tokenizer)
    write.model.generate(**tokenizer("이 영화는", return_tensors="pt"), streamer=streamer, max_new_tokens=3)
    assert "이 영화는" in capsys.readouterr().out
