"""A boundary that moved is no migration: whose change an area is projected with, and what that leads to."""

from types import SimpleNamespace

import numpy as np
import pytest

from eldercare.inputs.draws import draw_assumptions
from eldercare.inputs.load import NATION
from eldercare.model import areas, boundaries
from eldercare.model.base import base_population, province_of
from eldercare.model.counts import NO_COUNTS

MERGED_OR_MOVED = {
    "大足区": 500111,
    "铜陵市": 340700,
    "合肥市": 340100,
    "六安市": 341500,
    "济南市": 370100,
    "平房区": 230108,
    "香坊区": 230110,
    "襄阳市": 420600,
    "雨山区": 340504,
}
LARGEST, SMALLEST = 2.5, 0.3


@pytest.fixture(scope="module")
def comparison(china):
    return boundaries.compare_censuses(china)


@pytest.fixture(scope="module")
def growth(project, china):
    """People of all areas in 2050 over those of 2020, and the same of the change until 2035 at 60 and over."""
    assumptions = draw_assumptions(project, draws=2, source=lambda name, draws: np.full(draws, 0.5))
    # At the middle of every assumption there is no range for counts to learn from.
    found = areas.project_areas(areas.area_inputs(china), china, assumptions, until=NO_COUNTS).sel(
        statistic="mean", drop=True
    )
    first = found.sel(year=2020, drop=True)
    return SimpleNamespace(
        whole=(found.sel(year=2050) / first).sel(quantity="population_total"),
        older=(found.sel(year=2035) / first).sel(quantity="population_60_plus"),
        people=found,
    )


def names(china, year):
    return china.areas.xs(year, level="year")["name"]


@pytest.mark.parametrize("name", MERGED_OR_MOVED)
def test_an_area_whose_boundary_moved_has_not_its_own_change_by_code(china, comparison, name):
    code = MERGED_OR_MOVED[name]
    assert names(china, 2020)[code] == name
    assert comparison.bases.loc[code, "basis"] != "own"
    assert comparison.bases.loc[code, "reason"]


def test_an_own_change_needs_one_name_one_code_and_one_boundary(china, comparison):
    own = comparison.bases[comparison.bases["basis"] == "own"].drop(NATION).index
    assert (names(china, 2010).reindex(own) == names(china, 2020).reindex(own)).all()
    matched = china.matched_boundary.set_index("adcode")
    for code in own[(own % 100 == 0) & (own % 10000 != 0)]:
        for year in (2010, 2020):
            assert matched.at[code, f"population_{year}"] == pytest.approx(
                base_population(china, code, year).sum(), rel=2e-3
            )
    for code in own[own % 100 != 0]:
        above = code // 100 * 100
        assert (
            above not in comparison.bases.index
            or comparison.bases.at[above, "reason"] != "its boundary moved"
        )


def test_a_county_never_changes_by_more_than_double_or_half_beside_its_prefecture(
    comparison, china
):
    people = {
        int(code): counts.sum()
        for code, counts in zip(comparison.start["area"].values, comparison.start.values)
    }
    for code, row in comparison.bases.iterrows():
        above = code // 100 * 100 if code // 100 * 100 in people else province_of(code)
        if code % 100 and row["basis"] == "own":
            ends = [base_population(china, one, 2020).sum() for one in (code, above)]
            assert (
                abs(np.log(ends[0] / people[code]) - np.log(ends[1] / people[above]))
                <= np.log(2) + 1e-9
            )


def test_a_matched_prefecture_grows_as_the_table_of_one_boundary_says(china, comparison):
    matched = china.matched_boundary.set_index("adcode")
    codes = comparison.bases.index[comparison.bases["basis"] == "matched"]
    assert len(codes) > 30
    for code in codes:
        found = base_population(china, code, 2020).sum() / float(
            comparison.start.sel(area=code).sum()
        )
        assert found == pytest.approx(
            matched.at[code, "population_2020"] / matched.at[code, "population_2010"], rel=0.02
        )


def test_another_area_s_change_is_its_own_or_that_of_one_above(comparison):
    rows = comparison.bases
    assert set(rows["basis"]) <= set(boundaries.BASES)
    for code, row in rows.iterrows():
        assert rows.at[row["change_of"], "change_of"] == row["change_of"]
        assert row["change_of"] in (code, code // 100 * 100, province_of(code))
        assert (row["reason"] == "") == (row["basis"] == "own")


def test_no_area_grows_or_shrinks_beyond_reason(growth):
    assert float(growth.whole.max()) <= LARGEST
    assert float(growth.whole.min()) >= SMALLEST


@pytest.mark.parametrize("code", [500111, 500117, 340700, 340100, 341500, 370100, 230108, 230110])
def test_older_people_of_a_moved_area_grow_about_as_their_province_s(growth, code):
    assert float(growth.older.sel(area=code)) == pytest.approx(
        float(growth.older.sel(area=province_of(code))), rel=0.25
    )


def test_all_areas_add_up_to_the_one_above_in_the_mean(china, growth):
    inputs = areas.area_inputs(china)
    parents = inputs["parent"].values
    for whole in np.unique(parents[parents != NATION]):
        parts = growth.people.sel(area=inputs["area"].values[parents == whole]).sum("area")
        assert np.allclose(parts, growth.people.sel(area=whole), rtol=1e-9)
