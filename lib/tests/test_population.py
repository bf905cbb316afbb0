"""The population: nobody is made or lost, and the censuses are met."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from eldercare.inputs.draws import draw_assumptions
from eldercare.inputs.load import NATION
from eldercare.inputs.schema import AGE_GROUP_START
from eldercare.model import area as area_step
from eldercare.model import areas, base, cohort, population
from eldercare.model.counts import NO_COUNTS

LINCANG = 530900
STARTS = np.array([*AGE_GROUP_START[:-1], 85, 90, 95, 100])
COUNTS = st.integers(0, 10**7)


@pytest.fixture(scope="module")
def lincang(china):
    return area_step.describe_area(china, LINCANG)


@pytest.fixture(scope="module")
def ahead(project, china, lincang):
    assumptions = draw_assumptions(project, project.city("lincang"), draws=64)
    return population.project_area(china, lincang, assumptions)


@settings(max_examples=60, deadline=None)
@given(
    arrays(int, (2, len(STARTS)), elements=COUNTS),
    arrays(int, (2, 101), elements=st.integers(1, 10**7)),
)
def test_single_ages_keep_the_total_of_every_group(groups, pattern):
    single = base.single_ages(groups, STARTS, pattern)
    found = np.add.reduceat(single, STARTS, axis=1)
    assert np.allclose(found, groups, rtol=1e-9, atol=1e-9 * max(groups.sum(), 1))
    assert single.min() >= -1e-9 * max(groups.sum(), 1)


def test_single_ages_give_the_pattern_back_where_it_fits():
    pattern = np.random.default_rng(1).uniform(1, 9, (2, 101))
    groups = np.add.reduceat(pattern, STARTS, axis=1)
    assert base.single_ages(3 * groups, STARTS, pattern) == pytest.approx(3 * pattern)


@settings(max_examples=60, deadline=None)
@given(arrays(int, (2, 101), elements=COUNTS), st.floats(0, 1))
def test_a_later_date_conserves_the_people(counts, fraction):
    moved = base.shift_reference_date(counts, fraction)
    assert np.allclose(moved.sum(axis=1), counts.sum(axis=1), rtol=1e-9, atol=1e-6)
    assert moved.min() >= -1e-6 * max(counts.max(), 1)


def test_a_date_no_later_changes_nothing(lincang):
    assert base.shift_reference_date(lincang.base, 0.0) == pytest.approx(lincang.base)


def carried(base, years, survival=1.0, fertility=0.0, growth=1.0):
    paths = cohort.project(
        base,
        lambda index: np.full((base.shape[0], 2, 102), survival),
        np.full((years, base.shape[0], 101), fertility),
        np.full(years, 0.52),
        np.full(base.shape, growth),
    )
    return np.moveaxis(paths, 0, 1)


def test_without_deaths_births_and_moves_nobody_comes_or_goes(lincang):
    paths = carried(lincang.base[None], 40)
    assert paths.sum(axis=(2, 3)) == pytest.approx(lincang.base.sum())
    assert paths[0, 30, :, 60:].sum() == pytest.approx(lincang.base[:, 30:].sum())


def test_without_births_nobody_is_younger_than_the_years_passed(lincang):
    paths = carried(lincang.base[None], 30, survival=0.99)
    for passed in range(31):
        assert paths[0, passed, :, :passed].sum() == 0
        assert paths[0, passed, :, passed:].min() > 0


def test_births_are_divided_into_boys_and_girls(lincang):
    newborn = carried(lincang.base[None], 1, fertility=0.05)[0, 1, :, 0]
    assert newborn[0] / newborn.sum() == pytest.approx(0.52)


def test_lincang_has_the_older_people_of_the_census(lincang):
    assert lincang.base[:, 60:].sum() == pytest.approx(338_086)


def test_the_year_end_of_2020_is_close_to_the_census(lincang, ahead):
    first = population.people_in(ahead, 0).sel(year=2020)
    assert np.median(first.values) == pytest.approx(lincang.base.sum(), rel=0.005)
    assert np.ptp(first.values) > 0


def two_months_on(counts, area, rates, year, change):
    """Counts of 1 November at the end of the year, but for births."""
    survival = rates.grid.survival(
        year - 2010, (rates.life_expectancy[year - 2010] + area.life_expectancy_gap)[:, None]
    )[0]
    fraction = population.CENSUS_TO_YEAR_END
    return (
        base.shift_reference_date(counts, fraction) * survival[:, 1:] ** fraction * change**fraction
    )


@pytest.mark.parametrize(("year", "start"), [(2010, "earlier"), (2020, "base")])
def test_history_meets_both_censuses_with_two_months_of_deaths(china, lincang, year, start):
    rates = area_step.rates_of(china)
    closed = area_step.survivors_without_migration(
        rates, lincang.earlier, lincang.life_expectancy_gap
    )
    change = (lincang.base / closed) ** 0.1
    ahead = np.minimum(np.arange(101) + 2020 - year, 100)
    found = population.history(china, lincang, [year]).values[0]
    wanted = two_months_on(getattr(lincang, start), lincang, rates, year, change[:, ahead])
    assert found[:, 1:] == pytest.approx(wanted[:, 1:])


def growth_of_oldest(china, area, assumptions):
    """Growth of 80+ in a year, from 2018 to 2019, to 2020 and to 2021; from 2020 on the mean of the projection."""
    before = population.people_in(population.history(china, area, [2018, 2019]), 80).values
    after = (
        population.people_in(population.project_area(china, area, assumptions, 2021), 80)
        .mean("draw")
        .values
    )
    people = np.array([*before, *after])
    return people[1:] / people[:-1] - 1


@pytest.mark.parametrize("adcode", [NATION, 350400, 411400, 520381, 530900, 330683])
def test_the_oldest_grow_into_2020_as_in_the_years_beside_it(project, china, adcode):
    # Counts since say that the census itself was off; what it joins on to is the projection without them.
    area = areas.settled_area(project, adcode, draws=64, until=NO_COUNTS)
    before, into, after = growth_of_oldest(china, area, draw_assumptions(project, draws=64))
    assert min(before, after) - 0.001 <= into <= max(before, after) + 0.001  # single cohorts differ


def test_the_nation_comes_within_half_a_per_cent_of_the_counts_since_the_census_that_it_does_not_know(
    project, china
):
    rows = china.counts[china.counts["adcode"] == NATION]
    assert len(rows) >= 4
    found = areas.counted_beside(china, draw_assumptions(project, draws=256), rows)
    for one in found:
        assert one.drawn.mean() == pytest.approx(one.row["value"], rel=0.005)
        assert np.median(one.drawn) == pytest.approx(one.row["value"], rel=0.005)


def test_life_expectancy_is_the_published_one_as_far_as_it_goes(china):
    rates = area_step.rates_of(china)
    male = rates.male_births
    both = rates.life_expectancy[:, 0] * male + rates.life_expectancy[:, 1] * (1 - male)
    table = china.life_expectancy
    rows = table[
        (table["adcode"] == NATION)
        & (table["sex"] == "both")
        & (table["kind"] == "official")
        & (table["year"] >= 2020)
    ]
    assert len(rows) >= 4
    for row in rows.itertuples():
        assert both[row.year - 2010] == pytest.approx(row.life_expectancy, abs=1e-9)
        assert rates.published_gap[row.year - 2010] == 0
    assert rates.published_gap[int(rows["year"].max()) + 1 - 2010] > 0


@pytest.mark.parametrize("year", [2005, 2009])
def test_a_year_before_the_census_of_2010_is_refused_not_guessed(china, lincang, year):
    with pytest.raises((ValueError, KeyError)):
        population.history(china, lincang, [year])


def test_people_of_60_and_over_move_without_a_break_between_history_and_projection(
    china, lincang, ahead
):
    before = population.people_in(population.history(china, lincang, [2018, 2019]), 60).values
    after = population.people_in(ahead.sel(year=[2020, 2021]), 60).median("draw").values
    assert np.diff([*before, *after]) / before[0] == pytest.approx(0.02, abs=0.03)


def test_single_ages_add_up_to_the_printed_total_of_the_census(china):
    printed = china.areas["population"].xs(2020, level="year").dropna()
    codes = np.intersect1d(printed.index, china.census["area"].values)
    drawn = np.random.default_rng(20).choice(codes, 50, replace=False)
    found = [base.base_population(china, int(code), 2020).sum() for code in drawn]
    assert found == pytest.approx(printed.loc[drawn].to_numpy(), rel=1e-9)


def test_the_nation_keeps_its_cohorts_sharp(china):
    by_age = base.base_population(china, NATION, 2020).sum(axis=0)
    born_1962_63, born_1959_61 = by_age[57:59].mean(), by_age[59:62].mean()
    assert born_1962_63 > 1.3 * born_1959_61


def test_the_nation_is_the_sum_of_its_provinces(china):
    assert base.base_population(china, NATION, 2020).sum() == pytest.approx(1_409_778_724)


def test_the_nation_neither_gains_nor_loses_by_moves(china):
    nation = area_step.describe_area(china, NATION)
    assert np.abs(nation.change_facts).max() == 0
    assert nation.life_expectancy_gap == 0


def test_an_unknown_area_is_refused(china):
    with pytest.raises(KeyError, match="999999 is no area of the census of 2020"):
        area_step.describe_area(china, 999999)


def test_no_projected_number_is_negative_or_missing(ahead):
    assert np.isfinite(ahead.values).all()
    assert (ahead.values >= 0).all()


def test_what_sets_an_area_apart_holds_for_ten_years_and_then_fades(project, lincang):
    drawn = draw_assumptions(project, draws=16)
    growth, phase = population.growth_in_phases(lincang, drawn, 30)
    assert list(np.bincount(phase)) == [10, 5, 5, 5, 5]
    assert growth[0] == pytest.approx(np.exp(population.change_rate(lincang, drawn)))
    apart = np.abs(np.log(growth / population.national_growth(lincang, drawn))).max(axis=(1, 2, 3))
    assert (np.diff(apart) < 0).all()
    left = drawn["migration_persistence"].values.max() ** 1.75
    assert apart[-1] <= 1.001 * left * apart[0]


def test_phases_of_growth_are_taken_year_by_year(lincang):
    """The compiled loop with two phases beside two runs of one, end to end."""
    base, ratios = lincang.base[None], np.full((6, 2, 2, 102), 0.97)
    none, male = np.zeros((6, 1)), np.full(6, 0.5)
    level, weight = np.zeros((6, 2, 1), int), np.zeros((6, 2, 1))
    growth = np.stack([np.full(base.shape, 1.02), np.full(base.shape, 0.99)])

    def run(start, years, grown, phase=None):
        return cohort.project_compiled(
            start, ratios[:years], level[:years], weight[:years], grown, none[:years],
            np.zeros((years, 101)), male[:years], phase=phase,
        )  # fmt: skip

    whole = run(base, 6, growth, np.array([0, 0, 0, 0, 1, 1]))
    first = run(base, 4, growth[0])
    assert whole[:, :5] == pytest.approx(first)
    assert whole[:, 4:] == pytest.approx(run(first[:, -1], 2, growth[1]))
