#!/usr/bin/env python3
"""Train an LSTM on NSMC, Korean film reviews, with nothing but transformers' Trainer: a program to read.

    python train_nsmc.py                    # downloads NSMC
    python train_nsmc.py --data_dir NSMC    # reads ratings_train.txt and ratings_test.txt in the folder NSMC
    python train_nsmc.py --dataset sample   # a thousand made-up reviews, to see it run in seconds

`okt-lstm train` does the same and more: options, resuming, plots, a model card.
"""

import argparse

import torch
from transformers import DataCollatorWithPadding, Trainer, TrainingArguments, pipeline, set_seed

from okt_lstm import NSMC, LSTMConfig, LSTMForSequenceClassification, OktTokenizer
from okt_lstm.reports.metrics import compute_metrics_for

parser = argparse.ArgumentParser()
parser.add_argument("--dataset", default="nsmc", choices=["nsmc", "sample"])
parser.add_argument("--data_dir")
parser.add_argument("--output_dir", default="nsmc-lstm")
options = parser.parse_args()

# 1. The corpus: columns `document` and `label`. We hold out a part of the training set to choose the best epoch.
builder = NSMC(options.dataset, data_dir=options.data_dir)
builder.download_and_prepare()
corpus = builder.as_dataset()
held_out = corpus["train"].train_test_split(test_size=0.05, seed=42, stratify_by_column="label")
train, validation, test = held_out["train"], held_out["test"], corpus["test"]

# 2. The tokenizer. Okt splits texts into morphemes; the vocabulary is the most frequent ones in the training set.
tokenizer = OktTokenizer(model_max_length=128)
tokenizer = tokenizer.train_new_from_iterator(iter(train["document"]), vocab_size=20000, min_frequency=2)


def encode(rows):  # noqa: ANN001, ANN201
    """Turn texts into ids. Padding waits until we know which texts share a batch."""
    return tokenizer(rows["document"], truncation=True, return_attention_mask=False)


train, validation, test = (
    rows.map(encode, batched=True, remove_columns=["id", "document"]) for rows in (train, validation, test)
)

# 3. The model: two bidirectional LSTM layers and a linear classifier. The seed decides its initial weights.
set_seed(42)
config = LSTMConfig(
    vocab_size=len(tokenizer),
    embedding_size=128,
    hidden_size=64,
    num_hidden_layers=2,
    hidden_dropout=0.5,
    classifier_dropout=0.5,
    id2label={0: "negative", 1: "positive"},
    problem_type="single_label_classification",
)
model = LSTMForSequenceClassification(config)

# 4. Training. Texts of similar length share a batch, so that little of it is padding.
arguments = TrainingArguments(
    output_dir=options.output_dir,
    num_train_epochs=3,
    per_device_train_batch_size=128,
    per_device_eval_batch_size=256,
    optim="rmsprop",
    learning_rate=1e-3,
    train_sampling_strategy="group_by_length",
    eval_strategy="epoch",
    save_strategy="epoch",
    save_total_limit=2,
    load_best_model_at_end=True,
    metric_for_best_model="accuracy",
    dataloader_pin_memory=torch.cuda.is_available(),
    report_to="none",
)
trainer = Trainer(
    model=model,
    args=arguments,
    train_dataset=train,
    eval_dataset=validation,
    processing_class=tokenizer,
    data_collator=DataCollatorWithPadding(tokenizer),
    compute_metrics=compute_metrics_for("single_label_classification"),
)
trainer.train()

# 5. The result: the test set, which we read only now; the trained folder; and the model at work.
print(f"Accuracy on the test set: {trainer.evaluate(test, metric_key_prefix='test')['test_accuracy']:.4f}")
model.save_pretrained(options.output_dir)
tokenizer.save_pretrained(options.output_dir)
classify = pipeline("text-classification", model=options.output_dir)
reviews = ["배우들 연기가 훌륭하고 감동적이다", "너무 지루해서 중간에 잤다"]
for review, prediction in zip(reviews, classify(reviews, truncation=True), strict=True):
    print(f"{review}: {prediction['label']} ({prediction['score']:.3f})")
