"""What an error of the command `okt-lstm` looks like."""


def assert_one_line_error(result, *words):
    code, output, errors = result
    assert code == 1
    assert output == ""
    lines = [line for line in errors.splitlines() if line]
    assert len(lines) == 1, errors
    assert lines[0].startswith("okt-lstm: error: ")
    for word in words:
        assert str(word) in lines[0]
