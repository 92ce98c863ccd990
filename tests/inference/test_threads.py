import pytest

from okt_lstm.inference.threads import map_ahead


def test_chunks_are_worked_on_ahead_but_answered_in_order():
    read = []

    def items():
        for number in range(50):
            read.append(number)
            yield number

    answers = map_ahead(lambda number: -number, items(), threads=2)
    assert next(answers) == (0, 0)
    assert len(read) <= 2 + 2, "no more is read than the threads need"
    assert list(answers) == [(number, -number) for number in range(1, 50)]


def test_an_error_in_a_thread_reaches_the_caller():
    answers = map_ahead(lambda number: 1 // number, [2, 1, 0, 3], threads=2)
    assert (next(answers), next(answers)) == ((2, 0), (1, 1))
    with pytest.raises(ZeroDivisionError):
        next(answers)
