"""What README and docs show is true: their Python runs and gives the results in its comments, their commands exist."""

import ast
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
NAMES = ["README.md", "README.ko.md", "CONTRIBUTING.md", "oktane/README.md"]
PAGES = [*(ROOT / name for name in NAMES), *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def blocks(page: Path, language: str) -> list[str]:
    found = BLOCK.findall(page.read_text(encoding="utf-8"))
    return [code for name, code in found if name == language]


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


# Python


def comment_after(lines: list[str], node: ast.expr) -> str:
    """The comment behind an expression, or alone on the line below it."""
    assert node.end_lineno is not None
    behind = lines[node.end_lineno - 1].encode()[node.end_col_offset :].decode().strip()
    below = lines[node.end_lineno].strip() if node.end_lineno < len(lines) else ""
    return next((comment.removeprefix("#").strip() for comment in (behind, below) if comment.startswith("#")), "")


def run(code: str, namespace: dict[str, Any]) -> int:
    """Run a block; each expression has the value that its comment shows, if that is a value. The number of these."""
    lines = code.splitlines()
    compared = 0
    for statement in ast.parse(code).body:
        if not isinstance(statement, ast.Expr):
            exec(compile(ast.Module([statement], []), "page", "exec"), namespace)
            continue
        value = eval(compile(ast.Expression(statement.value), "page", "eval"), namespace)
        comment = comment_after(lines, statement.value)
        if comment.startswith(("[", "'", "(")):
            shown = ast.literal_eval(comment)
            if isinstance(shown, list) and shown[-1] is ...:
                shown, value = shown[:-1], value[: len(shown) - 1]
            assert value == shown, ast.unparse(statement)
            compared += 1
    return compared


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with what pages assume: models, of which the Hub has `owner/name`, and a list of words."""
    import okt_lstm

    folder = tmp_path_factory.mktemp("pages")
    (folder / "words.txt").write_text("워라밸\n", encoding="utf-8")
    classifier = okt_lstm.load()
    for name in ("out", "owner/name"):
        classifier.model.save_pretrained(folder / name)
        classifier.tokenizer.save_pretrained(folder / name)
    tokenizer = okt_lstm.OktCharacterTokenizer().train_new_from_iterator(["이순신은 서울에서"], vocab_size=20)
    for name, tags in (("ner", ["O", "B-PS", "I-PS"]), ("spacing", ["B-word", "I-word"])):
        config = okt_lstm.LSTMConfig(
            vocab_size=len(tokenizer), embedding_size=8, hidden_size=8, id2label=dict(enumerate(tags))
        )
        okt_lstm.LSTMForTokenClassification(config).save_pretrained(folder / name)
        tokenizer.save_pretrained(folder / name)
    return folder


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=named)
def test_python_runs_and_gives_the_results_that_its_comments_show(page, folder, monkeypatch):
    monkeypatch.chdir(folder)
    namespace: dict[str, Any] = {}
    compared = sum(run(code, namespace) for code in blocks(page, "python"))
    assert compared > 0 or page.name == "sharing.md"


# Commands


def commands(page: Path) -> Iterator[list[str]]:
    """The commands of a page as lists of words."""
    for block in blocks(page, "console"):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line.removeprefix("$ "), comments=True)
            command: list[str] = []
            for word in [*words, "&&"]:
                if word not in ("&&", "|"):
                    command.append(word)
                elif command:
                    yield command
                    command = []


class ParsedError(Exception):
    """The words were understood; nothing is to be run."""


@pytest.fixture
def okt_lstm_command(monkeypatch):
    """Parse the words of a command of okt-lstm, without running it."""
    from okt_lstm import cli
    from okt_lstm.training.commands import COMMANDS, TUNE
    from okt_lstm.training.parsing import CommandParser, parse

    def parse_words(self, argv, original=CommandParser.parse_words):
        original(self, argv)
        raise ParsedError

    commands = {**COMMANDS, TUNE.name: TUNE}

    def check(words: list[str]) -> None:
        if words[0] in commands:
            parse(commands[words[0]], words[1:])
        else:
            with pytest.raises(ParsedError):
                cli.main(words)

    monkeypatch.setattr(CommandParser, "parse_words", parse_words)
    return check


def check_pip(words: list[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for word in words:
        if word.startswith(("./", "constraints.txt")):
            assert (ROOT / word).exists(), word
        if extras := re.fullmatch(r"\.\[(.+)\]", word):
            assert set(extras[1].split(",")) <= set(project["project"]["optional-dependencies"])
    if "--group" in words:
        assert words[words.index("--group") + 1] in project["dependency-groups"]


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "console")], ids=named)
def test_commands_exist_with_their_options(page, okt_lstm_command, tmp_path, monkeypatch):
    from oktane.cli import _parser

    (tmp_path / "options.yaml").write_text("hidden_size: 32\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for command in commands(page):
        words = command[1:] if "=" in command[0] else command
        if words[0] == "okt-lstm":
            okt_lstm_command(words[1:])
        elif words[0] == "torchrun":
            okt_lstm_command(words[words.index("okt_lstm") + 1 :])
        elif words[0] == "oktane":
            _parser().parse_args(words[1:])
        elif words[0] == "pip":
            check_pip(words[1:])
        elif words[0] == "python":
            assert (ROOT / words[1]).is_file(), words


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "yaml")], ids=named)
def test_recipes_that_pages_show_are_recipes(page, tmp_path):
    from okt_lstm.training.recipe import read_recipe

    for code in blocks(page, "yaml"):
        (tmp_path / "mine.yaml").write_text(code, encoding="utf-8")
        assert read_recipe(str(tmp_path / "mine.yaml")).stages


# Links and twins


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_within_the_repository_lead_somewhere(page):
    targets = [target for target in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in target]
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_extras_that_prose_names_exist():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for page in PAGES:
        for extras in re.findall(r'"\.\[([\w,-]+)\]"', page.read_text(encoding="utf-8")):
            assert set(extras.split(",")) <= set(project["project"]["optional-dependencies"]), (page.name, extras)


@pytest.mark.parametrize("language", ["python", "console"])
def test_both_readmes_have_the_same_code(language):
    def code(page: Path) -> list[str]:
        return [re.sub(r"\s+# [^\[{].*", "", block) for block in blocks(page, language)]

    assert code(ROOT / "README.md") == code(ROOT / "README.ko.md")


def test_both_readmes_have_the_same_figures():
    def figures(page: Path) -> list[list[str]]:
        rows = [line.split("|") for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
        return [[cell.strip() for cell in row[2:-1]] for row in rows if len(row) == 7][2:]

    assert figures(ROOT / "README.md") == figures(ROOT / "README.ko.md")
    assert len(figures(ROOT / "README.md")) == 7
