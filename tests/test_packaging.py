"""What the two packages import, they declare, and the versions that they declare are the ones that CI installs."""

import ast
import re
import sys
from importlib.metadata import packages_distributions, requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]


def imported(folder):
    """The top-level names that the modules below a folder import from elsewhere, now or when a function is called."""
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                yield node.module.split(".")[0]


@pytest.mark.parametrize(("package", "source"), [("okt-lstm", "src/okt_lstm"), ("oktane", "oktane/src/oktane")])
def test_what_a_package_imports_it_declares(package, source):
    declared = {canonicalize_name(Requirement(line).name) for line in requires(package)} | {package}
    installed = packages_distributions()
    for name in set(imported(ROOT / source)) - sys.stdlib_module_names:
        assert declared & set(map(canonicalize_name, installed.get(name, [name]))), f"{package} doesn't declare {name}"


def test_okt_lstm_takes_the_oktane_of_its_own_version():
    assert version("okt-lstm") == version("oktane")
    assert f"oktane=={version('oktane')}" in requires("okt-lstm")


def test_the_floors_are_the_oldest_versions_that_ci_installs():
    lines = (ROOT / "constraints-oldest.txt").read_text(encoding="utf-8").splitlines()
    oldest = [Requirement(line) for line in lines if not line.startswith("#")]
    pins = {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in oldest}
    for line in requires("okt-lstm"):
        requirement = Requirement(line)
        name = canonicalize_name(requirement.name)
        if name in pins:
            assert str(requirement.specifier) == f">={pins.pop(name)}"
        else:
            assert requirement.marker or name == "oktane", f"constraints-oldest.txt has no {name}"
    assert not pins, "constraints-oldest.txt pins what okt-lstm does not ask for"


@pytest.mark.parametrize("page", sorted((ROOT / ".github/workflows").glob("*.yml")), ids=lambda path: path.name)
def test_workflows_leave_versions_of_what_okt_lstm_needs_to_the_constraints(page):
    needed = {Requirement(line).name for line in requires("okt-lstm")} - {"oktane"}
    named = re.findall(r"([\w.-]+)[=<>~]=", page.read_text(encoding="utf-8"))
    assert not needed & set(named)


def test_the_changelog_names_the_floors():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    line = re.search(r"^- It runs on older stacks: (.*)\.$", changelog, re.MULTILINE)
    assert line, "CHANGELOG.md has no line about older stacks"
    floors = {(needed := Requirement(text)).name: str(needed.specifier) for text in requires("okt-lstm")}
    for item in line[1].split(", "):
        name, number = item.split(" ")
        assert floors[name] == f">={number}.0", item
