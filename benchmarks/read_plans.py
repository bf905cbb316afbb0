"""Scores of `read-plan` on a folder of documents and gold rows: python benchmarks/read_plans.py
DOCUMENTS GOLD

DOCUMENTS : folder with documents (.txt, .html, .docx, .pdf), called by the city, as
            lincang_2022.txt
GOLD      : folder with ledgers read by hand, lincang.csv or lincang/targets.csv, columns as
            targets.csv

A drafted row finds a gold row when its figure stands within the gold row's phrase in the document.
Each is paired once, in the order of the document, pairs with the same value first.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import pandas as pd

from eldercare.documents import read_plan
from eldercare.documents.document_lines import document_lines
from eldercare.documents.numerals import compact
from eldercare.inputs import reading, schema
from eldercare.inputs.ledger import fold

PARTS = ["value", "unit", "bound", "year", "indicator"]
WORDED_UNITS = ("month", "times_per_year")


def gold_of(folder: Path, city: str) -> pd.DataFrame | None:
    """The ledger of a city, read by hand; None if there is none."""
    for path in (folder / f"{city}.csv", folder / city / "targets.csv"):
        if path.is_file():
            return pd.read_csv(path, keep_default_na=False, encoding="utf-8-sig")
    return None


def kind_of_row(row: pd.Series) -> str:
    """The kind of figure a gold row is: measured figures, and the weak kinds each by itself."""
    quote, unit, value = compact(row["quote_zh"]), row["unit"], float(row["value"] or "nan")
    if "run together" in row.get("suspect", ""):
        return "damaged date"
    if "lost after" in row.get("suspect", "") and "%" not in row["suspect"]:
        return "lost unit"
    if unit == "share" and value == 1 and "100" not in quote and "百分之百" not in quote:
        return "coverage in words"
    if unit == "grade" or unit == "year" and value < 150 and "岁" in quote:
        return "grades and ages"
    if unit == "year" and value > 1900:
        return "qualitative milestone"
    if unit in WORDED_UNITS:
        return {"month": "deadline in months", "times_per_year": "rhythm"}[unit]
    return "figure"


def places(rows: pd.DataFrame, text: str) -> list[tuple[int, int]]:
    """Where each row's phrase stands in the compact document, the next place after the row before
    if it can be.
    """
    found, at = [], 0
    for quote in rows["quote_zh"]:
        phrase = compact(quote)
        start = text.find(phrase, at)
        if start < 0:
            start = text.find(phrase)
        found.append((start, start + len(phrase)) if start >= 0 else (-1, -1))
        at = max(at, start)
    return found


def all_places(quote: str, text: str) -> list[tuple[int, int]]:
    """Every place of a phrase in the compact document."""
    phrase, found, at = compact(quote), [], text.find(compact(quote))
    while at >= 0:
        found.append((at, at + len(phrase)))
        at = text.find(phrase, at + 1)
    return found


def pair(gold: pd.DataFrame, draft: pd.DataFrame, text: str) -> dict[int, int]:
    """Gold row to drafted row: phrases that overlap at the same place, the best fitting first."""
    gold_at, draft_at = places(gold, text), places(draft, text)
    offers = []
    for g, (first, last) in enumerate(gold_at):
        for d, (start, end) in enumerate(draft_at):
            if first >= 0 and start >= 0 and min(last, end) > max(first, start):
                points = 0.0
                same_unit = gold["unit"].iat[g] == draft["unit"].iat[d]
                points += 4 * same(gold["value"].iat[g], draft["value"].iat[d]) + 2 * same_unit
                points += 0.5 * same(gold["value_high"].iat[g], draft["value_high"].iat[d])
                points += same(gold["target_year"].iat[g], draft["target_year"].iat[d])
                points += (min(last, end) - max(first, start)) / (
                    max(last, end) - min(first, start)
                )
                # A phrase that overlaps with another value and another unit is another figure.
                if points >= 2:
                    offers.append((-points, g, d))
    taken, pairs = set(), {}
    for _, g, d in sorted(offers):
        if g not in pairs and d not in taken:
            pairs[g] = d
            taken.add(d)
    return pairs


def same(one: object, other: object) -> bool:
    """Whether two cells say the same number; two empty ones do."""
    numbers = [math.nan if cell in ("", None) else float(str(cell)) for cell in (one, other)]
    if any(map(math.isnan, numbers)):
        return all(map(math.isnan, numbers))
    return math.isclose(*numbers, rel_tol=1e-6)


def compare(
    gold: pd.DataFrame, draft: pd.DataFrame, text: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Gold rows with what was found right of each, and the drafted rows that are no gold row."""
    pairs = pair(gold, draft, text)
    rows = []
    for g, row in gold.iterrows():
        found = pairs.get(g)
        about = {
            "target_id": row["target_id"],
            "kind": kind_of_row(row),
            "found": found is not None,
        }
        if found is not None:
            drafted = draft.iloc[found]
            about |= {
                "value": same(row["value"], drafted["value"]) and same(row["value_high"], drafted["value_high"]),
                "unit": row["unit"] == drafted["unit"],
                "bound": row["bound"] == drafted["bound"],
                "year": same(row["target_year"], drafted["target_year"]),
                "indicator": row["measured_by"] == drafted["measured_by"],
                "measured": row["measured_by"], "drafted_measured": drafted["measured_by"],
                "respectively": "分别" in row["quote_zh"] or "分别" in drafted["quote_zh"],
                "drafted": drafted["target_id"],
            }  # fmt: skip
        else:
            about |= {"measured": row["measured_by"], "drafted_measured": ""}
        rows.append(about)
    extra = draft.drop(index=[draft.index[d] for d in pairs.values()])
    return pd.DataFrame(rows), extra


def score(found: pd.DataFrame, extra: pd.DataFrame) -> dict[str, float]:
    """Recall, precision, and what is right of the rows found."""
    right = found[found["found"]]
    every = right[PARTS[:4]].astype(bool)
    got = found["measured"] != ""
    drafted = found["drafted_measured"] != ""
    agree = got & (found["measured"] == found["drafted_measured"])
    wrong = int((extra["measured_by"] != "").sum()) if len(extra) else 0
    return {
        "rows": len(found), "recall": len(right) / max(1, len(found)),
        "precision": len(right) / max(1, len(right) + len(extra)),
        **{part: right[part].astype(bool).mean() for part in PARTS},
        "all four": every.all(axis=1).mean(),
        "measured recall": agree.sum() / got.sum() if got.any() else math.nan,
        "measured precision": agree.sum() / (drafted.sum() + wrong)
        if drafted.any() or wrong
        else math.nan,
    }  # fmt: skip


def read_all(documents: Path, gold_folder: Path, only: list[str]) -> dict[str, tuple]:
    """What was found of each document that has a gold ledger, by city."""
    root = Path(__file__).resolve().parents[1]
    words = reading.read_table(root / "data" / "plan_words.csv", schema.PLAN_WORDS)
    results = {}
    for path in sorted(documents.iterdir()):
        city = path.stem.split("_")[0]
        gold = gold_of(gold_folder, city)
        if gold is None or only and city not in only:
            continue
        lines = document_lines(path)
        draft = read_plan.draft_targets(lines, city, f"{city}_plan", words)
        text = compact(fold(path.read_text("utf-8-sig"))) if path.suffix == ".txt" else ""
        text = text or "".join(compact(line.text) for line in lines)
        results[city] = (*compare(gold, draft, text), draft, gold)
    return results


def main() -> None:
    """Print the scores of each document, of all together, and of each kind of figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("documents", type=Path)
    parser.add_argument("gold", type=Path)
    parser.add_argument(
        "--city", action="append", default=[], help="only this one; may be repeated"
    )
    parser.add_argument(
        "--misses", action="store_true", help="list what is missed, wrong or too much"
    )
    asked = parser.parse_args()
    results = read_all(asked.documents, asked.gold, asked.city)
    if not results:
        parser.error(f"no document of {asked.documents} has a ledger in {asked.gold}")
    lines = {city: score(found, extra) for city, (found, extra, *_) in results.items()}
    found = pd.concat([one[0].assign(city=city) for city, one in results.items()])
    extra = pd.concat([one[1] for one in results.values()])
    lines["all"] = score(found, extra)
    print(pd.DataFrame(lines).T.round(3).to_string())
    print("\nBy kind of figure (recall, and what is right of those found):")
    groups = dict(list(found.groupby("kind")))
    groups["with 分别"] = found[found.get("respectively", False) == True]  # noqa: E712
    table = {kind: score(group, extra.iloc[:0]) for kind, group in groups.items() if len(group)}
    shown = ["rows", "recall", *PARTS[:4], "all four"]
    print(pd.DataFrame(table).T[shown].round(3).to_string())
    drafts = pd.concat([one[2] for one in results.values()])
    kept = drafts[~drafts["target_id"].isin(extra["target_id"])]
    precise = kept["confidence"].value_counts() / drafts["confidence"].value_counts()
    print("\nPrecision by confidence: " + ", ".join(f"{k} {v:.2f}" for k, v in precise.items()))
    if asked.misses:
        for city, one in results.items():
            print_misses(city, *one)


def print_misses(
    city: str, found: pd.DataFrame, extra: pd.DataFrame, draft: pd.DataFrame, gold: pd.DataFrame
) -> None:
    """Rows missed, rows wrong in a part, and rows too many."""
    print(f"\n== {city}")
    rows, drafted = gold.set_index("target_id"), draft.set_index("target_id")
    for one in found.to_dict("records"):
        g = rows.loc[one["target_id"]]
        if not one["found"]:
            print(
                f"MISSED {one['kind']}: {g['value']} {g['unit']} {g['bound']} {g['target_year']} “{g['quote_zh']}”"
            )
        elif not all(one[part] for part in PARTS[:4]):
            d = drafted.loc[one["drafted"]]
            wrong = [p for p in PARTS[:4] if not one[p]]
            print(
                f"WRONG {wrong}: {g['value']} {g['unit']} {g['bound']} {g['target_year']} “{g['quote_zh']}” | "
                f"{d['value']} {d['value_high']} {d['unit']} {d['bound']} {d['target_year']} “{d['quote_zh']}” {d['reason']}"
            )
    for one in found.to_dict("records"):
        if one["measured"] != one["drafted_measured"]:
            quote = rows.loc[one["target_id"]]["quote_zh"]
            print(f"MEASURED {one['measured']} | {one['drafted_measured']} “{quote}”")
    for _, d in extra.iterrows():
        print(
            f"EXTRA {d['confidence']}: {d['value']} {d['unit']} {d['target_year']} “{d['quote_zh']}” {d['reason']}"
        )


if __name__ == "__main__":
    main()
