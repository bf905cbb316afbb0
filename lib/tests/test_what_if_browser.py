"""The what-if desk as an app: it opens without code, a lever redraws the picture, a scenario can be
saved.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from urllib.parse import urlparse

import pytest
from conftest import ROOT
from playwright.sync_api import Error

LEVER, PICTURE = ".eldercare-lever .noUi-handle", "img.eldercare-picture"
WAIT = 180_000


def serve(command: str, folder, *words: str):
    """A command of the project that serves a page, on a free port; ends it with what it has started."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "eldercare", command, "--no-browser", f"--port={port}", *words]
    own = {
        "ELDERCARE_PROJECT": str(folder),
        "ELDERCARE_FIGURES": str(folder / "figures"),
        "ELDERCARE_CITIES": "lincang shengzhou",
        "HOME": str(folder),
    }
    with (folder / f"{command}.log").open("w") as log:
        server = subprocess.Popen(
            words, cwd=folder, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            env={**os.environ, **own},
        )  # fmt: skip
    try:
        yield f"http://127.0.0.1:{port}/", folder
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(30)


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the project, so that a saved scenario stays there."""
    folder = tmp_path_factory.mktemp("desk")
    for name in ("data", "notebooks", "figures"):
        subprocess.run(["cp", "-r", str(ROOT / name), str(folder)], check=True)
    return folder


@pytest.fixture(scope="module")
def address(copy):
    """Where the desk is served."""
    yield from serve("desk", copy)


def opened(browser, address: str, shows: str):
    """A page when it shows something, and the hosts that have answered it."""
    page, hosts = browser.new_page(viewport={"width": 1400, "height": 1000}), set()
    page.on("response", lambda response: hosts.add(urlparse(response.url).hostname))
    for _ in range(120):
        try:
            page.goto(address, timeout=WAIT)
            break
        except Error:
            time.sleep(0.5)
    page.wait_for_selector(shows, timeout=WAIT, state="attached")
    return page, hosts - {None}


@pytest.fixture(scope="module")
def opened_desk(address, browser):
    page, hosts = opened(browser, address[0], PICTURE)
    yield page, hosts
    page.close()


@pytest.fixture
def page(opened_desk):
    return opened_desk[0]


def test_the_desk_asks_no_other_host(opened_desk):
    assert opened_desk[1] == {"127.0.0.1"}


@pytest.mark.skipif(os.name != "posix", reason="ends what it has started as POSIX does")
def test_the_lab_opens_at_the_project_s_root_and_asks_nothing(copy, browser):
    for address, _ in serve("lab", copy, "--ServerApp.token=", "--allow-root"):
        page, hosts = opened(browser, address, ".jp-DirListing-item")
        page.wait_for_timeout(5_000)
        names = page.locator(".jp-DirListing-itemText").all_inner_texts()
        assert {"data", "notebooks", "figures"} <= set(names)
        assert hosts == {"127.0.0.1"} and page.get_by_text("news").count() == 0
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
