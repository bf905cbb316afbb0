"""The lock, pyproject.toml, environment.yml and what is installed say the same."""

import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import eldercare

LIB = Path(__file__).resolve().parents[1]
LOCK_TEXT = (LIB / "requirements.lock").read_text("utf-8")
LOCK_ENTRIES = LOCK_TEXT.replace("\\\n", " ").splitlines()
PYPROJECT = tomllib.loads((LIB / "pyproject.toml").read_text("utf-8"))

PROJECT = PYPROJECT["project"]
DIRECT = [
    Requirement(text)
    for text in [
        *PYPROJECT["build-system"]["requires"],
        *PROJECT["dependencies"],
        *sum(PROJECT["optional-dependencies"].values(), []),
    ]
]
LOCKED = {}
for entry in LOCK_ENTRIES:
    requirement = Requirement(entry.split("--hash=")[0].strip())
    LOCKED.setdefault(canonicalize_name(requirement.name), set()).add(str(requirement.specifier))

each_direct_dependency = pytest.mark.parametrize(
    "dependency", DIRECT, ids=lambda dependency: dependency.name
)


def test_the_lock_names_no_address_and_no_index():
    assert "://" not in LOCK_TEXT
    assert not [entry for entry in LOCK_ENTRIES if entry.lstrip().startswith("-")]


def test_every_requirement_in_the_lock_is_pinned_and_hashed():
    pinned_and_hashed = re.compile(
        r"[\w.-]+(\[[\w,-]+\])?==[^\s;]+( ;.*?)?( +--hash=sha256:[0-9a-f]{64})+\s*"
    )
    assert [entry for entry in LOCK_ENTRIES if not pinned_and_hashed.fullmatch(entry)] == []


def test_the_lock_has_one_version_of_each_package():
    assert {name: versions for name, versions in LOCKED.items() if len(versions) > 1} == {}


@each_direct_dependency
def test_each_pin_of_pyproject_stands_in_the_lock(dependency):
    assert str(dependency.specifier).startswith("==")
    assert LOCKED[canonicalize_name(dependency.name)] == {str(dependency.specifier)}


@each_direct_dependency
def test_the_installed_version_is_the_locked_one(dependency):
    assert {f"=={metadata.version(dependency.name)}"} == LOCKED[canonicalize_name(dependency.name)]


def test_conda_installs_the_lock_and_nothing_else():
    text = (LIB.parent / "environment.yml").read_text("utf-8")
    dependencies = re.findall(r"^ +- (.*)$", text.split("dependencies:")[1], re.MULTILINE)
    assert [re.split(r"[ =<>]", name)[0] for name in dependencies[:2]] == ["python", "pip"]
    assert dependencies[2:] == ["pip:", "-r lib/requirements.lock"]


def test_eldercare_is_imported_from_an_installed_distribution(tmp_path):
    assert metadata.version("eldercare") == PROJECT["version"]
    # -I: neither the current folder nor PYTHONPATH can help.
    found = subprocess.run(
        [sys.executable, "-I", "-c", "import eldercare; print(eldercare.__file__)"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    assert Path(found) == Path(eldercare.__file__)


def test_the_citation_names_the_version_and_the_licence_of_the_project():
    text = (LIB.parent / "CITATION.cff").read_text("utf-8")
    assert f"\nversion: {PROJECT['version']}\n" in text
    assert f"\nlicense: {PROJECT['license']}\n" in text
