"""Speed and memory of the chain, each measured in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

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
REPEATS = 3


def measure_chain(root: Path, draws: int) -> dict[str, float]:
    """Seconds and peak memory [MiB] of the chain for all cities, the best of some runs."""
    runs = []
    for _ in range(REPEATS):
        command = [sys.executable, "-c", CHAIN, str(root), str(draws)]
        runs.append(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
    return {key: min(run[key] for run in runs) for key in runs[0]}


def run_bench(root: Path) -> None:
    """Print the figures of the benchmark."""
    small, large = (measure_chain(root, draws) for draws in (1024, 8192))
    for draws, figures in ((1024, small), (8192, large)):
        print(f"chain, all cities, {draws:5d} draws: {figures['seconds']:6.2f} s, {figures['mebibytes']:6.0f} MiB")
    print(f"memory of 8192 draws over 1024: {large['mebibytes'] / small['mebibytes']:.2f}")
