"""Speed and memory of the model, and how near its draws come to many more: `make bench` prints
them.

A plain script, not tests: most figures are the peak memory of a process, an answer on a screen or
    an
error of sampling, each taken in a process of its own, which a timer of functions inside one process
cannot give. Such a process imports only what it measures, as imports are a part of its memory.

python benchmarks/measure.py                 everything, which takes minutes
python benchmarks/measure.py kernel desk     only some of: kernel areas nation sensitivity desk screen chain precision
python benchmarks/measure.py --record 0.2.0 kernel areas     the same, and its ratios into docs/how_to/speed.csv

Seconds differ from machine to machine and from hour to hour. So each time is told as a multiple of that of a reference
loop as well, the plain projection in NumPy, run just before on the same machine, and beside the multiple last recorded in
docs/how_to/speed.csv: what grew there grew by our doing.
"""

from __future__ import annotations

import csv
import json
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from eldercare.inputs.draws import DEFAULT_DRAWS
from eldercare.inputs.load import Project, find_root, load_project

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
HISTORY = Path(__file__).parents[1] / "docs" / "how_to" / "speed.csv"
RUN: dict[str, float] = {}  # multiples of the reference loop in this run
SOME_AREAS = (500, 3000)
REPEATS = 3
FEW_DRAWS, MANY_DRAWS = 1024, 8192
KERNEL_YEARS = 30
START_OF_SERVER = 5  # seconds
PATIENCE = 180_000  # milliseconds until the desk has opened
PAUSE = 1_000  # milliseconds in which a planner looks at what has come
MOVES_ON_SCREEN = 60


def memory() -> float:
    """The most memory this process has held [MiB]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def fastest(action: Callable[[], object]) -> float:
    """Seconds of the fastest of some runs; the first compiles."""
    times = []
    for _ in range(REPEATS + 1):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


# Each of these is run in a process of its own (see `alone`).


def kernel(project: Project) -> dict[str, float]:
    """The projection alone: one area, 1,024 draws, 30 years, five-year ages kept; plain and
    compiled.

    Returns : seconds of the compiled version, its cell updates per second, and how many times
              faster it is than the plain one
    """
    from eldercare.model import cohort
    from eldercare.model.base import AGES
    from eldercare.model.population import BAND_OF_AGE

    generator = np.random.default_rng(1)
    ages = len(AGES)
    base = generator.uniform(1e3, 1e4, (FEW_DRAWS, 2, ages))
    ratios = np.sort(generator.uniform(0.9, 1, (KERNEL_YEARS, 2, 3, ages + 1)))
    level = np.zeros((KERNEL_YEARS, 2, FEW_DRAWS), dtype=int)
    weight = generator.uniform(0, 1, level.shape)
    growth = np.ones_like(base)
    fertility = np.full((KERNEL_YEARS, FEW_DRAWS), 1.2)
    shape = np.full((KERNEL_YEARS, ages), 1 / ages)
    male = np.full(KERNEL_YEARS, 0.52)
    by_age = fertility[..., None] * shape[:, None, :]

    def survival(year: int) -> np.ndarray:
        low, high = ratios[year, :, 0], ratios[year, :, 1]
        return low + weight[year].T[..., None] * (high - low)

    compiled = fastest(
        lambda: cohort.project_compiled(
            base, ratios, level, weight, growth, fertility, shape, male, BAND_OF_AGE
        )
    )
    plain = fastest(lambda: cohort.project(base, survival, by_age, male, growth))
    cells = FEW_DRAWS * KERNEL_YEARS * 2 * ages
    return {"seconds": compiled, "updates": cells / compiled, "ratio": plain / compiled}


def areas(project: Project) -> dict[str, float]:
    """Seconds and peak memory [MiB] of the population of all areas of the census."""
    from eldercare.inputs.draws import draw_assumptions
    from eldercare.model.areas import area_inputs, project_areas

    start = time.perf_counter()
    inputs = area_inputs(project.china)
    project_areas(inputs, project.china, draw_assumptions(project, draws=FEW_DRAWS))
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "mebibytes": memory(), "areas": inputs.sizes["area"]}


def sensitivity(project: Project) -> dict[str, float]:
    """Seconds, cities, assumptions and model runs of the indices of all cities, on two processes."""
    from eldercare.analysis.sensitivity import sensitivities

    start = time.perf_counter()
    found = sensitivities(project)
    seconds = time.perf_counter() - start
    tables = [one.table[one.table["kind"] == "assumption"] for one in found.values()]
    return {
        "seconds": seconds,
        "cities": len(found),
        "assumptions": len({name for table in tables for name in table["group"]}),
        "runs": sum(one.runs for one in found.values()),
    }


def desk(project: Project) -> dict[str, float]:
    """Seconds from a lever's move to its new picture, without a browser: all levers of all cities."""
    from eldercare.app.desk import DeskPicture, open_desks
    from eldercare.reporting.language import load_language

    words = load_language(project)
    seconds = []
    for one in open_desks(project).values():
        picture = DeskPicture(one.baseline, words)
        for part in (0.3, 0.7):
            for lever in one.levers:
                start = time.perf_counter()
                moved = one.move(lever.name, lever.first + part * (lever.last - lever.first))
                picture.png(moved, 2035)
                seconds.append(time.perf_counter() - start)
    return told_moves(seconds)


def screen(project: Project) -> dict[str, float] | None:
    """As a browser sees the desk, from a key on a lever to the new picture; None without Chromium."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        return None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    notebook = project.root / "notebooks" / "09_what_if.ipynb"
    command = [sys.executable, "-m", "voila", str(notebook), "--no-browser", f"--port={port}"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(START_OF_SERVER)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
            )
            page = browser.new_page(viewport={"width": 1400, "height": 1000})
            page.goto(f"http://127.0.0.1:{port}/", timeout=PATIENCE)
            page.wait_for_selector("img.eldercare-picture", timeout=PATIENCE)
            levers = page.locator(".eldercare-lever .noUi-handle")
            seconds = []
            for number in range(MOVES_ON_SCREEN):
                levers.nth(number % levers.count()).focus()
                seconds.append(page.evaluate(PRESS) / 1e3)
                page.wait_for_timeout(PAUSE)
            browser.close()
    finally:
        server.terminate()
    return told_moves(seconds)


def told_moves(seconds: list[float]) -> dict[str, float]:
    """How many moves there were, and the seconds within which half and 95 % of them were shown."""
    half, most = np.quantile(seconds, [0.5, 0.95])
    return {"moves": len(seconds), "half": half, "most": most}


def chain(project: Project, draws: str) -> dict[str, float]:
    """Seconds and peak memory [MiB] of the chain for all cities."""
    from eldercare.model import chain as steps

    start = time.perf_counter()
    for city_id in project.cities:
        result = steps.run_city(project, city_id, draws=int(draws))
        steps.summarise(result.values["beds_total_needed"])
    return {"seconds": time.perf_counter() - start, "mebibytes": memory()}


def precision(project: Project, city_id: str) -> list[dict[str, Any]]:
    """Low, central, high of each headline at the draws in use beside 131,072 (see
    `sampling_error`).
    """
    from eldercare.analysis.sensitivity import sampling_error

    return sampling_error(project, city_id).to_dict(orient="records")


def nation(project: Project) -> dict[str, float]:
    """The whole chain for all areas on two processes: seconds, the most memory of all processes together [MiB], how
    many areas, and the time an area takes over 3,000 of them over that over 500.
    """
    from eldercare.app.nation import blocks_of, run_areas

    sizes, reached = [len(block.codes) for block in blocks_of(project)], {}
    sizes = sorted(sizes, reverse=True)  # the order in which they are begun
    start = time.perf_counter()

    def tell(done: int, _all: int) -> None:
        if done == 0:
            reached[0] = time.perf_counter()
        for count in SOME_AREAS:
            if sum(sizes[:done]) >= count:
                reached.setdefault(count, (time.perf_counter() - reached[0]) / sum(sizes[:done]))

    with tempfile.TemporaryDirectory() as folder:
        run_areas(project, Path(folder), tell=tell)
    seconds = time.perf_counter() - start
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    few, many = (reached[count] for count in SOME_AREAS)
    return {
        "seconds": seconds,
        "mebibytes": memory() + 2 * largest,
        "areas": sum(sizes),
        "growth": many / few,
    }


def reference(project: Project) -> dict[str, float]:
    """Seconds of the loop that all else is measured by: one area, 1,024 draws, 30 years, in plain NumPy."""
    found = kernel(project)
    return {"seconds": found["seconds"] * found["ratio"]}


def alone(measure: Callable[..., Any], *arguments: str) -> Any:
    """What a measure above returns, in a process of its own."""
    command = [sys.executable, __file__, "--alone", measure.__name__, *arguments]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def last_recorded(measure: str) -> dict[str, str] | None:
    """The row of a measure that was recorded last; None if there is none."""
    with HISTORY.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["measure"] == measure]
    return rows[-1] if rows else None


def in_loops(measure: str, seconds: float) -> str:
    """A time as a multiple of the reference loop, beside the multiple last recorded."""
    if "loop" not in RUN:
        RUN["loop"] = alone(reference)["seconds"]
    ratio = RUN[measure] = seconds / RUN["loop"]
    before = last_recorded(measure)
    if before is None:
        return f"{ratio:.3g} reference loops (none recorded)"
    change = ratio / float(before["loops"]) - 1
    return f"{ratio:.3g} reference loops ({change:+.0%} on {before['version']})"


def record(version: str) -> None:
    """Add the multiples of this run to docs/how_to/speed.csv."""
    with HISTORY.open("a", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerows(
            [version, measure, f"{ratio:.3g}"]
            for measure, ratio in RUN.items()
            if measure != "loop"
        )


def tell_kernel() -> None:
    """Print the speed of the projection."""
    found = alone(kernel)
    print(
        f"projection, 1 area x {FEW_DRAWS} draws x {KERNEL_YEARS} years: "
        f"{found['seconds'] * 1e3:.1f} ms, {found['updates'] / 1e9:.2f} thousand million cell "
        f"updates a second, {found['ratio']:.1f} times the plain version; "
        f"{in_loops('kernel', found['seconds'])}"
    )


def tell_areas() -> None:
    """Print time and memory of all areas of the census."""
    found = alone(areas)
    print(
        f"population of all {found['areas']} areas, {FEW_DRAWS} draws: {found['seconds']:.0f} s, "
        f"{found['mebibytes']:.0f} MiB; {in_loops('areas', found['seconds'])}"
    )


def tell_nation() -> None:
    """Print time and memory of the whole chain for all areas of the census."""
    found = alone(nation)
    print(
        f"whole chain of all {found['areas']} areas, {FEW_DRAWS} draws: {found['seconds']:.0f} s, "
        f"{found['mebibytes']:.0f} MiB; an area of {SOME_AREAS[1]} takes {found['growth']:.2f} of one of "
        f"{SOME_AREAS[0]}; {in_loops('nation', found['seconds'])}"
    )


def tell_sensitivity() -> None:
    """Print the time of the sensitivity indices."""
    found = alone(sensitivity)
    print(
        f"sensitivity, {found['cities']} cities, {found['assumptions']} assumptions, "
        f"{found['runs']} model runs: {found['seconds']:.0f} s; "
        f"{in_loops('sensitivity', found['seconds'])}"
    )


def tell_desk(measure: Callable[..., Any] = desk, place: str = "in the kernel") -> None:
    """Print how soon the what-if desk answers."""
    found = alone(measure)
    if found is None:
        print(f"what-if desk {place}: not measured, there is no Chromium")
        return
    print(
        f"what-if desk {place}, {found['moves']} moves: half within {found['half'] * 1e3:.0f} ms, "
        f"95 % within {found['most'] * 1e3:.0f} ms"
    )


def tell_screen() -> None:
    """Print how soon the what-if desk answers on the screen."""
    tell_desk(screen, "on the screen")


def tell_chain() -> None:
    """Print time and memory of all cities, the best of some runs, with few draws and with many."""
    most = {}
    for draws in (FEW_DRAWS, MANY_DRAWS):
        runs = [alone(chain, str(draws)) for _ in range(REPEATS)]
        seconds, most[draws] = (min(one[key] for one in runs) for key in ("seconds", "mebibytes"))
        print(
            f"chain, all cities, {draws:5d} draws: {seconds:6.2f} s, {most[draws]:6.0f} MiB; "
            f"{in_loops(f'chain_{draws}', seconds)}"
        )
    ratio = most[MANY_DRAWS] / most[FEW_DRAWS]
    print(f"memory of {MANY_DRAWS} draws over {FEW_DRAWS}: {ratio:.2f}")


def tell_precision() -> None:
    """Print how far the draws in use are from many more."""
    for city_id in load_project(find_root()).cities:
        for row in alone(precision, city_id):
            unit = " points" if row["end"] == "chance" else " %"
            print(
                f"{DEFAULT_DRAWS} draws against 131072, {city_id}, {row['headline']}, {row['end']}: "
                f"{row['error'] * 100:+.2f}{unit}; ten other scramblings: "
                f"{row['spread'] * 100:.2f}{unit}, at most {row['largest'] * 100:.2f}{unit}"
            )


MEASURES = {
    one.__name__: one
    for one in (reference, kernel, areas, nation, sensitivity, desk, screen, chain, precision)
}
TOLD = {
    "kernel": tell_kernel,
    "areas": tell_areas,
    "nation": tell_nation,
    "sensitivity": tell_sensitivity,
    "desk": tell_desk,
    "screen": tell_screen,
    "chain": tell_chain,
    "precision": tell_precision,
}


def main(arguments: list[str]) -> int:
    """Print the figures that are asked for, or all; returns the exit code."""
    if arguments[:1] == ["--alone"]:
        found = MEASURES[arguments[1]](load_project(find_root()), *arguments[2:])
        print(json.dumps(found, default=float))
        return 0
    version = ""
    if arguments[:1] == ["--record"]:
        version, arguments = arguments[1], arguments[2:]
    unknown = [name for name in arguments if name not in TOLD]
    if unknown:
        print(
            f"nothing is measured as “{unknown[0]}”; there are: {', '.join(TOLD)}", file=sys.stderr
        )
        return 2
    for name in arguments or TOLD:
        TOLD[name]()
    if version:
        record(version)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
