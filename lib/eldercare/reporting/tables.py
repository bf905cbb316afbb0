"""Tidy frames as a reader meets them: wide tables of texts, lists of sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from IPython.display import Markdown

from eldercare.engine.quantity import upstream
from eldercare.inputs.load import NATION
from eldercare.model.chain import CityResult
from eldercare.reporting.blocks import Table
from eldercare.reporting.language import ENDS, Language, sentence_case, significant

DIGITS_OF_ROWS = 4
TURNS = ("turn", "turn_low", "turn_central", "turn_high")
WORDED = ["belief", "span", "short", "turned"]
DEFINITIONS_OF_NEED = ("care_need", "people_with_dementia", "childcare_places_used")


def wide(
    words: Language,
    table: pd.DataFrame,
    rows: str | Sequence[str] = "city_id",
    columns: str = "year",
    middle: str = "central",
    unit: str | None = None,
    phrase: str = "",
) -> pd.DataFrame:
    """A tidy frame with a row for each of some keys, a column for each of another: `middle (low to
    high)`.

    What all rows are of, their label and unit, stands in the corner.

    table  : columns low, high, the middle, unit and the keys, as `Results.summary` gives it;
             without low and high, or where they are the same, the middle stands alone
    middle : `central`, or `mean` where parts stand beside a total; a head of means says so
    unit   : told with each cell, as "bed"; without it the numbers stand alone
    phrase : what each cell says, filled from its row, where it is not a range
    """
    keys = [rows] if isinstance(rows, str) else list(rows)
    text = words.sentences(phrase, table) if phrase else _ranges(words, table, middle, unit)
    told = table.assign(text=text)
    for key in (*keys, columns):
        if key == "from_age" or not pd.api.types.is_numeric_dtype(told[key]):
            told[key] = [words.part(key, word) for word in told[key]]
    out = told.pivot_table("text", keys, columns, aggfunc="first", sort=False)
    out = out.reindex(told.drop_duplicates(keys).set_index(keys).index)  # as the rows come
    out = out.fillna(words.phrase("not_available"))
    heads = [words.phrase(f"head_{middle}", head=head) for head in out.columns]
    index = [words.part("column", key) for key in keys]
    corner = _corner(words, table)
    return out.set_axis(heads, axis=1).rename_axis(index).rename_axis(columns=corner or None)


def _corner(words: Language, table: pd.DataFrame) -> str:
    """Label and unit of a tidy frame in which all rows have the same; empty where they differ or
    have none.
    """
    told = [*table.get("label", pd.Series(dtype=str)).unique()]
    units = [f"unit_{unit}" for unit in table["unit"].unique() if unit != "share"]
    if len(told) == len(units) == 1 and units[0] in words.phrases:
        return words.phrase("row_name", name=told[0], unit=words.phrase(units[0]))
    return told[0] if len(told) == 1 else ""


def _ranges(words: Language, table: pd.DataFrame, middle: str, unit: str | None) -> list[str]:
    return [_cell(words, row, middle, unit) for row in table.to_dict("records")]


def _cell(words: Language, row: dict, middle: str, unit: str | None) -> str:
    unit = unit or ("share" if row["unit"] == "share" else "plain")
    if "low" not in row:
        return words.value_with_unit(row[middle], unit)
    if row["low"] == row["high"] and unit == "plain":
        return words.given(row[middle])
    return words.range({**row, "central": row[middle]}, unit)


def say(*sentences: str) -> Markdown:
    """Sentences as a list that a notebook renders; they are outputs, so the tests guard their
    figures.
    """
    return Markdown("\n".join(f"- {sentence}" for sentence in sentences))


def markdown(table: pd.DataFrame) -> Markdown:
    """A table of long texts as Markdown: nothing is cut, and it weighs half of what a data frame
    does.
    """
    rows = [list(table.columns), ["---"] * table.shape[1], *table.astype(str).to_numpy().tolist()]
    cells = [[str(cell).replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    return Markdown("\n".join(f"| {' | '.join(row)} |" for row in cells))


def listed(
    words: Language, table: pd.DataFrame, columns: Sequence[str], index: Sequence[str] = ()
) -> pd.DataFrame:
    """Some columns of a tidy frame, a row each, their cells told as in a sentence (see
    `Language.told`).

    columns : names of columns, or of what is made of several, as `range`;  index : those that head
              the rows
    """
    names = [*index, *columns]
    told = pd.DataFrame([words.told(row) for row in table.to_dict("records")], columns=names)
    heads = [words.part("column", name) for name in names]
    told = told.set_axis(heads, axis=1)
    return told.set_index(heads[: len(index)]) if index else told


def named(words: Language, table: pd.DataFrame, decimals: int | None = None) -> pd.DataFrame:
    """A frame of numbers with the labels of its rows and columns; their dims are the names of its
    axes.

    decimals : the numbers are shares and told in per cent with so many decimals; a cell without one
               stays empty
    """
    if decimals is not None:
        table = table.map(lambda share: "" if pd.isna(share) else words.percent(share, decimals))
    for axis in (0, 1):
        labels = table.axes[axis]
        told = [
            [words.part(name or "column", word) for word in labels.get_level_values(level)]
            for level, name in enumerate(labels.names)
        ]
        heads = [words.part("column", name) if name else None for name in labels.names]
        new = pd.MultiIndex.from_arrays(told) if len(told) > 1 else pd.Index(told[0])
        table = table.set_axis(new.set_names(heads), axis=axis)
    return table


def promises(words: Language, table: pd.DataFrame) -> pd.DataFrame:
    """Promises beside their need (`Results.targets`, `Results.verdicts`), with the gap and the
    definition of need in words.

    Returns : the table with columns gap and definition, of verdicts belief, span, short and turned
              as well, its low, central, high called need_low …
    """
    gaps, definitions = [], []
    for row in table.to_dict("records"):
        amount = words.counted(abs(row["plain_gap"]), row["plain_unit"])
        name = "gap_over" if row["plain_gap"] >= 0 else "gap_short"
        gaps.append(words.phrase(name, amount=amount))
        below = upstream(row["measured_by"])
        found = [one for one in DEFINITIONS_OF_NEED if one in below] or ["none"]
        definitions.append(words.join("names_join", [words.of("definition", one) for one in found]))
    table = table.assign(gap=gaps, definition=definitions)
    if "found" in table:
        table = _in_words(words, table)
    return table.rename(columns={end: f"need_{end}" for end in ENDS})


def _in_words(words: Language, table: pd.DataFrame) -> pd.DataFrame:
    """Verdicts (`compare.verdicts`) with belief, span and turned: under what it is enough, how far
    the chance spans, and what would turn it.

    One chance is told only where all definitions and variants agree, and none finer than tens near
    its ends: what rests on judgements is not known to a hundredth.
    """
    told = []
    for row in table.to_dict("records"):
        sides = {
            side: words.join("list_join", [way(words, one) for one in row[side]])
            for side in ("enough_under", "short_under")
        }
        mostly = row["found"] == "depends" and 2 * row["ways_enough"] > row["ways"]
        belief = words.phrase(
            "belief_mostly" if mostly else f"belief_{row['found']}", **{**row, **sides}
        )
        ends = {end: _tens(words, row[f"chance_{end}"]) for end in ("lowest", "highest")}
        if row["agreed"] or ends["lowest"] == ends["highest"]:
            span = words.phrase("chance_agreed", chance=_tens(words, row["chance"], fine=True))
        else:
            span = words.phrase("chance_spread", **ends)
        short = words.phrase("belief_short", **row)
        cells = {"belief": belief, "span": span, "short": short, "turned": _turned(words, row)}
        told.append(cells)
    return table.join(pd.DataFrame(told, index=table.index, columns=WORDED))


def way(words: Language, variant: str) -> str:
    """Label of a definition of care need, of habits carried on or of a scenario."""
    for family in ("definition", "measure", "scenario"):
        told = words.part(family, variant)
        if told not in (variant, variant.replace("_", " ")):
            return told
    return variant.replace("_", " ")


def _tens(words: Language, chance: float, fine: bool = False) -> str:
    """A chance in tens of per cent; `fine` in whole ones between its ends."""
    if chance < 0.1:
        return words.phrase("chance_under", percent=10)
    if chance > 0.9:
        return words.phrase("chance_over", percent=90)
    if fine:
        return words.percent(chance)
    return words.phrase("chance_about", percent=10 * round(10 * chance))


def _turned(words: Language, row: dict) -> str:
    if not row["assumption"]:
        return ""
    factor = words.told({"assumption": row["assumption"], "keys": row["keys"]})["factor"]
    unit = row["turn_unit"]
    ends = {name: words.value_with_unit(row[name], unit) for name in TURNS}
    return words.phrase("turn_inside" if row["inside"] else "turn_outside", factor=factor, **ends)


def marks(words: Language, chances: pd.DataFrame, targets: pd.DataFrame) -> pd.DataFrame:
    """A row of marks for each promise: ✓ enough, ✗ not, under each definition and each variant.

    chances : see `compare.chances_by_variant`;  targets : see `compare.compare_targets`
    """
    about = targets[["city_id", "target_id", "target_year", "label_en", "label_zh"]]
    rows = chances.merge(about, on=["city_id", "target_id"])
    names = words.sentences("promise_named", rows)
    ways = [way(words, one) for one in rows["variant"]]
    told = rows["enough"].map({True: words.phrase("mark_yes"), False: words.phrase("mark_no")})
    table = pd.DataFrame({"promise": names, "way": ways, "mark": told})
    order = table["promise"].unique(), table["way"].unique()
    wide_marks = table.pivot(index="promise", columns="way", values="mark").loc[order]
    return wide_marks.rename_axis(index=None, columns=None)


def together(words: Language, table: pd.DataFrame) -> list[str]:
    """One sentence of all verdicts: what is enough whatever is believed, what is not, how many
    depend on it; none without a promise.
    """
    if table.empty:
        return []
    named = {
        f"{found}_named": words.join(
            "list_join", words.sentences("promise_named", table[table["found"] == found])
        )
        or words.phrase("promises_no_one")
        for found in ("always", "never")
    }
    depends = int((table["found"] == "depends").sum())
    return [words.phrase("promises_together", count=len(table), depends=depends, **named)]


def plan_tables(words: Language, plan: pd.DataFrame) -> list[Table]:
    """The plan (`analysis.plan.plan_table`) as tables with a row a year, each column in one unit.

    A table of which nothing is collected here is left out.
    """
    out: list[Table] = []
    for name, rows in plan.groupby("table", sort=False):
        if rows["central"].isna().all():
            continue
        heads, columns = [words.part("column", "year")], [[str(one) for one in _years(rows)]]
        for column, cells in rows.groupby("column", sort=False):
            unit = cells["unit"].iloc[0]
            scale = words.column_scale(cells["central"], unit)
            heads.append(words.column_head(words.phrase(f"plan_{column}"), unit, scale[0]))
            told = [words.column_cell(row, unit, scale) for row in cells.to_dict("records")]
            columns.append(told)
        caption = words.phrase("plan_caption", number=len(out) + 1, of=words.of("plan_of", name))
        out.append(Table(caption, tuple(heads), tuple(zip(*columns))))
    return out


def county_rows(words: Language, table: pd.DataFrame, names: Mapping[int, str]) -> Table:
    """The counties of a prefecture (`plan.county_table`), those of most beds in the last year first.

    names : of the counties by code, and of the prefecture, which stands last
    """
    last = table["year"].max()
    ranked = table[(table["year"] == last) & (table["column"] == "bed_total")]
    ranked = ranked.sort_values("central", ascending=False, kind="stable").set_index("adcode")
    whole = ranked.index[ranked["central"].argmax()]
    codes = [code for code in ranked.index if code != whole] + [whole]
    heads, columns = [words.phrase("column_county")], [[names[code] for code in codes]]
    for (column, year), cells in table.groupby(["column", "year"], sort=False):
        unit, cells = cells["unit"].iloc[0], cells.set_index("adcode")
        scale = words.column_scale(cells["central"], unit)
        name = words.phrase("county_year", of=words.phrase(f"plan_{column}"), year=year)
        heads.append(words.column_head(name, unit, scale[0]))
        told = [words.column_cell(row, unit, scale) for row in cells.loc[codes].to_dict("records")]
        columns.append(told)
    shares = ranked.loc[codes, "central"] / ranked.at[whole, "central"]
    heads.append(words.phrase("county_share", year=last))
    columns.append([words.percent(share) for share in shares])
    return Table(words.phrase("caption_counties"), tuple(heads), tuple(zip(*columns)))


def policy_rows(words: Language, table: pd.DataFrame) -> Table:
    """Targets of nation and province beside an area (`compare.compare_policy`)."""
    rows = []
    for row in table.to_dict("records"):
        unit = row["unit"]
        name = sentence_case(words.text(row, "label"))
        if unit != "share":
            name = words.phrase("row_name", name=name, unit=words.of("unit", unit))
        level = "nation" if row["adcode"] == NATION else "province"
        cells = (
            words.of("set_by", level),
            str(row["target_year"]),
            words.value(row["promised"], unit),
            words.of("policy", row["status"]),
            words.range(row, "share" if unit == "share" else "plain"),
            words.value(row["use"], unit),
            words.chance(row["chance"]),
        )
        rows.append((name, *cells))
    heads = ("item", "set_by", "year", "promised", "policy", "need", "use", "chance")
    columns = tuple(words.phrase(f"column_{name}") for name in heads)
    return Table(words.phrase("caption_policy"), columns, tuple(rows))


def action_sentence(words: Language, row: Mapping) -> str:
    """What a rule recommends, with its amount (`recommendations.recommend`)."""
    factor = words.labels.get(row["factor"]) or words.part("assumption", row["factor"])
    alone = row["low"] == row["high"]
    told = (
        words.value_with_unit(row["central"], row["unit"])
        if alone
        else words.range(row, row["unit"])
    )
    return words.text(row, "text").format(amount=told, factor=factor, year=row["year"])


def action_rows(words: Language, table: pd.DataFrame) -> Table:
    """What to do, the most urgent first: what, by when, who, from which budget, why, how surely."""
    heads = ("action", "year", "body", "budget", "because_of", "held")
    rows = tuple(
        (
            action_sentence(words, row),
            str(row["year"]),
            *(words.text(row, name) for name in ("body", "budget", "condition")),
            words.chance(row["share"]),
        )
        for row in table.to_dict("records")
    )
    columns = tuple(words.phrase(f"column_{name}") for name in heads)
    return Table(words.phrase("caption_actions"), columns, rows)


def _years(rows: pd.DataFrame) -> list[int]:
    return list(dict.fromkeys(rows["year"]))


def show_whole() -> None:
    """Let notebooks show long cells and all rows of a table."""
    options = {"max_colwidth": 160, "max_rows": 400, "max_columns": 30, "width": 200}
    for name, value in options.items():
        pd.set_option(f"display.{name}", value)


def from_to(table: pd.DataFrame, keys: Sequence[str] = ("city_id",)) -> pd.DataFrame:
    """The rows of the last year of a tidy frame, with first_year and first_value of its first year
    beside.
    """
    groups = table.groupby(list(keys), sort=False)
    first, last = groups.first(), groups.last()
    return last.assign(first_year=first["year"], first_value=first["central"]).reset_index()


def numbered(table: pd.DataFrame, columns: Sequence[str], key: str = "city_id") -> pd.DataFrame:
    """One row a city: `columns` of its first row as part_1, of its second as part_2, and so on."""
    place = table.groupby(key).cumcount() + 1
    side = table.assign(place=place).pivot(index=key, columns="place", values=list(columns))
    side.columns = [f"{column}_{number}" for column, number in side.columns]
    rest = table.drop(columns=list(columns)).drop_duplicates(key).set_index(key)
    return rest.join(side.infer_objects()).reset_index()


def assumptions_used(words: Language, result: CityResult, *names: str) -> pd.DataFrame:
    """The rows of the assumptions that some step used for a city, with range, basis and source.

    names : of assumptions; all in force, if none is named
    """
    rows = result.assumptions.rows
    rows = rows[rows["assumption"].isin(names)] if names else rows
    told = [
        {
            "assumption": words.label(row["assumption"]),
            "keys": words.row_keys(row),
            **{end: words.given(significant(row[end], DIGITS_OF_ROWS)) for end in ENDS},
            "unit": words.of("unit", row["unit"]),
            "basis": words.of("basis", row["basis"]),
            "chosen": words.of("chosen", row["chosen_from"]),
            "source": row["source_id"],
        }
        for row in rows.to_dict("records")
    ]
    table = pd.DataFrame(told)
    return table.set_axis([words.part("column", name) for name in table], axis=1)
