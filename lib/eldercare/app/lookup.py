"""The page on which any area is looked up: a compact table of a run over all areas, packed into what a browser reads."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd

from eldercare.app import nation
from eldercare.files import write_whole
from eldercare.inputs.load import BASELINE, NATION, Project
from eldercare.model.area_names import latin_name
from eldercare.model.areas import parts_of
from eldercare.reporting.language import DIGITS, SIZES, THOUSANDS, load_language, significant

TABLE, RUN, PACKED = "areas.csv.gz", "areas_run.json", "areas_data.js"
YEARS = (2026, 2027, 2028, 2029, 2030, 2035, 2050)
SHOWN = (
    ("population_60_plus", ""),
    ("population_65_plus", ""),
    ("population_80_plus", ""),
    ("care_need[severity=moderate]", ""),
    ("care_need[severity=severe]", ""),
    ("beds_total_needed", "use"),
    ("beds_total_needed", "need"),
    ("caregivers_total_needed", "use"),
    ("caregivers_total_needed", "need"),
    ("cost_total", "use"),
    ("cost_total", "need"),
)
KEYS = ["area", "indicator", "variant", "caution"]
PREFIX = "lookup_"


def compact(rows: pd.DataFrame, told: pd.DataFrame) -> pd.DataFrame:
    """The rows of a run that the page shows: one an area and figure, low, central and high of a year in one cell.

    rows    : table as `nation.block_table` gives it;  told : as `nation.areas_told`
    Returns : table area, indicator, variant, caution, and a column a year, numbers of three significant digits
    """
    rows = rows.astype({"indicator": str, "variant": str})
    rows = rows[rows["year"].isin(YEARS)].set_index(["indicator", "variant"])
    rows = rows.loc[rows.index.isin(SHOWN)].reset_index()
    cells = [
        # never 1e+12: the page and the test read plain figures
        " ".join(np.format_float_positional(significant(value, DIGITS), trim="-") for value in ends)
        for ends in rows[["low", "central", "high"]].to_numpy(float)
    ]
    table = rows.assign(cell=cells).pivot(
        index=["area", "indicator", "variant"], columns="year", values="cell"
    )
    order = pd.MultiIndex.from_tuples(
        [(area, *one) for area in sorted(rows["area"].unique()) for one in SHOWN]
    )
    table = table.loc[order].rename_axis(index=KEYS[:3]).reset_index()
    cautions = told.set_index("area")["caution"].fillna("")
    table.insert(3, "caution", table["area"].map(cautions))
    return table.rename(columns=str)


def write_table(project: Project, folder: Path) -> list[Path]:
    """Write `docs/areas.csv.gz`, and which run it is of, from the folder of a finished run over all areas.

    Raises : ValueError if it holds another run, an unfinished one or none
    """
    held = nation.held(folder)
    wanted = nation.record(project, NATION, BASELINE, held.get("draws", 0))
    other = [name for name in wanted if held.get(name) != wanted[name]]
    if other or not (folder / nation.SUMS).is_file():
        raise ValueError(
            f"{folder} holds no finished run over all areas of the data as they are "
            f"({', '.join(other) or 'unfinished'}); make one with: python -m eldercare areas --output DIR"
        )
    shown = sorted({name for name, _ in SHOWN})
    filters = [("indicator", "in", shown), ("year", "in", YEARS)]
    rows = pd.read_parquet(folder, filters=filters)
    told = pd.read_csv(folder / nation.AREAS, keep_default_na=False)
    paths = [project.root / "docs" / name for name in (TABLE, RUN)]
    table = compact(rows, told).to_csv(index=False, lineterminator="\n").encode()
    contents = gzip.compress(table, 9, mtime=0), f"{json.dumps(held, indent=1)}\n".encode()
    for path, content in zip(paths, contents):
        write_whole(path, content)
    return paths


def packed(project: Project, table: pd.DataFrame) -> str:
    """A script that holds the table and the names of the areas, compressed: it is all the page reads."""
    above = {code: whole for whole, codes in parts_of(project.china).items() for code in codes}
    names = project.china.areas.xs(2020, level="year")
    first = table.drop_duplicates("area").set_index("area")["caution"]
    areas = [
        [
            code,
            "中国" if code == NATION else names.at[code, "name"],
            "China" if code == NATION else latin_name(project.china, code),
            "nation" if code == NATION else names.at[code, "level"],
            above.get(code, 0),
            caution.split(),
        ]
        for code, caution in first.items()
    ]
    lines = table.drop(columns=["indicator", "variant", "caution"]).astype(str)
    figures = "\n".join(lines.agg(",".join, axis=1))
    text = json.dumps({"areas": areas, "figures": figures}, ensure_ascii=False)
    content = base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()
    return f'window.areasPacked = "{content}";\n'


def words(project: Project, code: str, draws: int) -> dict:
    """All that the page says in a language, for its template and, as `script`, for its script."""
    language = load_language(project, code)
    phrases = {
        name.removeprefix(PREFIX): text
        for name, text in language.phrases.items()
        if name.startswith(PREFIX)
    }
    units = project.indicators.set_index("indicator")["unit"]
    rows = []
    for name, variant in SHOWN:
        indicator, _, part = name.partition("[")
        told = [language.label(indicator)]
        told += [language.of("severity", part[:-1].partition("=")[2])] if part else []
        told += [language.of("measure", variant)] if variant else []
        unit = language.of("unit", units[indicator])
        label = language.join("names_join", told)
        rows.append(language.phrase("lookup_row", label=label, unit=unit))
    prices = project.assumptions.set_index("assumption").at["results_price_year", "central"]
    phrases["from"] = language.phrase("lookup_from", price_year=f"{prices:.0f}", draws=draws)
    provinces = [NATION, *parts_of(project.china)[NATION]]
    script = {
        "language": code,
        "years": YEARS,
        "rows": rows,
        "sizes": SIZES[code],
        "thousands": THOUSANDS[code],
        "large": [language.phrases[name] for name in ("large_number", "very_large_number")],
        "range": language.phrases["range_plain"],
        "levels": {
            level: language.of("level", level) for level in ("county", "prefecture", "province")
        }
        | {"nation": phrases["nation"]},
        "cautions": {
            name.removeprefix("caution_"): text
            for name, text in language.phrases.items()
            if name.startswith("caution_")
        },
        "basis": {one: language.change_basis(project, one) for one in provinces},
        "words": phrases,
    }
    return {**phrases, "script": json.dumps(script, ensure_ascii=False).replace("</", "<\\/")}
