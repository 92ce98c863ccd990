"""Tagged texts from all formats, and what is wrong with a row said where it is."""

import json

import pytest

from okt_lstm.data.errors import DataError
from okt_lstm.data.tagged_texts import Entity, character_tags, entities_of, from_spans, from_tags, load_tagged
from okt_lstm.data.tagging_options import TaggingDataOptions
from oktane.lines import FileError

TOKENS = list("이순신은 서울에 갔다")
TAGS = ["B-PS", "I-PS", "I-PS", "O", "O", "B-LC", "I-LC", "O", "O", "O", "O"]
ENTITIES = [{"start": 0, "end": 3, "label": "PS"}, {"start": 5, "end": 7, "label": "LC"}]


def write(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def load(path, **options):
    return load_tagged(TaggingDataOptions(dataset=str(path), **options))


def rows_of(splits, split="train"):
    return [(row["text"], [tuple(entity.values()) for entity in row["entities"]]) for row in splits.datasets[split]]


def test_all_formats_give_the_same_rows(tmp_path):
    tagged = [{"tokens": TOKENS, "ner_tags": TAGS}] * 4
    expected = [("이순신은 서울에 갔다", [(0, 3, "PS"), (5, 7, "LC")])] * 3
    write(tmp_path / "tokens.jsonl", tagged)
    write(tmp_path / "spans.jsonl", [{"text": "".join(TOKENS), "entities": ENTITIES}] * 4)
    lines = "".join(f"{token}\t{tag}\n" for token, tag in zip(TOKENS, TAGS, strict=True))
    (tmp_path / "tags.tsv").write_text("".join(f"## row-{index}\n{lines}\n" for index in range(4)), encoding="utf-8")
    import datasets

    datasets.Dataset.from_list(tagged).to_parquet(tmp_path / "tokens.parquet")
    for name in ("tokens.jsonl", "spans.jsonl", "tags.tsv", "tokens.parquet"):
        splits = load(tmp_path / name, validation_size=1)
        assert rows_of(splits) == expected, name
        assert splits.labels == ("LC", "PS")
        assert len(splits.datasets["validation"]) == 1


def test_a_folder_has_the_splits_that_its_files_name(tmp_path):
    for name in ("train", "dev", "test"):
        write(tmp_path / f"{name}.jsonl", [{"tokens": TOKENS, "ner_tags": TAGS}])
    assert list(load(tmp_path).datasets) == ["train", "validation", "test"]


def test_words_are_joined_by_spaces_and_characters_are_not():
    assert from_tags(["New", "York", "is", "big"], ["B-LC", "I-LC", "O", "O"])[:2] == (
        "New York is big",
        [Entity(0, 8, "LC")],
    )
    assert from_tags(["서", "울", " ", "은"], ["B-LC", "I-LC", "O", "O"])[:2] == ("서울 은", [Entity(0, 2, "LC")])


def test_an_inside_without_a_beginning_begins_an_entity_and_is_counted():
    assert from_tags(["가", "나", "다"], ["I-PS", "I-LC", "I-LC"])[1:] == ([Entity(0, 1, "PS"), Entity(1, 3, "LC")], 2)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"tokens": ["가", "나"], "ner_tags": ["O"]}, "row 2: the number of tokens is 2, that of tags 1"),
        ({"tokens": ["가"], "ner_tags": ["S-PS"]}, "row 2: the tag 'S-PS' is not O, B-LABEL or I-LABEL"),
        ({"tokens": ["가"], "ner_tags": ["B-"]}, "row 2: the tag 'B-'"),
        ({"tokens": [""], "ner_tags": ["O"]}, "row 2: the tokens must be"),
        ({"tokens": None, "ner_tags": ["O"]}, "row 2: the tokens must be"),
    ],
)
def test_tags_that_do_not_fit_are_errors_with_their_row(tmp_path, row, message):
    path = write(tmp_path / "data.jsonl", [{"tokens": ["가", "나"], "ner_tags": ["B-PS", "O"]}, row])
    with pytest.raises(DataError, match=message):
        load(path)


@pytest.mark.parametrize(
    ("spans", "message"),
    [
        ([{"start": 0, "end": 20, "label": "PS"}], "leaves the text of 11 characters"),
        ([{"start": 3, "end": 3, "label": "PS"}], "from 3 to 3 has no character"),
        ([{"start": -1, "end": 3, "label": "PS"}], "from -1 to 3 leaves"),
        ([*ENTITIES, {"start": 2, "end": 6, "label": "OG"}], "overlap"),
        ([{"start": 0, "end": 3}], "needs start, end and label"),
        ([{"start": "0", "end": 3, "label": "PS"}], "needs start, end and label"),
        ([{"start": 0, "end": 2, "label": "PS", "text": "순신"}], "is '이순', but says that it is '순신'"),
    ],
)
def test_spans_that_do_not_fit_are_errors(spans, message):
    with pytest.raises(DataError, match=message):
        from_spans("".join(TOKENS), spans)


def test_a_label_that_no_training_row_has_is_an_error_with_its_row(tmp_path):
    write(tmp_path / "train.jsonl", [{"tokens": TOKENS, "ner_tags": TAGS}])
    write(tmp_path / "dev.jsonl", [{"tokens": ["가"], "ner_tags": ["O"]}, {"tokens": ["가"], "ner_tags": ["B-DT"]}])
    with pytest.raises(DataError, match="row 2 of the validation split has the label 'DT'"):
        load(tmp_path)


def test_what_is_no_data_is_refused(tmp_path):
    with pytest.raises(DataError, match="needs the columns 'tokens' and 'ner_tags'"):
        load(write(tmp_path / "other.jsonl", [{"a": 1}]))
    with pytest.raises(DataError, match="no training row has an entity"):
        load(write(tmp_path / "none.jsonl", [{"tokens": ["가"], "ner_tags": ["O"]}] * 3))
    (tmp_path / "one.conll").write_text("서울\n\n", encoding="utf-8")
    with pytest.raises(FileError, match="has no tag beside its token"):
        load(tmp_path / "one.conll")
    (tmp_path / "what.pdf").write_text("")
    with pytest.raises(FileError, match="no format of tagged texts"):
        load(tmp_path / "what.pdf")


def test_tags_and_entities_are_each_others_inverse():
    text, entities = from_spans("".join(TOKENS), ENTITIES)
    tags = character_tags(len(text), entities)
    assert tags == TAGS
    offsets = [(index, index + 1) for index in range(len(text))]
    assert [entity for entity, _ in entities_of(tags, offsets)] == entities
    # An end right before a beginning of the same label.
    assert [e for e, _ in entities_of(["B-A", "B-A", "I-A", "I-B"], offsets[:4])] == [
        Entity(0, 1, "A"),
        Entity(1, 3, "A"),
        Entity(3, 4, "B"),
    ]
