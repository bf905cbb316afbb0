"""Speed and memory of the chain, each measured in a process of its own."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from eldercare.inputs.draws import DEFAULT_DRAWS
from eldercare.inputs.load import load_project
from eldercare.model.base import AGES
from eldercare.model.cohort import project, project_compiled
from eldercare.model.population import BAND_OF_AGE

CHAIN = """
import json, resource, sys, time
from pathlib import Path
from eldercare import chain, load
project = load.load_project(Path(sys.argv[1]))
start = time.perf_counter()
for result in chain.iterate(project, draws=int(sys.argv[2])):
    chain.summarise(result.values["beds_total_needed"])
seconds = time.perf_counter() - start
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": seconds, "mebibytes": memory}))
"""
ALL_AREAS = """
import json, resource, sys, time
from pathlib import Path
from eldercare import areas, draws, load
project = load.load_project(Path(sys.argv[1]))
start = time.perf_counter()
inputs = areas.area_inputs(project.china)
summary = areas.project_areas(inputs, project.china, draws.draw_assumptions(project, draws=int(sys.argv[2])))
areas.write_summary(summary, project.china, Path(sys.argv[3]))
seconds = time.perf_counter() - start
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": seconds, "mebibytes": memory, "areas": inputs.sizes["area"]}))
"""
SENSITIVITY = """
import json, sys, time
from pathlib import Path
from eldercare import load, sensitivity
if __name__ == "__main__":
    project = load.load_project(Path(sys.argv[1]))
    start = time.perf_counter()
    found = sensitivity.sensitivities(project)
    seconds = time.perf_counter() - start
    groups = {name for one in found.values() for name in one.table.loc[one.table["kind"] == "assumption", "group"]}
    runs = sum(one.runs for one in found.values())
    print(json.dumps({"seconds": seconds, "cities": len(found), "assumptions": len(groups), "runs": runs}))
"""
PRECISION = """
import sys
from pathlib import Path
from eldercare import load, sensitivity
project = load.load_project(Path(sys.argv[1]))
print(sensitivity.sampling_error(project, sys.argv[2]).to_json(orient="records"))
"""
DESK = """
import json, sys, time
from pathlib import Path
import numpy as np
from eldercare import charts, charts_what_if, desk, load
charts.set_style()
project = load.load_project(Path(sys.argv[1]))
desks = desk.open_desks(project)
seconds = []
for one in desks.values():
    picture = charts_what_if.DeskPicture(one.baseline)
    for part in (0.3, 0.7):
        for lever in one.levers:
            start = time.perf_counter()
            picture.png(one.move(lever.name, lever.first + part * (lever.last - lever.first)), 2035)
            seconds.append(time.perf_counter() - start)
print(json.dumps({"moves": len(seconds), "half": np.quantile(seconds, 0.5), "most": np.quantile(seconds, 0.95)}))
"""
PRESS = """() => new Promise(done => {
    const picture = document.querySelector("img.eldercare-picture"), start = performance.now();
    const seen = new MutationObserver(() => {
        seen.disconnect();
        picture.decode().then(() => requestAnimationFrame(() => done(performance.now() - start)));
    });
    seen.observe(picture, {attributes: true, attributeFilter: ["src"]});
    const key = {key: "ArrowRight", keyCode: 39, which: 39, bubbles: true};
    document.activeElement.dispatchEvent(new KeyboardEvent("keydown", key));
})"""
REPEATS = 3
START_OF_SERVER = 5
PAUSE = 1_000  # milliseconds in which a planner looks at what has come
KERNEL_DRAWS, KERNEL_YEARS = 1024, 30


def measure_chain(root: Path, draws: int) -> dict[str, float]:
    """Seconds and peak memory [MiB] of the chain for all cities, the best of some runs."""
    runs = []
    for _ in range(REPEATS):
        command = [sys.executable, "-c", CHAIN, str(root), str(draws)]
        runs.append(
            json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        )
    return {key: min(run[key] for run in runs) for key in runs[0]}


def measure_areas(root: Path, draws: int) -> dict[str, float]:
    """Seconds and peak memory [MiB] of a run over all areas of the census, Parquet included."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-c",
            ALL_AREAS,
            str(root),
            str(draws),
            str(Path(folder) / "areas.parquet"),
        ]
        return json.loads(
            subprocess.run(command, capture_output=True, text=True, check=True).stdout
        )


def measure_kernel() -> dict[str, float]:
    """The projection alone: one area, 1,024 draws, 30 years, five-year ages kept; plain and compiled.

    Returns : seconds of the compiled version, its cell updates per second, and how many times
              faster it is than the plain one
    """
    generator = np.random.default_rng(1)
    ages = len(AGES)
    base = generator.uniform(1e3, 1e4, (KERNEL_DRAWS, 2, ages))
    ratios = np.sort(generator.uniform(0.9, 1, (KERNEL_YEARS, 2, 3, ages + 1)))
    level = np.zeros((KERNEL_YEARS, 2, KERNEL_DRAWS), dtype=int)
    weight = generator.uniform(0, 1, level.shape)
    growth = np.ones_like(base)
    fertility = np.full((KERNEL_YEARS, KERNEL_DRAWS), 1.2)
    shape = np.full((KERNEL_YEARS, ages), 1 / ages)
    male = np.full(KERNEL_YEARS, 0.52)
    by_age = fertility[..., None] * shape[:, None, :]

    def survival(year: int) -> np.ndarray:
        low, high = ratios[year, :, 0], ratios[year, :, 1]
        return low + weight[year].T[..., None] * (high - low)

    compiled = _fastest(
        lambda: project_compiled(
            base, ratios, level, weight, growth, fertility, shape, male, BAND_OF_AGE
        )
    )
    plain = _fastest(lambda: project(base, survival, by_age, male, growth))
    cells = KERNEL_DRAWS * KERNEL_YEARS * 2 * ages
    return {"seconds": compiled, "updates": cells / compiled, "ratio": plain / compiled}


def measure_sensitivity(root: Path) -> dict[str, float]:
    """Seconds, cities, assumptions and model runs of the indices of all cities, on two processes."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "sensitivity.py"
        script.write_text(SENSITIVITY, encoding="utf-8")
        command = [sys.executable, str(script), str(root)]
        return json.loads(
            subprocess.run(command, capture_output=True, text=True, check=True).stdout
        )


def measure_precision(root: Path, city_id: str) -> list[dict]:
    """Low, central, high of each headline at the draws in use beside 131,072 (see `sensitivity.sampling_error`)."""
    command = [sys.executable, "-c", PRECISION, str(root), city_id]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def measure_desk(root: Path) -> dict[str, float]:
    """Seconds from a lever's move to its new picture, without a browser: half and 95 % of all levers of all cities."""
    command = [sys.executable, "-c", DESK, str(root)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def measure_desk_on_screen(root: Path, moves: int = 60) -> dict[str, float] | None:
    """As a browser sees it, from a key on a lever to the new picture on the screen; None without Chromium."""
    from playwright.sync_api import (
        sync_playwright,
    )  # a package of the tests, which no other command needs

    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        return None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    notebook = root / "notebooks" / "09_what_if.ipynb"
    command = [sys.executable, "-m", "voila", str(notebook), "--no-browser", f"--port={port}"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(START_OF_SERVER)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
            )
            page = browser.new_page(viewport={"width": 1400, "height": 1000})
            page.goto(f"http://127.0.0.1:{port}/", timeout=180_000)
            page.wait_for_selector("img.eldercare-picture", timeout=180_000)
            levers = page.locator(".eldercare-lever .noUi-handle")
            seconds = []
            for number in range(moves):
                levers.nth(number % levers.count()).focus()
                seconds.append(page.evaluate(PRESS) / 1e3)
                page.wait_for_timeout(PAUSE)
            browser.close()
    finally:
        server.terminate()
    return {"moves": moves, "half": np.quantile(seconds, 0.5), "most": np.quantile(seconds, 0.95)}


def _fastest(action) -> float:
    times = []
    for _ in range(REPEATS + 1):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


def run_bench(root: Path) -> None:
    """Print the figures of the benchmark."""
    kernel = measure_kernel()
    print(
        f"projection, 1 area x {KERNEL_DRAWS} draws x {KERNEL_YEARS} years: {kernel['seconds'] * 1e3:.1f} ms, "
        f"{kernel['updates'] / 1e9:.2f} thousand million cell updates a second, {kernel['ratio']:.1f} times the plain version"
    )
    everything = measure_areas(root, 1024)
    print(
        f"all {everything['areas']} areas, 1024 draws: {everything['seconds']:.0f} s, {everything['mebibytes']:.0f} MiB"
    )
    found = measure_sensitivity(root)
    print(
        f"sensitivity, {found['cities']} cities, {found['assumptions']} assumptions, "
        f"{found['runs']} model runs: {found['seconds']:.0f} s"
    )
    for words, seen in (
        ("in the kernel", measure_desk(root)),
        ("on the screen", measure_desk_on_screen(root)),
    ):
        if seen is not None:
            print(
                f"what-if desk {words}, {seen['moves']} moves: half within {seen['half'] * 1e3:.0f} ms, "
                f"95 % within {seen['most'] * 1e3:.0f} ms"
            )
    small, large = (measure_chain(root, draws) for draws in (1024, 8192))
    for draws, figures in ((1024, small), (8192, large)):
        print(
            f"chain, all cities, {draws:5d} draws: {figures['seconds']:6.2f} s, {figures['mebibytes']:6.0f} MiB"
        )
    print(f"memory of 8192 draws over 1024: {large['mebibytes'] / small['mebibytes']:.2f}")
    for city_id in load_project(root).cities:
        for row in measure_precision(root, city_id):
            unit = " points" if row["end"] == "chance" else " %"
            print(
                f"{DEFAULT_DRAWS} draws against 131072, {city_id}, {row['headline']}, {row['end']}: {row['error'] * 100:+.2f}{unit}; "
                f"ten other scramblings: {row['spread'] * 100:.2f}{unit}, at most {row['largest'] * 100:.2f}{unit}"
            )
