"""Which assumptions go together, and how closely: rows of correlations.csv as groups of correlated
streams.

A row with two partners ties one row of the assumptions to another. A row without a second partner
ties all rows of an assumption that have its keys: they are of one survey or one judgement, which is
too high or too low at once.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from eldercare.inputs.schema import ASSUMPTION_KEYS, Fault

ANY_CITY, NATION_ROW = "*", "nation"
FILE = "correlations.csv"
Named = list[tuple[str, dict]]


def stream_name(row) -> str:
    """The name that seeds a row's stream: assumption, city and keys, but not the year it begins.

    A row of a scenario has the stream of the row it takes the place of (column `stream_city`, where
    there is one).
    """
    city = row["stream_city"] if "stream_city" in row else row["city_id"]
    return "|".join([row["assumption"], city, *(row[key] for key in ASSUMPTION_KEYS)])


def parse_keys(text: str) -> dict[str, str]:
    """Keys of a partner, written as `age_band=65-74; severity=severe`.

    `city_id=*` stands for the row of a city's own, `city_id=nation` for the nation's row, in force
    or not; without `city_id` it is the row in force, whichever that is.

    Raises : ValueError for text that is no list of keys, or an unknown key
    """
    keys = {}
    for part in filter(None, (part.strip() for part in text.split(";"))):
        name, sign, value = (piece.strip() for piece in part.partition("="))
        if not sign or name not in (*ASSUMPTION_KEYS, "city_id"):
            raise ValueError(
                f"“{part}” is no key; write for example age_band=65-74; severity=severe"
            )
        keys[name] = value
    if keys.get("city_id", ANY_CITY) not in (ANY_CITY, NATION_ROW):
        raise ValueError(f"city_id must be {ANY_CITY} (each city's own row) or {NATION_ROW}")
    return keys


def find_partner(named: Named, assumption: str, keys: dict[str, str]) -> str | None:
    """Name of the stream of a partner among the rows in force; None if it is not among them."""
    wanted = {key: keys.get(key, "") for key in ASSUMPTION_KEYS}
    if keys.get("city_id") == NATION_ROW:
        return stream_name({"assumption": assumption, "city_id": "", **wanted})
    for name, row in named:
        same = row["assumption"] == assumption and all(
            row[key] == value for key, value in wanted.items()
        )
        if same and ("city_id" not in keys or row["city_id"] != ""):
            return name
    return None


def judgements(table: pd.DataFrame, named: Named) -> list[tuple[int, str, list[str], float]]:
    """Rows of one survey or judgement: the row of the table, the name of what they share, their
    streams, and the correlation of any two of them.

    Of rows in force from several layers those of each go together: a city's own figures come from
    elsewhere than the nation's.
    """
    out = []
    for index, row in table[table["assumption_b"] == ""].iterrows():
        keys = parse_keys(row["keys_a"])
        layers: dict[str, list[str]] = {}
        for name, one in named:
            if one["assumption"] == row["assumption_a"] and all(
                one[k] == v for k, v in keys.items()
            ):
                layers.setdefault(name.split("|")[1], []).append(name)
        for layer, names in sorted(layers.items()):
            shared = "|".join(["shared", row["assumption_a"], layer, row["keys_a"]])
            out.append((index, shared, sorted(set(names)), row["correlation"]))
    return out


def _pairs(table: pd.DataFrame, named: Named) -> list[tuple[int, str, str, float]]:
    """The rows of the table whose partners are both there, by the names of their streams."""
    out = []
    for index, row in table[table["assumption_b"] != ""].iterrows():
        one, other = (
            find_partner(named, row[f"assumption_{s}"], parse_keys(row[f"keys_{s}"])) for s in "ab"
        )
        if one is not None and other is not None and one != other:
            out.append((index, one, other, row["correlation"]))
    return out


def correlation_groups(table: pd.DataFrame, named: Named) -> list[tuple[list[str], np.ndarray]]:
    """Groups of streams that pairs tie together, each with its matrix of correlations; pairs not
    named have 0.

    named   : stream name and row of the assumptions in force
    Returns : names (the nation's before a city's, then by name) and matrix, one pair a group
    """
    pairs = _pairs(table, named)
    groups: list[set[str]] = []
    for _, one, other, _ in pairs:
        joined = {one, other}.union(*(group for group in groups if group & {one, other}))
        groups = [group for group in groups if not group & joined] + [joined]
    out = []
    for group in groups:
        names = sorted(group, key=lambda name: (name.split("|")[1] != "", name))
        matrix = np.eye(len(names))
        for _, one, other, value in pairs:
            if one in group:
                place = names.index(one), names.index(other)
                matrix[place] = matrix[place[::-1]] = value
        out.append((names, matrix))
    return out


def correlation_faults(
    table: pd.DataFrame, national: pd.DataFrame, of_cities: Iterable[pd.DataFrame]
) -> list[Fault]:
    """Unknown partners, pairs told twice, and matrices that no set of numbers can have.

    national, of_cities : rows of the assumptions of the nation, and of each city
    """
    rows = [(stream_name(row), row) for row in national.to_dict("records")]
    faults = _judgement_faults(table, rows)
    seen: dict[frozenset, int] = {}
    for index, row in table[table["assumption_b"] != ""].iterrows():
        partners = [_partner(rows, row, side, index, faults) for side in "ab"]
        if None in partners:
            continue
        pair = frozenset(partners)
        if len(pair) == 1:
            faults.append(Fault(FILE, index + 2, "keys_b", "a row cannot go together with itself"))
        elif pair in seen:
            faults.append(
                Fault(
                    FILE, index + 2, "assumption_b", f"the pair stands in row {seen[pair]} already"
                )
            )
        seen.setdefault(pair, index + 2)
    faults = faults or _tied_twice(table, rows)
    if faults:
        return faults
    layers = [rows] + [_overlaid(rows, city.to_dict("records")) for city in of_cities]
    found = {
        place: problem for layer in layers for place, problem in _impossible(table, layer).items()
    }
    return [
        Fault(FILE, index + 2, "correlation", problem) for index, problem in sorted(found.items())
    ]


def _judgement_faults(table: pd.DataFrame, rows: Named) -> list[Fault]:
    """Groups of no row or one, of rows that go apart, and rows tied twice."""
    faults: list[Fault] = []
    alone = table[table["assumption_b"] == ""]
    for index, row in alone.iterrows():
        before = len(faults)
        if not any(one["assumption"] == row["assumption_a"] for _, one in rows):
            problem = f"“{row['assumption_a']}” is no known assumption of assumptions.csv"
            faults.append(Fault(FILE, index + 2, "assumption_a", problem))
        try:
            if "city_id" in parse_keys(row["keys_a"]):
                problem = (
                    "rows of one judgement are tied in each layer by itself; leave city_id out"
                )
                faults.append(Fault(FILE, index + 2, "keys_a", problem))
        except ValueError as error:
            faults.append(Fault(FILE, index + 2, "keys_a", str(error)))
        if row["keys_b"]:
            problem = "keys without an assumption; name assumption_b, or leave both empty"
            faults.append(Fault(FILE, index + 2, "keys_b", problem))
        if row["correlation"] <= 0:
            problem = "rows of one judgement go together: must be above 0"
            faults.append(Fault(FILE, index + 2, "correlation", problem))
        found = [] if len(faults) > before else judgements(alone.loc[[index]], rows)
        if len(faults) == before and (not found or len(found[0][2]) < 2):
            problem = f"“{row['keys_a']}” names fewer than two rows of “{row['assumption_a']}”"
            faults.append(Fault(FILE, index + 2, "keys_a", problem))
    if faults:
        return faults
    told: dict[str, int] = {}
    for index, _, names, _ in judgements(table, rows):
        told.update({name: index + 2 for name in names if name not in told})
        if again := [told[name] for name in names if told[name] != index + 2]:
            problem = f"row {again[0]} ties some of these rows already; a row is of one judgement"
            faults.append(Fault(FILE, index + 2, "keys_a", problem))
    return faults


def _tied_twice(table: pd.DataFrame, rows: Named) -> list[Fault]:
    """Pairs of which a partner is of a judgement: what it takes from both is not told."""
    told = {name: index + 2 for index, _, names, _ in judgements(table, rows) for name in names}
    problem = "row {} ties a partner to its judgement already; a row is in a pair or of a judgement"
    return [
        Fault(FILE, index + 2, "assumption_a", problem.format(told.get(one) or told[other]))
        for index, one, other, _ in _pairs(table, rows)
        if one in told or other in told
    ]


def _partner(
    rows: Named, row: pd.Series, side: str, index: int, faults: list[Fault]
) -> tuple | None:
    assumption, text = row[f"assumption_{side}"], row[f"keys_{side}"]
    if not any(one["assumption"] == assumption for _, one in rows):
        problem = f"“{assumption}” is no known assumption of assumptions.csv"
        faults.append(Fault(FILE, index + 2, f"assumption_{side}", problem))
        return None
    try:
        keys = parse_keys(text)
    except ValueError as error:
        faults.append(Fault(FILE, index + 2, f"keys_{side}", str(error)))
        return None
    whose = keys.pop("city_id", "")
    name = find_partner(rows, assumption, keys)
    if name is None:
        problem = f"“{text}” is no row of “{assumption}” in assumptions.csv"
        faults.append(Fault(FILE, index + 2, f"keys_{side}", problem))
        return None
    return name, whose


def _overlaid(rows: Named, own: list[dict]) -> Named:
    """The rows in force for a city: its own in the place of the nation's."""
    key = [(row["assumption"], *(row[key] for key in ASSUMPTION_KEYS)) for row in own]
    kept = [
        (n, r) for n, r in rows if (r["assumption"], *(r[k] for k in ASSUMPTION_KEYS)) not in key
    ]
    return kept + [(stream_name(row), row) for row in own]


def _impossible(table: pd.DataFrame, named: Named) -> dict[int, str]:
    """The last row of each group whose matrix is not positive definite, with what is wrong."""
    out = {}
    pairs = _pairs(table, named)
    for names, matrix in correlation_groups(table, named):
        if np.linalg.eigvalsh(matrix).min() < 1e-10:
            rows = sorted(index for index, one, *_ in pairs if one in names)
            shown = ", ".join(str(index + 2) for index in rows)
            out[rows[-1]] = (
                f"the correlations of rows {shown} cannot hold together: not positive definite"
            )
    return out
