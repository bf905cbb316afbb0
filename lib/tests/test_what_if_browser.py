"""The what-if desk as an app: it opens without code, a lever redraws the picture, a scenario can be
saved.
"""

import os
import socket
import subprocess
import sys
import time

import pytest
from conftest import ROOT
from playwright.sync_api import Error

LEVER, PICTURE = ".eldercare-lever .noUi-handle", "img.eldercare-picture"
WAIT = 180_000


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Where the desk is served from a copy of the project, so that a saved scenario stays there."""
    folder = tmp_path_factory.mktemp("desk")
    for name in ("data", "notebooks", "figures"):
        subprocess.run(["cp", "-r", str(ROOT / name), str(folder)], check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (folder / "voila.log").open("w")
    command = [
        sys.executable,
        "-m",
        "voila",
        "notebooks/09_what_if.ipynb",
        "--no-browser",
        f"--port={port}",
    ]
    server = subprocess.Popen(
        command,
        cwd=folder,
        stdout=log,
        stderr=subprocess.STDOUT,
        env={
            **os.environ,
            "ELDERCARE_PROJECT": str(folder),
            "ELDERCARE_FIGURES": str(folder / "figures"),
        },
    )
    try:
        yield f"http://127.0.0.1:{port}/", folder
    finally:
        server.terminate()
        server.wait(30)


@pytest.fixture(scope="module")
def page(address, browser):
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    for _ in range(60):
        try:
            page.goto(address[0], timeout=WAIT)
            break
        except Error:
            time.sleep(0.5)
    page.wait_for_selector(PICTURE, timeout=WAIT)
    yield page
    page.close()


def source(page) -> str:
    return page.locator(PICTURE).get_attribute("src")


def press(page, key: str) -> None:
    """A key on the first lever; waits for the picture to change."""
    before = source(page)
    page.locator(LEVER).first.focus()
    page.keyboard.press(key)
    page.wait_for_function(
        f"old => document.querySelector('{PICTURE}').src != old", arg=before, timeout=30_000
    )


def test_the_app_shows_no_code_and_ten_levers(page):
    assert page.locator(LEVER).count() == 10
    assert "import eldercare" not in page.content()
    assert "Chance" in page.content() or "promised nothing" in page.content()


def test_a_lever_redraws_the_picture_and_reset_brings_it_back(page):
    press(page, "ArrowRight")
    moved = source(page)
    page.get_by_role("button", name="Reset").click()
    page.wait_for_function(
        f"old => document.querySelector('{PICTURE}').src != old", arg=moved, timeout=30_000
    )


def test_a_scenario_is_saved_from_the_app(page, address):
    press(page, "ArrowLeft")
    page.get_by_role("textbox", name="Name").fill("from_the_app")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Save as scenario").click()
    page.get_by_text("Written: data/scenarios/from_the_app.csv").wait_for(timeout=30_000)
    assert (address[1] / "data" / "scenarios" / "from_the_app.csv").is_file()
