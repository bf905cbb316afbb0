"""Numbers as a reader meets them: rounded tables and sentences that are computed, never typed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from IPython.display import Markdown

from eldercare.analysis.compare import compare_head_counts, compare_targets, is_usable
from eldercare.engine.quantity import upstream
from eldercare.inputs.load import City, Project
from eldercare.inputs.schema import ASSUMPTION_KEYS
from eldercare.model.chain import BASE_YEAR, QUANTILES, CityResult, stock_of_beds, summarise_parts

NOT_AVAILABLE = "not available"
UNIT_WORDS = {
    "bed": "beds",
    "place": "places",
    "worker": "care workers",
    "person": "people",
    "household": "homes",
    "yuan": "yuan",
}


def significant(value: float, digits: int = 3) -> float:
    """A number rounded to some significant digits; 0 and NaN stay as they are."""
    if not np.isfinite(value) or value == 0:
        return value
    return float(f"{value:.{digits - 1}e}")


def text_number(value: float, digits: int = 3) -> str:
    """A number as text: three significant digits, thousands set apart; `not available` for NaN."""
    if not np.isfinite(value):
        return NOT_AVAILABLE
    rounded = significant(value, digits)
    if abs(rounded) >= 10 ** (digits - 1) or rounded == int(rounded):
        return f"{int(round(rounded)):,}"
    decimals = max(0, digits - 1 - int(np.floor(np.log10(abs(rounded)))))
    return f"{rounded:,.{decimals}f}"


def text_money(yuan: float) -> str:
    """Yuan as text, in millions."""
    return NOT_AVAILABLE if not np.isfinite(yuan) else f"{text_number(yuan / 1e6)} million yuan"


def text_percent(share: float) -> str:
    """A share as text in per cent."""
    return NOT_AVAILABLE if not np.isfinite(share) else f"{share * 100:.0f} %"


def text_chance(share: float) -> str:
    """A chance in per cent; at the ends `under 1 %` and `over 99 %`, since draws cannot tell more."""
    if share < 0.01:
        return "under 1 %"
    return "over 99 %" if share > 0.99 else f"{share * 100:.0f} %"


def sentence_case(label: str) -> str:
    """A label with a capital first letter and the rest as it stands."""
    return label[:1].upper() + label[1:]


def range_text(low: float, central: float, high: float, form=text_number) -> str:
    """`central (low to high)`"""
    if not np.isfinite(central):
        return NOT_AVAILABLE
    return f"{form(central)} ({form(low)} to {form(high)})"


def range_table(
    results: dict[str, CityResult], indicator: str, years, form=text_number, **where
) -> pd.DataFrame:
    """One row a city, one column a year, each cell `central (low to high)`."""
    rows = {}
    for result in results.values():
        table = result.table(indicator, **where).set_index("year")
        rows[result.city.name_en] = {
            year: range_text(*table.loc[year, ["low", "central", "high"]], form=form)
            if year in table.index
            else NOT_AVAILABLE
            for year in years
        }
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(years))


def part_table(
    result: CityResult, indicator: str, dim: str, years, form=text_number, **where
) -> pd.DataFrame:
    """One row for each part (severity, bed type, payer …) of a city's result and their total, one column a year.

    Each cell is `mean (low to high)`: means add up to the mean of the total, middles do not.
    """
    array = result.values[indicator].sel(where)
    return mean_table(
        array.sel(year=[year for year in years if year in array["year"].values]), dim, form
    )


def mean_table(array: xr.DataArray, dim: str, form=text_number) -> pd.DataFrame:
    """One row for each part along a dim and their total, one column a year, each cell `mean (low to high)`."""
    table = summarise_parts(array, dim)
    wide = {
        part: {
            mean_head(row.year): range_text(row.low, row.mean, row.high, form=form)
            for row in rows.itertuples()
        }
        for part, rows in table.groupby(dim, sort=False)
    }
    return pd.DataFrame.from_dict(wide, orient="index")


def mean_head(year: int) -> str:
    """Head of a column of a year whose cells are means."""
    return f"{int(year)}, mean"


def mean_text(values: np.ndarray, form=text_number) -> str:
    """`mean (low to high)` of draws, for parts that stand beside their total."""
    values = np.asarray(values, dtype=float)
    low, high = np.quantile(values, [QUANTILES["low"], QUANTILES["high"]])
    return range_text(low, values.mean(), high, form)


DEFINITIONS_OF_NEED = {
    "care_need": "limitation in daily living (ADL 失能)",
    "people_with_dementia": "dementia (失智)",
    "childcare_places_used": "children under 3 at the enrolment seen",
}


def definition_of_need(name: str) -> str:
    """By which definition of need a quantity counts, in words; empty where nobody's need enters it."""
    below = upstream(name)
    return " and ".join(
        words for quantity, words in DEFINITIONS_OF_NEED.items() if quantity in below
    )


def promise_table(project: Project, results: dict[str, CityResult]) -> pd.DataFrame:
    """Each measured promise beside its need, in words a planner uses; empty if no city promised anything."""
    rows = []
    for result in results.values():
        for row in compare_targets(project, result).to_dict("records"):
            form = text_percent if row["unit"] == "share" else text_number
            rows.append(
                {
                    "city": result.city.name_en,
                    "promise": sentence_case(row["label_en"]),
                    "year": row["target_year"],
                    "promised": form(row["promised"]),
                    "needed": range_text(row["low"], row["central"], row["high"], form),
                    "today's use": form(row["use"]),
                    "chance it is enough": text_chance(row["chance"]),
                    "need counted by": definition_of_need(row["measured_by"])
                    or "nobody's need enters",
                    "that is": plain_gap_text(row),
                }
            )
    columns = [
        "city",
        "promise",
        "year",
        "promised",
        "needed",
        "today's use",
        "chance it is enough",
        "need counted by",
        "that is",
    ]
    return pd.DataFrame(rows, columns=columns)


def plain_gap_text(row: dict) -> str:
    """The gap between promise and need in beds, people, homes or yuan."""
    words = UNIT_WORDS.get(row["plain_unit"], row["plain_unit"])
    form = text_money if row["plain_unit"] == "yuan" else text_number
    amount = form(abs(row["plain_gap"]))
    words = "" if row["plain_unit"] == "yuan" else f" {words}"
    return f"{amount}{words} {'more than needed' if row['plain_gap'] >= 0 else 'too few'}"


def promise_sentences(project: Project, result: CityResult) -> list[str]:
    """One sentence for each measured promise of a city."""
    table = compare_targets(project, result)
    if table.empty:
        return [f"{result.city.name_en} has promised nothing that this model measures."]
    out = []
    for row in table.to_dict("records"):
        form = text_percent if row["unit"] == "share" else text_number
        out.append(
            f"{result.city.name_en} promised for {row['target_year']}: {sentence_case(row['label_en'])}, {form(row['promised'])}. "
            f"Needed: {range_text(row['low'], row['central'], row['high'], form)}; "
            f"the chance that the promise is enough is {text_chance(row['chance'])} ({plain_gap_text(row)})"
            + _counted_by(row["measured_by"])
        )
    return out


def _counted_by(indicator: str) -> str:
    words = definition_of_need(indicator)
    return f"; need is counted by {words}." if words else "."


def stock_text(result: CityResult) -> str:
    """What is known to stand: beds of all kinds and the year they were counted."""
    stock = stock_of_beds(result.city)
    if stock is None:
        return NOT_AVAILABLE
    return f"{text_number(stock['value'], 5)} ({int(stock['year'])})"


ANSWERS = {
    "people 60+": ("population_60_plus", {}, text_number),
    "people 80+": ("population_80_plus", {}, text_number),
    "with severe limitation": ("care_need", {"severity": "severe"}, text_number),
    "beds needed": ("beds_total_needed", {"measure": "need"}, text_number),
    "beds at today's use": ("beds_total_needed", {"measure": "use"}, text_number),
    "care workers needed": ("caregivers_total_needed", {"measure": "need"}, text_number),
    "million yuan a year": (
        "cost_total",
        {"measure": "need"},
        lambda yuan: text_number(yuan / 1e6),
    ),
}


def answer_table(results: dict[str, CityResult], years=(2025, 2035, 2050)) -> pd.DataFrame:
    """The answer for all cities on one page: people, care need, beds, care workers, money in some years."""
    rows = []
    for result in results.values():
        for label, (indicator, where, form) in ANSWERS.items():
            table = result.table(indicator, **where).set_index("year")
            cells = {
                y: range_text(*table.loc[y, ["low", "central", "high"]], form=form) for y in years
            }
            rows.append({"city": result.city.name_en, "quantity": label, **cells})
        rows.append(
            {
                "city": result.city.name_en,
                "quantity": "existing beds",
                **dict.fromkeys(years, stock_text(result)),
            }
        )
    return pd.DataFrame(rows).set_index(["city", "quantity"])


def growth_sentence(result: CityResult, indicator: str, words: str, year: int, **where) -> str:
    """`Lincang: people of 60 and over grow from … in 2020 to … in 2035.`"""
    table = result.table(indicator, **where).set_index("year")
    start, end = table.loc[BASE_YEAR], table.loc[year]
    return (
        f"{result.city.name_en}: {words} go from {text_number(start['central'])} in {BASE_YEAR} "
        f"to {range_text(end['low'], end['central'], end['high'])} in {year}."
    )


def head_count_sentences(result: CityResult) -> list[str]:
    """Why the document's head count and the census both stand, for each count the document gives."""
    out = []
    for row in compare_head_counts(result).to_dict("records"):
        out.append(
            f"{result.city.name_en}: the document says “{row['quote_zh']}”, that is {row['document']:,.0f}; "
            f"the census of 1 November 2020 counted {row['census_2020']:,.0f} residents "
            f"({row['difference'] * 100:+.1f} % against it). " + _head_count_reason(row)
        )
    return out


def _head_count_reason(row: dict) -> str:
    if abs(row["difference"]) < 0.005:
        return (
            "The two agree to the document's rounding, so the document counts residents (常住人口) as the census does. "
            "Both stand: the document's figure as printed, the census as the start of the projection, because only "
            "the census has it by age and sex."
        )
    return (
        "They differ by more than rounding: the document does not say whom it counts. "
        "The projection starts from the census, which has ages; the document's figure is kept as printed."
    )


def row_keys(row: dict, city: str = "") -> str:
    """What a row of the assumptions holds for: city, keys and the year from which it does."""
    year = f"from {row['year_from']:.0f}" if np.isfinite(row["year_from"]) else ""
    return " ".join(filter(None, [city, *(row[key] for key in ASSUMPTION_KEYS), year]))


def rows_used(result: CityResult, *names: str) -> pd.DataFrame:
    """The rows of the assumptions that some step used for a city, with range, basis and source."""
    rows = result.assumptions.rows
    rows = rows[rows["assumption"].isin(names)]
    keys = [row_keys(row) for row in rows.to_dict("records")]
    columns = ["assumption", "low", "central", "high", "unit", "basis", "chosen_from", "source_id"]
    table = rows[columns].copy()
    table.insert(1, "for", keys)
    for column in ("low", "central", "high"):
        table[column] = [significant(value, 4) for value in table[column]]
    return table.reset_index(drop=True)


def say(*sentences: str) -> Markdown:
    """Sentences as a list that a notebook renders; they are outputs, so the tests guard their figures."""
    return Markdown("\n".join(f"- {sentence}" for sentence in sentences))


def markdown_table(table: pd.DataFrame) -> Markdown:
    """A table of long texts as Markdown: nothing is cut, and it weighs half of what a data frame does."""
    rows = [list(table.columns), ["---"] * table.shape[1], *table.astype(str).to_numpy().tolist()]
    cells = [[str(cell).replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    return Markdown("\n".join(f"| {' | '.join(row)} |" for row in cells))


def show_tables_whole() -> None:
    """Let notebooks show long cells and all rows of a table."""
    pd.set_option(
        "display.max_colwidth",
        160,
        "display.max_rows",
        400,
        "display.max_columns",
        30,
        "display.width",
        200,
    )


def ledger_table(
    result: CityResult,
    columns=("target_year", "label_en", "value", "unit", "bound", "quote_zh", "locator"),
) -> pd.DataFrame:
    """The measured promises of a city as its document prints them."""
    table = result.city.targets
    out = table[table["follow_up"] == "measured"].set_index("target_id")[list(columns)].copy()
    out["value"] = [f"{value:g}" for value in out["value"]]
    out["target_year"] = [
        NOT_AVAILABLE if np.isnan(year) else str(int(year)) for year in out["target_year"]
    ]
    return out


def whole_ledger(city: City) -> pd.DataFrame:
    """Every figure of a city's document in its order: value, year, what can be done with it, phrase and place.

    A damaged figure is marked ✗; where the row's reading confirms the printed value, the mark is (✗).
    """
    table = city.targets
    high = [f" to {value:.10g}" if np.isfinite(value) else "" for value in table["value_high"]]
    marks = [
        "" if row["suspect"] == "" else " (✗)" if is_usable(row) else " ✗"
        for _, row in table.iterrows()
    ]
    out = pd.DataFrame(
        {
            "what": table["label_en"],
            "value": [
                f"{value:.10g}{end}{mark}" for value, end, mark in zip(table["value"], high, marks)
            ],
            "unit": table["unit"].str.replace("_", " "),
            "year": [
                f"{year:.0f}" if np.isfinite(year) else ""
                for year in table["target_year"].fillna(table["base_year"])
            ],
            "follow-up": [
                f"{row.follow_up}: {(row.measured_by or row.follow_up_reason).replace('_', ' ')}"
                for row in table.itertuples()
            ],
            "says again": table["restates"].str.removeprefix(f"{city.city_id}_"),
            "phrase": table["quote_zh"],
            "place": table["locator"],
        }
    )
    out.insert(0, "row", table["target_id"].str.removeprefix(f"{city.city_id}_"))
    return out


def damaged_figures(project: Project) -> pd.DataFrame:
    """The figures whose text lost characters: as printed, what is damaged, and which reading is used, if any."""
    parts = [city.targets[city.targets["suspect"] != ""] for city in project.cities.values()]
    table = pd.concat(parts) if parts else pd.DataFrame()
    if table.empty:
        return pd.DataFrame(columns=["row", "printed", "damage", "reading", "enters calculations"])
    return pd.DataFrame(
        {
            "row": table["target_id"],
            "printed": table["quote_zh"],
            "damage": table["suspect"],
            "reading": table["reading"].where(table["reading"] != "", "none"),
            "enters calculations": [
                "yes" if is_usable(row) else "no" for _, row in table.iterrows()
            ],
        }
    )


def ledger_counts(project: Project) -> pd.DataFrame:
    """How many figures each document holds, by what can be done with them."""
    rows = {}
    for city in project.cities.values():
        table = city.targets
        counts = table["follow_up"].value_counts()
        rows[city.name_en] = {
            "figures": len(table),
            "measured": counts.get("measured", 0),
            "tracked": counts.get("tracked", 0),
            "stated only": counts.get("stated", 0),
            "damaged": int((table["suspect"] != "").sum()),
            "said again": int((table["restates"] != "").sum()),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def influence_sentences(
    results: dict[str, CityResult], tables: dict[str, pd.DataFrame], words: str, form=text_number
) -> list[str]:
    """For each city the assumption that moves a result most, and by how much."""
    out = []
    for result in results.values():
        top = tables[result.city.city_id].iloc[0]
        out.append(
            f"{result.city.name_en}: {words} move most with {top['assumption'].replace('_', ' ')}: "
            f"{form(abs(top['effect']))} {'more' if top['effect'] >= 0 else 'less'} between its lowest and its highest fifth "
            f"({text_percent(top['share_of_spread'])} of the spread)."
        )
    return out


def text_millions(yuan: float) -> str:
    """Yuan as a number of millions, for tables whose heading names the unit."""
    return text_number(yuan / 1e6)


def price_year_sentence(results: dict[str, CityResult]) -> str:
    """In whose year's prices the money is told."""
    years = {result.price_year for result in results.values()}
    return f"All money is in prices of {' or '.join(map(str, sorted(years)))}; pay grows faster than prices."


def basis_sentences(project: Project) -> list[str]:
    """How many rows rest on what, guesses first."""
    counts = project.assumptions["basis"].value_counts()
    total = int(counts.sum())
    city_rows = sum(len(city.assumptions) for city in project.cities.values())
    guesses = int(counts.get("guess", 0))
    return [
        f"**{guesses} of {total} national rows are guesses** of this project ({text_percent(guesses / total)}).",
        f"{int(counts.get('measured', 0) + counts.get('published', 0))} rows have a measured or published figure behind them.",
        f"The cities add {city_rows} rows of their own.",
    ]


def rows_of_basis(project: Project, basis: str) -> pd.DataFrame:
    """The national rows that rest on one basis, with their reasons."""
    return _national(project, project.assumptions["basis"] == basis, ["note"])


def all_rows(project: Project) -> pd.DataFrame:
    """All national rows with range, basis, source and place in it."""
    return _national(project, slice(None), ["basis", "source_id", "locator"])


def _national(project: Project, which, more: list[str]) -> pd.DataFrame:
    rows = project.assumptions.loc[which]
    keys = [row_keys(row) for row in rows.to_dict("records")]
    table = rows[["assumption", "low", "central", "high", "unit", *more]].copy()
    table.insert(1, "for", keys)
    return table.reset_index(drop=True)


def setting_table(results: dict[str, CityResult], year: int, measure: str) -> pd.DataFrame:
    """People of 60 and over by place of care in a year, a row a city."""
    rows = {
        result.city.name_en: part_table(
            result, "people_by_setting", "setting", [year], measure=measure
        )[mean_head(year)]
        for result in results.values()
    }
    return pd.DataFrame(rows).T
