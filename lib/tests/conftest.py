"""What the tests share: the project, loaded once, a run with few draws, and copies of the data to
damage.
"""

import csv
import os
import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

import eldercare as ec

ROOT = Path(__file__).resolve().parents[2]
os.environ["LC_ALL"] = (
    "C.UTF-8"  # whoever runs the tests: what a command says is asked for in English
)
DRAWS = 64
BROWSERS = "chromium", "chromium-browser", "google-chrome"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


NAMES = re.compile(
    r"“[^”]*”|`[^`]*`|\S+\.(?:csv|xlsx|md|gz)|python -m eldercare( [a-z-]+)?|CSV UTF-8|--[a-z]+ [a-z]+"
)


def english_left(text: str) -> list[str]:
    """Words of English one after the other in a Chinese text, but for what is quoted, names of files and lists."""
    return re.findall(r"(?<![=_a-zA-Z\d])[A-Za-z]{2,} [a-z]{2,}(?![=_a-z\d])", NAMES.sub("", text))


class DataCopy:
    """A project folder of its own, whose tables a test may change."""

    def __init__(self, root: Path, cities: tuple[str, ...]):
        self.root, self.data = root, root / "data"
        self.data.mkdir(parents=True)
        for path in (ROOT / "data").glob("*.csv"):
            shutil.copy(path, self.data)
        for folder in ("china", "world", *(f"cities/{city}" for city in cities)):
            shutil.copytree(ROOT / "data" / folder, self.data / folder)

    def rows(self, name: str) -> list[list[str]]:
        with (self.data / name).open(encoding="utf-8-sig", newline="") as file:
            return list(csv.reader(file))

    def write(self, name: str, rows: list[list[str]]) -> None:
        (self.data / name).parent.mkdir(parents=True, exist_ok=True)
        with (self.data / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)

    def find(self, name: str, **cells: str) -> int:
        """The row, as a spreadsheet numbers it, in which the cells stand."""
        header, *body = self.rows(name)
        for number, row in enumerate(body, start=2):
            if all(row[header.index(column)] == cell for column, cell in cells.items()):
                return number
        raise LookupError(f"no row of {name} has {cells}")

    def change(self, name: str, row: int, **cells: str) -> None:
        rows = self.rows(name)
        for column, cell in cells.items():
            rows[row - 1][rows[0].index(column)] = cell
        self.write(name, rows)

    def add(self, name: str, **cells: str) -> None:
        rows = self.rows(name)
        self.write(name, [*rows, [cells.get(column, "") for column in rows[0]]])

    def add_city(self, city_id: str, adcode: int) -> None:
        header = (
            (self.data / "cities/lincang/city.csv")
            .read_text("utf-8-sig")
            .splitlines()[0]
            .split(",")
        )
        cells = {"city_id": city_id, "name_en": city_id.capitalize(), "adcode": str(adcode)}
        self.write(
            f"cities/{city_id}/city.csv", [header, [cells.get(column, "") for column in header]]
        )


@pytest.fixture(scope="session")
def project():
    return ec.load_project(ROOT)


@pytest.fixture(scope="session")
def china(project):
    return project.china


@pytest.fixture(scope="session")
def results(project):
    """All cities with few draws; nobody may change them."""
    return ec.run(project, draws=DRAWS)


@pytest.fixture
def small_copy(tmp_path):
    """A copy of the data with one city, Lincang."""
    copy = DataCopy(tmp_path / "project", ("lincang",))
    yield copy
    shutil.rmtree(copy.root)


@pytest.fixture
def full_copy(tmp_path, project):
    """A copy of the data with all cities."""
    copy = DataCopy(tmp_path / "project", tuple(project.cities))
    yield copy
    shutil.rmtree(copy.root)


@pytest.fixture(scope="session")
def browser():
    """The machine's Chromium, without a window; where there is none, CI fails and others skip."""
    command = next(filter(None, map(shutil.which, BROWSERS)), None)
    if command is None:
        reason = "no Chromium to look at the pages with: install it (Debian, Ubuntu: apt install chromium)"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=command, args=FLAGS)
        yield opened
        opened.close()
