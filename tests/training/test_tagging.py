"""Training a tagger from the command line, and what it leaves; small enough to learn its rows by heart."""

import json

import pytest
from transformers import pipeline

import okt_lstm
from okt_lstm.cli import main
from okt_lstm.data.tagged_texts import FEATURES
from okt_lstm.inference.loading import is_tagger
from okt_lstm.training.commands import COMMANDS
from okt_lstm.training.parsing import parse
from okt_lstm.training.recipe import read_recipe
from okt_lstm.training.tagging import align, tag_names
from oktane import LoadError, load

NAMES = ["이순신", "김유신", "강감찬", "장보고"]
PLACES = ["서울", "부산", "경주", "평양"]
SMALL = ["--embedding_size", "24", "--hidden_size", "24", "--use_cpu", "--disable_tqdm", "true"]
SMALL += ["--embedding_dropout", "0", "--classifier_dropout", "0", "--report_to", "none", "--warmup_steps", "0"]
SMALL += ["--lr", "0.01", "--save_strategy", "no", "--load_best_model_at_end", "false", "--min_frequency", "1"]


def row(name, place):
    text = f"{name}은 {place}에서 태어났다"
    start = len(name) + 2
    return {
        "text": text,
        "entities": [
            {"start": 0, "end": len(name), "label": "PS"},
            {"start": start, "end": start + len(place), "label": "LC"},
        ],
    }


ROWS = [row(name, place) for name in NAMES for place in PLACES]


@pytest.fixture(scope="module")
def ner(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ner")
    data = folder / "train.jsonl"
    data.write_text("".join(json.dumps(each, ensure_ascii=False) + "\n" for each in ROWS * 4), encoding="utf-8")
    test = folder / "test.jsonl"
    test.write_text("".join(json.dumps(each, ensure_ascii=False) + "\n" for each in ROWS[:5]), encoding="utf-8")
    words = ["train", "--task", "token-classification", "--dataset", str(data), "--test_file", str(test)]
    assert main([*words, "--output_dir", str(folder / "out"), "--epochs", "6", "--batch_size", "8", *SMALL]) == 0
    return folder / "out"


@pytest.fixture(scope="module")
def spacing(tmp_path_factory):
    folder = tmp_path_factory.mktemp("spacing")
    texts = folder / "texts.txt"
    texts.write_text("".join(each["text"] + "\n" for each in ROWS * 4), encoding="utf-8")
    words = ["train", "--task", "spacing", "--dataset", str(texts), "--output_dir", str(folder / "out")]
    assert main([*words, "--epochs", "6", "--batch_size", "8", "--hidden_dropout", "0", *SMALL]) == 0
    return folder / "out"


def test_a_tagger_is_trained_measured_and_documented(ner):
    results = json.loads((ner / "test_results.json").read_text())
    assert results["test_entity_f1"] == 1
    assert results["test_character_f1"] == 1
    card = (ner / "README.md").read_text(encoding="utf-8")
    assert "pipeline_tag: token-classification" in card
    assert "entity F1 on the test split (5 rows): **1.0000**" in card
    assert "`LC`, `PS`" in card


def test_entities_have_text_label_place_and_score(ner):
    tagger = okt_lstm.load_tagger(ner)
    text = "장보고은 경주에서 태어났다"
    (found,) = tagger.entities([text])
    assert [(entity.text, entity.label) for entity in found] == [("장보고", "PS"), ("경주", "LC")]
    for entity in found:
        assert text[entity.start : entity.end] == entity.text
        assert 0.5 < entity.score <= 1.001
    with pytest.raises(TypeError, match="text 2 is None"):
        list(tagger.entities(["가", None]))


def test_batches_and_lengths_change_nothing(ner):
    tagger = okt_lstm.load_tagger(ner)
    texts = [each["text"] for each in ROWS] + ["", " ", "이순신" * 400, "서울"]
    together = list(tagger.entities(texts))
    for text, found in zip(texts, together, strict=True):
        (alone,) = tagger.entities([text])
        assert [entity[:4] for entity in alone] == [entity[:4] for entity in found]
    assert together[-4:-2] == [[], []]


def test_the_pipeline_finds_the_same_entities(ner):
    tag = pipeline("token-classification", model=str(ner), aggregation_strategy="simple")
    tagger = okt_lstm.load_tagger(ner)
    for each in ROWS[:4]:
        (found,) = tagger.entities([each["text"]])
        expected = [(entity.label, entity.start, entity.end) for entity in found]
        assert [(e["entity_group"], e["start"], e["end"]) for e in tag(each["text"])] == expected


def test_predict_writes_entities(ner, tmp_path, capsys):
    assert main(["predict", "--model", str(ner), "이순신은 서울에서 태어났다"]) == 0
    first = capsys.readouterr().out.splitlines()[0].split("\t")
    assert [*first[:4], first[5]] == ["이순신", "PS", "0", "3", "이순신은 서울에서 태어났다"]
    source, target = tmp_path / "in.csv", tmp_path / "out.jsonl"
    source.write_text("id,text\n1,강감찬은 부산에서 태어났다\n2,\n", encoding="utf-8")
    assert main(["predict", "--model", str(ner), "--input", str(source), "--output", str(target)]) == 0
    rows = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    assert [(e["text"], e["label"], e["start"], e["end"]) for e in rows[0]["entities"]] == [
        ("강감찬", "PS", 0, 3),
        ("부산", "LC", 5, 7),
    ]
    assert rows[1] == {"id": "2", "text": "", "entities": []}
    # What was written can be trained on.
    assert set(rows[0]["entities"][0]) == {"text", "label", "start", "end", "score"}
    assert main(["predict", "--model", str(ner), "--input", str(source), "--output", str(tmp_path / "o.txt")]) == 1


def test_spaces_are_restored_and_nothing_else_changes(spacing):
    tagger = okt_lstm.load_tagger(spacing)
    assert tagger.restores_spaces
    text = ROWS[0]["text"]
    given = [
        text.replace(" ", ""),
        text,
        "이순 신은서울에서 태어났다",
        "",
        "\n",
        f"{text.replace(' ', '')}\r\n{text}\n",
    ]
    given += ["😀zé 한글", "  가  "]
    spaced = list(tagger.respace(given))
    assert spaced[0] == spaced[1] == text
    assert spaced[5] == f"{text}\r\n{text}\n"
    for before, after in zip(given, spaced, strict=True):
        assert "".join(before.split()) == "".join(after.split())
        assert before.count("\n") == after.count("\n")


def test_predict_writes_texts_with_their_spaces(spacing, tmp_path, capsys):
    text = ROWS[0]["text"]
    assert main(["predict", "--model", str(spacing), text.replace(" ", "")]) == 0
    assert capsys.readouterr().out == f"{text}\n"
    source, target = tmp_path / "in.txt", tmp_path / "out.txt"
    source.write_text(text.replace(" ", "") + "\n", encoding="utf-8")
    assert main(["predict", "--model", str(spacing), "--input", str(source), "--output", str(target)]) == 0
    assert target.read_text(encoding="utf-8") == f"{text}\n"


def test_other_loaders_refuse_a_tagger_and_name_the_right_one(ner, folder):
    assert is_tagger(str(ner))
    assert not is_tagger(str(folder))
    with pytest.raises(LoadError, match=r"this is a LSTMForTokenClassification.*okt_lstm\.load_tagger"):
        load(ner)
    for engine in ("auto", "torch"):
        with pytest.raises(LoadError, match=r"okt_lstm\.load_tagger"):
            okt_lstm.load(ner, engine=engine)
    with pytest.raises(LoadError, match=r"okt_lstm\.load"):
        okt_lstm.load_tagger(folder)
    with pytest.raises(ValueError, match="--task spacing"):
        next(okt_lstm.load_tagger(ner).respace(["가"]))


def test_labels_are_aligned_by_offsets_and_what_does_not_fit_is_said(caplog):
    import datasets

    tokenizer = okt_lstm.OktTokenizer().train_new_from_iterator(
        [each["text"] for each in ROWS], vocab_size=500, show_progress=False
    )
    tags = tag_names(["LC", "PS"])
    aligned = align(datasets.Dataset.from_list(ROWS, features=FEATURES), tokenizer, tags)
    for each, found in zip(ROWS, aligned, strict=True):
        offsets = tokenizer(each["text"], return_offsets_mapping=True)["offset_mapping"]
        for (start, end), label in zip(offsets, found["labels"], strict=True):
            inside = [e for e in each["entities"] if e["start"] < end and start < e["end"]]
            assert tags[label] == (
                f"{'B' if start <= inside[0]['start'] else 'I'}-{inside[0]['label']}" if inside else "O"
            )
    # The particle alone: inside a word that is one token.
    odd = {"text": "태어났다", "entities": [{"start": 1, "end": 2, "label": "PS"}]}
    with caplog.at_level("WARNING", logger="okt_lstm"):
        align(datasets.Dataset.from_list([odd], features=FEATURES), tokenizer, tags)
    assert "1 of 1 entities don't begin and end where tokens do" in caplog.text


@pytest.mark.parametrize(("task", "recipe"), [("token-classification", "ner"), ("spacing", "spacing")])
def test_a_recipe_says_what_the_task_does_by_default(task, recipe):
    command = COMMANDS[f"train --task {task}"]
    (stage,) = read_recipe(recipe, command.name).stages
    from okt_lstm.training.commands import defaults

    known = {name: value for part in command.parts for name, value in defaults(part).items()}
    different = {name for name, value in stage.options.items() if known.get(name) != value}
    assert different <= ({"min_frequency"} if recipe == "spacing" else set())


def test_options_of_another_task_are_refused(capsys):
    with pytest.raises(SystemExit):
        parse(COMMANDS["train --task spacing"], ["--dataset", "x", "--output_dir", "y", "--label_column", "z"])
    assert "label_column" in capsys.readouterr().err
    assert main(["train", "--task", "token-classification", "--dataset", "missing.jsonl", "--output_dir", "o"]) == 1
    assert "missing.jsonl" in capsys.readouterr().err
