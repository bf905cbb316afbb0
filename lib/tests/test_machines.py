"""Machines as people have them: no home, no cache, a console without Chinese signs, a full disk, two runs at once."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import ROOT

from eldercare import files

NO_HOME = {"HOME": os.devnull, "XDG_CACHE_HOME": os.devnull, "XDG_CONFIG_HOME": os.devnull}
full_disk = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")


def run(
    *words: str, to: object = subprocess.PIPE, **environment: str
) -> subprocess.CompletedProcess:
    """Python with these words, without a terminal."""
    left = {name: value for name, value in os.environ.items() if name != "PYTHONUTF8"}
    return subprocess.run(
        [sys.executable, *words],
        stdin=subprocess.DEVNULL, stdout=to, stderr=subprocess.PIPE, check=False,
        env={**left, "ELDERCARE_PROJECT": str(ROOT), **environment},
    )  # fmt: skip


@pytest.mark.parametrize("signs", ["cp1252", "gbk", "ascii"])
def test_a_console_without_the_signs_of_a_name_gets_its_other_words(signs):
    done = run("-m", "eldercare", "new-city", "苏州园区", PYTHONIOENCODING=signs)
    assert done.returncode == 2 and b"Traceback" not in done.stderr
    assert "no area of the census of 2020" in done.stderr.decode(signs)


def test_a_template_that_a_redirect_writes_is_utf_8(small_copy):
    report = small_copy.data / "cities/lincang/progress.csv"
    with report.open("wb") as file:
        done = run(
            "-m", "eldercare", "progress-template", "lincang", to=file,
            PYTHONIOENCODING="gbk", ELDERCARE_PROJECT=str(small_copy.root),
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert report.read_text("utf-8").startswith("target_id,reported_on")


@full_disk
def test_a_full_disk_is_told_in_one_line():
    with open("/dev/full", "w") as full:
        done = run("-m", "eldercare", "--help", to=full)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1 and b"No space left" in done.stderr


def test_a_file_that_cannot_be_written_is_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "report.csv"
    path.write_bytes(b"before")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        files.write_whole(path, b"after")
    assert path.read_bytes() == b"before" and list(tmp_path.iterdir()) == [path]


def test_two_runs_that_write_one_file_at_once_leave_one_whole(tmp_path):
    path, size = tmp_path / "figure.csv", 50_000
    code = (
        "import sys; from pathlib import Path; from eldercare.files import write_whole\n"
        f"for _ in range(50): write_whole(Path(sys.argv[1]), sys.argv[2].encode() * {size})"
    )
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda sign: run("-c", code, str(path), sign), "ab"))
    assert [one.returncode for one in done] == [0, 0], done
    content = path.read_bytes()
    assert len(content) == size and len(set(content)) == 1 and list(tmp_path.iterdir()) == [path]


def test_without_a_folder_to_keep_it_in_the_projection_is_compiled_anew():
    code = (
        "from numba.core import caching\ncaching.CacheImpl._locator_classes = []\n"
        "from eldercare.model import cohort\nprint(cohort._run.stats.cache_path)"
    )
    done = run("-c", code, **NO_HOME)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == b"None"


def test_a_notebook_runs_without_a_home():
    code = (
        "import nbformat\nfrom pathlib import Path\nfrom eldercare.app import book\n"
        "one = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell('1 + 1')])\n"
        "book.execute_cells(one, Path('.'))\nprint(one.cells[0].outputs[0]['data']['text/plain'])"
    )
    done = run("-c", code, **NO_HOME)
    assert (done.returncode, done.stdout.strip()) == (0, b"2"), done.stderr
