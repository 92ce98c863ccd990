import pytest
import torch
from tokenizers import Tokenizer, models
from transformers import (
    AutoModelForSeq2SeqLM,
    DataCollatorForSeq2Seq,
    PreTrainedTokenizerFast,
    Seq2SeqTrainer,
    Seq2SeqTrainingArguments,
    set_seed,
)

from okt_lstm import GRUConfig, GRUForSeq2SeqLM, LSTMConfig, LSTMForSeq2SeqLM, RNNConfig, RNNForSeq2SeqLM
from okt_lstm.models.generation import HAS_CACHE

FAMILIES = [(LSTMConfig, LSTMForSeq2SeqLM), (GRUConfig, GRUForSeq2SeqLM), (RNNConfig, RNNForSeq2SeqLM)]
pytestmark = pytest.mark.skipif(not HAS_CACHE, reason="generating text needs a later release of transformers")


def make(config_class=LSTMConfig, model_class=LSTMForSeq2SeqLM, **fields):
    torch.manual_seed(0)
    options = {"vocab_size": 50, "embedding_size": 16, "hidden_size": 12, "initializer_range": 1.0} | fields
    marks = {"bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 1}
    return model_class(config_class(**marks, **options)).eval()


def pairs():
    torch.manual_seed(1)
    input_ids = torch.randint(3, 50, (3, 9))
    attention_mask = torch.ones_like(input_ids)
    attention_mask[1, :4] = 0
    attention_mask[2, 6:] = 0
    labels = torch.randint(3, 50, (3, 7))
    labels[1, 5:] = -100
    return {"input_ids": input_ids, "attention_mask": attention_mask, "labels": labels}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("attention", ["dot", "additive", "none"])
@torch.no_grad()
def test_steps_from_the_state_equal_teacher_forcing(family, attention):
    model, batch = make(*family, attention=attention), pairs()
    whole = model(**batch).logits
    read = model.prepare_decoder_input_ids_from_labels(batch.pop("labels"))
    cache, steps = None, []
    for step in read.split(1, dim=1):
        output = model(**batch, decoder_input_ids=step, cache=cache)
        cache = output.cache
        steps.append(output.logits)
    torch.testing.assert_close(torch.cat(steps, dim=1), whole, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("num_beams", [1, 4])
def test_generation_with_the_state_equals_generation_without(family, num_beams):
    model, batch = make(*family), pairs()
    del batch["labels"]
    how = {"max_new_tokens": 8, "num_beams": num_beams}
    assert model.generate(**batch, **how).tolist() == model.generate(**batch, **how, use_cache=False).tolist()


def test_the_decoder_reads_the_target_shifted_by_the_start_token():
    labels = torch.tensor([[7, 8, 2], [9, 2, -100]])
    assert make().prepare_decoder_input_ids_from_labels(labels).tolist() == [[1, 7, 8], [1, 9, 2]]
    with pytest.raises(ValueError, match="decoder_start_token_id"):
        LSTMForSeq2SeqLM(LSTMConfig(vocab_size=50)).prepare_decoder_input_ids_from_labels(labels)
    with pytest.raises(ValueError, match="pass labels"):
        make()(torch.tensor([[7]]))


@pytest.mark.parametrize("attention", ["dot", "additive"])
def test_cross_attentions_are_weights_of_the_sources_tokens_alone(attention):
    batch = pairs()
    (weights,) = make(attention=attention)(**batch, output_attentions=True).cross_attentions
    assert weights.shape == (3, 1, 7, 9)
    torch.testing.assert_close(weights.sum(-1), torch.ones(3, 1, 7))
    is_padding = batch["attention_mask"][:, None, None, :] == 0
    assert not weights[is_padding.expand_as(weights)].any()


def test_without_attention_only_the_final_states_reach_the_decoder():
    model = make(attention="none")
    encoder_outputs = model.get_encoder()(torch.tensor([[7, 8, 9]]))
    read = torch.tensor([[1, 5]])
    logits = model(encoder_outputs=encoder_outputs, decoder_input_ids=read).logits
    encoder_outputs["last_hidden_state"] = torch.zeros_like(encoder_outputs.last_hidden_state)
    torch.testing.assert_close(model(encoder_outputs=encoder_outputs, decoder_input_ids=read).logits, logits)
    assert (
        model(encoder_outputs=encoder_outputs, decoder_input_ids=read, output_attentions=True).cross_attentions is None
    )


@pytest.mark.parametrize("attention", ["dot", "additive", "none"])
@torch.no_grad()
def test_an_empty_source_gives_numbers_and_leaves_the_other_rows_as_they_are(attention):
    model = make(attention=attention)
    read = torch.tensor([[1, 5], [1, 5]])
    source = torch.tensor([[7, 8], [0, 0]])
    logits = model(source, decoder_input_ids=read).logits
    assert logits.isfinite().all()
    torch.testing.assert_close(logits[:1], model(source[:1], decoder_input_ids=read[:1]).logits)
    nothing = torch.zeros(1, 0, dtype=torch.long)
    torch.testing.assert_close(logits[1:], model(nothing, decoder_input_ids=read[1:]).logits)


@pytest.mark.slow
def test_seq2seq_trainer_teaches_it_to_turn_a_text_around(tmp_path):
    set_seed(0)
    sources = [[int(digit) + 3 for digit in f"{number:03}"] for number in range(0, 1000, 5)]
    rows = [{"input_ids": source, "labels": [*source[::-1], 2]} for source in sources]
    model = make(initializer_range=0.3, hidden_size=32, hidden_dropout=0, num_hidden_layers=1)
    arguments = Seq2SeqTrainingArguments(
        output_dir=str(tmp_path),
        max_steps=200,
        per_device_train_batch_size=32,
        learning_rate=0.01,
        label_smoothing_factor=0.1,
        predict_with_generate=True,
        generation_max_length=6,
        report_to="none",
        disable_tqdm=True,
        use_cpu=True,
        save_strategy="no",
    )
    vocabulary = {name: index for index, name in enumerate(["<pad>", "<bos>", "<eos>", *"0123456789"])}
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.WordLevel(vocabulary)), pad_token="<pad>", eos_token="<eos>"
    )
    trainer = Seq2SeqTrainer(
        model=model,
        args=arguments,
        train_dataset=rows,
        processing_class=tokenizer,
        data_collator=DataCollatorForSeq2Seq(tokenizer, model=model),
    )
    trainer.train()
    written = trainer.predict(rows[:20]).predictions
    right = sum(row[1:5].tolist() == example["labels"] for row, example in zip(written, rows[:20], strict=True))
    assert right >= 18
    trainer.save_model()
    loaded = AutoModelForSeq2SeqLM.from_pretrained(tmp_path)
    assert type(loaded) is LSTMForSeq2SeqLM
    source = torch.tensor([rows[3]["input_ids"]])
    assert loaded.generate(source, max_new_tokens=5).tolist() == model.generate(source, max_new_tokens=5).tolist()
