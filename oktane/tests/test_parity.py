"""oktane gives exactly what konlpy's Okt gives, and the script that compares them tells when it doesn't."""

import gzip
import json
import lzma

import okt_parity
import pytest

# What konlpy derives from pos, morphs and nouns, is derived from pos here, too: see test_hostile.py.
METHODS = [method for method in okt_parity.METHODS if method.name in ("pos", "phrases", "normalize")]


@pytest.fixture(scope="module")
def generated():
    return list(okt_parity.hostile_texts(500, seed=1))


@pytest.fixture(scope="module")
def konlpy_comparison(okt, konlpy_okt):
    def identical(texts, method):
        result = okt_parity.compare(konlpy_okt, okt, list(okt_parity.cut(texts, 300)), method)
        assert result.total > 0
        assert result.differences == []

    return identical


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS, ids=str)
def test_generated_texts_give_what_konlpy_gives(konlpy_comparison, generated, method):
    konlpy_comparison(generated, method)


@pytest.mark.release
@pytest.mark.parametrize("method", METHODS, ids=str)
def test_many_generated_texts_give_what_konlpy_gives(konlpy_comparison, method):
    konlpy_comparison(okt_parity.hostile_texts(4_000, seed=2), method)


@pytest.fixture(scope="module")
def code_point_texts(konlpy_okt):
    """Without those that this Java runtime's Unicode tables don't know yet."""
    import jpype

    kind_of = jpype.JClass("java.lang.Character").getType
    return [text for text in okt_parity.code_point_texts() if kind_of(jpype.JInt(ord(text[0]))) != 0]


@pytest.mark.slow
def test_a_sample_of_code_points_gives_what_konlpy_gives(konlpy_comparison, code_point_texts):
    konlpy_comparison(code_point_texts[::61], okt_parity.Method("pos", {"norm": True, "stem": True}))


@pytest.mark.release
@pytest.mark.parametrize("options", okt_parity.OPTIONS, ids=str)
def test_every_code_point_gives_what_konlpy_gives(konlpy_comparison, code_point_texts, options):
    konlpy_comparison(code_point_texts, okt_parity.Method("pos", options))


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS, ids=str)
def test_reviews_give_what_konlpy_gives(konlpy_comparison, nsmc_dir, method):
    reviews = list(okt_parity.read_texts(nsmc_dir / "ratings_test.txt", "document"))
    konlpy_comparison(reviews[::100], method)


@pytest.mark.release
@pytest.mark.parametrize("method", METHODS, ids=str)
def test_many_reviews_give_what_konlpy_gives(konlpy_comparison, nsmc_dir, method):
    reviews = list(okt_parity.read_texts(nsmc_dir / "ratings_train.txt", "document"))
    konlpy_comparison(reviews[::30], method)


# ---- the script -----------------------------------------------------------------------------------------------------


class Upper:
    """Stands for both libraries: what it does is enough to see whether a difference is noticed."""

    def __init__(self, wrong=()):
        self.wrong = wrong

    def normalize(self, text):
        if text == "refused":
            raise ValueError(text)
        return text.upper()

    def normalize_batch(self, texts):
        return ["wrong" if text in self.wrong else text.upper() for text in texts]


NORMALIZE = okt_parity.Method("normalize", {})


def test_comparison_counts_and_keeps_differences():
    result = okt_parity.compare(Upper(), Upper(wrong={"b", "c"}), ["a", "b", "c", "refused"], NORMALIZE, shown=1)
    assert result == (1, 3, 1, [("b", "B", "wrong")])


def test_report_is_false_at_a_difference_and_prints_it(capsys):
    assert okt_parity.report(Upper(), Upper(), "same", ["a"], [NORMALIZE], 10)
    assert not okt_parity.report(Upper(), Upper(wrong={"b"}), "other", ["a", "b"], [NORMALIZE], 10)
    printed = capsys.readouterr().out
    assert "1/1 identical" in printed
    assert "1/2 identical" in printed
    assert "text   'b'\n    konlpy 'B'\n    oktane 'wrong'" in printed


TEXTS = ["가 나", "", "한\u2028줄\x85 ", "끝"]


def test_texts_are_read_line_by_line_from_plain_and_compressed_files(tmp_path):
    content = "".join(f"{text}\n" for text in TEXTS).encode()
    (tmp_path / "a.txt").write_bytes(content)
    (tmp_path / "a.txt.xz").write_bytes(lzma.compress(content))
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(content))
    for name in ("a.txt", "a.txt.xz", "a.txt.gz"):
        assert list(okt_parity.read_texts(tmp_path / name)) == TEXTS


def test_texts_are_read_from_a_column(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text('id\tdocument\tlabel\n1\t"""좋아"""\t1\n2\t나쁨\t0\n', encoding="utf-8")
    assert list(okt_parity.read_texts(path, "document")) == ['"""좋아"""', "나쁨"]
    with pytest.raises(ValueError, match=r"no column 'text'.*id, document, label"):
        list(okt_parity.read_texts(path, "text"))
    path.write_text("id\tdocument\n1\n", encoding="utf-8")
    with pytest.raises(ValueError, match="line 2: 1 fields, no 'document'"):
        list(okt_parity.read_texts(path, "document"))


def test_generated_texts_are_saved_and_read_back(tmp_path):
    path = tmp_path / "hostile.jsonl"
    assert okt_parity.main(["--generated", "50", "--seed", "3", "--save", str(path)]) == 0
    assert list(okt_parity.read_texts(path)) == list(okt_parity.hostile_texts(50, seed=3))
    assert [entry.name for entry in tmp_path.iterdir()] == ["hostile.jsonl"]


def test_unreadable_input_ends_with_code_2_and_one_line(tmp_path, capsys):
    (tmp_path / "a.jsonl").write_text(json.dumps("가") + "\n{}\n", encoding="utf-8")
    (tmp_path / "a.txt.xz").write_bytes(b"no xz")
    for name, message in (("missing.txt", "missing.txt"), ("a.jsonl", "line 2"), ("a.txt.xz", "")):
        assert okt_parity.main([str(tmp_path / name)]) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert message in error


def test_long_texts_are_cut_and_short_ones_kept():
    assert list(okt_parity.cut(["", "가나", "가나다라마"], 2)) == ["", "가나", "가나", "다라", "마"]
