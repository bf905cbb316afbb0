"""The engine: the UN's inputs give the UN's outputs, of China and other countries; bad input is named."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eldercare.model import cohort
from eldercare.model.base import SEXES
from eldercare.model.lifetable import SurvivalGrid
from eldercare.validation import wpp

LIMITS = {0: 0.0015, 60: 0.002, 65: 0.002, 80: 0.005}
PERIODS = range(2015, 2050, 5)


@pytest.fixture(scope="module")
def published(china):
    return china.wpp2019_population, china.wpp2019_death_rate, china.wpp2019_input


def test_the_uns_inputs_give_the_uns_outputs(published):
    found = wpp.compare_published(wpp.project_published(*published, 2020, 2050), published[0])
    assert list(found.index) == [2025, 2030, 2035, 2040, 2045, 2050]
    assert (found.abs().max() <= pd.Series(LIMITS)).all()


def test_yearly_steps_differ_from_the_un_by_what_it_takes_a_class_to_be_spread_like(published):
    yearly, spread = (
        wpp.compare_published(
            wpp.project_published_yearly(*published, 2020, 2050, stationary), published[0]
        ).abs()
        for stationary in (False, True)
    )
    assert (spread.max() <= pd.Series(LIMITS)).all()
    assert (spread[[60, 65, 80]] < yearly[[60, 65, 80]]).all(axis=None)
    assert yearly.max(axis=None) < 0.01


def stable_country(fertility=2.6, ratio=1.05):
    """Inputs in the layout of the UN of a population that has always had the same rates, and its growth in five years."""
    ages = wpp.RATE_STARTS
    mx = np.stack(
        [
            0.0004 * np.exp(0.085 * ages) + 0.01 * (ages == 0),
            0.0003 * np.exp(0.085 * ages) + 0.008 * (ages == 0),
        ]
    )
    mx = np.minimum(mx, 1.9)
    survive = wpp.five_year_ratios(mx, ages)
    shares = np.zeros(21)
    shares[3:9] = [5, 20, 30, 25, 15, 5]
    births = fertility * shares / 100
    matrix = np.zeros((42, 42))
    for sex in range(2):
        at = 21 * sex
        matrix[np.arange(at + 1, at + 21), np.arange(at, at + 20)] = survive[sex, 1:21]
        matrix[at + 20, at + 20] += survive[sex, 21]
    women = np.zeros((42, 42))
    women[21:, 21:] = np.eye(21)
    born = np.concatenate([np.zeros(21), births]) @ (women + matrix) / 2
    matrix[0] += born * ratio / (1 + ratio) * survive[0, 0]
    matrix[21] += born / (1 + ratio) * survive[1, 0]
    values, vectors = np.linalg.eig(matrix)
    first = np.argmax(values.real)
    growth, people = values[first].real, np.abs(vectors[:, first].real).reshape(2, 21) * 1e6
    width = np.array([*[5] * 20, 1])
    single = np.repeat(people / width, width, axis=1)
    index = pd.MultiIndex.from_product([SEXES, range(101)], names=["sex", "age"])
    population = pd.concat(
        [
            pd.DataFrame({"count": single.ravel() * scale}, index=index)
            .reset_index()
            .assign(year=year)
            for year, scale in ((2015, 1 / growth), (2020, 1.0))
        ]
    )[["year", "sex", "age", "count"]]
    rates = pd.DataFrame(
        [
            {
                "sex": sex,
                "period_from": period,
                "period_to": period + 5,
                "age_from": age,
                "mx": rate,
            }
            for sex, row in zip(SEXES, mx)
            for period in PERIODS
            for age, rate in zip(ages, row)
        ]
    )
    rows = [
        ("total_fertility_rate", None, fertility),
        ("sex_ratio_at_birth", None, ratio),
        ("net_migration_thousand_per_5_years", None, 0.0),
    ]
    rows += [("percent_of_tfr", age, share) for age, share in zip(range(15, 45, 5), shares[3:9])]
    inputs = pd.DataFrame(
        [
            {
                "indicator": name,
                "period_from": period,
                "period_to": period + 5,
                "age_from": age,
                "value": value,
            }
            for period in PERIODS
            for name, age, value in rows
        ]
    )
    return population, rates, inputs, growth


@pytest.fixture(scope="module")
def country():
    return stable_country()


def test_another_countrys_inputs_work_a_stable_population_keeps_its_growth_and_its_ages(country):
    population, rates, inputs, growth = country
    found = wpp.project_published(population, rates, inputs, 2020, 2050).pivot_table(
        "population", "year", ["sex", "age"]
    )
    assert found.to_numpy()[1:] / found.to_numpy()[:-1] == pytest.approx(growth, rel=1e-6)


@pytest.mark.parametrize(("fertility", "grows"), [(1.2, False), (3.5, True)])
def test_few_births_shrink_a_country_and_many_make_it_grow(fertility, grows):
    population, rates, inputs, _ = stable_country(fertility)
    total = (
        wpp.project_published(population, rates, inputs, 2020, 2050)
        .groupby("year")["population"]
        .sum()
    )
    assert (np.diff(total) > 0).all() == grows


def changed(table, where, **values):
    out = table.copy()
    for column, value in values.items():
        out.loc[where(out), column] = value
    return out


def refused(country, message, population=None, rates=None, inputs=None, base=2020, last=2050):
    given_tables = [
        own if other is None else other for own, other in zip(country, (population, rates, inputs))
    ]
    with pytest.raises(ValueError, match=message):
        wpp.project_published(*given_tables, base, last)


def one(year, sex, age):
    return lambda table: (table["year"] == year) & (table["sex"] == sex) & (table["age"] == age)


def rate(sex, age, period=2025):
    return lambda table: (
        (table["sex"] == sex) & (table["age_from"] == age) & (table["period_from"] == period)
    )


def test_a_negative_count_is_named_by_year_sex_and_age(country):
    refused(
        country,
        "2020, female, age 63 is -5",
        changed(country[0], one(2020, "female", 63), count=-5.0),
    )


def test_a_missing_age_is_named_even_where_its_class_has_others(country):
    population = country[0][~one(2020, "male", 63)(country[0])]
    refused(country, "2020 has no males of age 63", population)


def test_an_age_that_stands_twice_is_refused(country):
    population = pd.concat([country[0], country[0][one(2020, "male", 63)(country[0])]])
    refused(country, "2020 has 203 rows", population)


def test_a_death_rate_above_2_is_named_by_sex_age_and_period(country):
    refused(
        country,
        "death rate of males at age 95 from 2025 is 2.5",
        rates=changed(country[1], rate("male", 95), mx=2.5),
    )


def test_death_rates_that_fall_at_old_ages_are_named(country):
    refused(
        country,
        "death rates of females from 2025 do not increase at age 90",
        rates=changed(country[1], rate("female", 90), mx=0.001),
    )


def test_a_missing_death_rate_is_named(country):
    refused(
        country,
        "no death rate of males at age 45 from 2025",
        rates=country[1][~rate("male", 45)(country[1])],
    )
    everywhere = country[1][country[1]["age_from"] != 45]
    refused(country, "no death rate of males at age 45", rates=everywhere)


def test_a_missing_base_year_is_named_with_the_years_there_are(country):
    refused(country, "no year 2021; it has 2015, 2020", base=2021)


def test_a_horizon_before_the_base_is_refused(country):
    refused(country, "the last year, 2010, is not after the base, 2020", last=2010)


def test_a_missing_period_of_an_input_is_named(country):
    inputs = country[2][
        ~((country[2]["indicator"] == "total_fertility_rate") & (country[2]["period_from"] == 2030))
    ]
    refused(country, "no total_fertility_rate for the period from 2030", inputs=inputs)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 8))
def test_the_compiled_projection_equals_the_plain_one(seed, draws, years):
    random = np.random.default_rng(seed)
    levels = 5
    base, growth = (
        random.uniform(0, 1e6, (draws, 2, 101)),
        random.uniform(0.9, 1.1, (draws, 2, 101)),
    )
    ratios = random.uniform(0, 1, (years, 2, levels, 102))
    level, weight = (
        random.integers(0, levels - 1, (years, 2, draws)),
        random.uniform(0, 1, (years, 2, draws)),
    )
    fertility, shape, male = (
        random.uniform(0, 3, (years, draws)),
        random.dirichlet(np.ones(101), years),
        random.uniform(0.4, 0.6, years),
    )
    shape[:, 0] = 0  # nobody bears a child at age 0; the compiled loop does not ask
    grid = SurvivalGrid(np.arange(years), np.zeros((years, 2, levels)), ratios)

    def survival(step):
        low, high = (
            np.stack([grid.ratios[step, sex, level[step, sex] + up] for sex in range(2)], axis=1)
            for up in (0, 1)
        )
        return low + weight[step].T[..., None] * (high - low)

    plain = cohort.project(base, survival, fertility[:, :, None] * shape[:, None, :], male, growth)
    quick = cohort.project_compiled(base, ratios, level, weight, growth, fertility, shape, male)
    assert np.allclose(quick, np.moveaxis(plain, 0, 1), rtol=1e-10, atol=0)
    by_band = cohort.project_compiled(
        base, ratios, level, weight, growth, fertility, shape, male, np.arange(101) // 5
    )
    assert np.allclose(
        by_band, np.add.reduceat(quick, np.arange(0, 101, 5), axis=-1), rtol=1e-10, atol=0
    )


@pytest.mark.parametrize(("value", "words"), [(-3.0, "a negative count"), (np.nan, "no number")])
def test_a_base_that_cannot_be_is_named_by_sex_and_age(value, words):
    base = np.ones((2, 101))
    base[1, 70] = value
    with pytest.raises(ValueError, match=f"{words}.* for women of age 70"):
        cohort.project(base, lambda step: np.ones((2, 102)), np.zeros((1, 101)), np.array([0.5]))


def test_the_uns_inputs_of_other_countries_give_the_uns_outputs(project):
    found = wpp.compare_countries(project.world, 2020, 2050)
    assert list(found.index) == ["DE", "JP", "KR"]
    assert (found <= pd.Series(LIMITS)).all(axis=None)


def test_without_its_migrants_germany_would_be_far_from_the_un(project):
    population, rates, inputs = project.world.wpp2019("DE")
    moved = inputs["indicator"] == "net_migration_thousand_per_5_years"
    none = inputs.assign(value=inputs["value"].where(~moved, 0.0))
    found = wpp.compare_published(
        wpp.project_published(population, rates, none, 2020, 2050), population
    )
    assert (found.abs().max()[[0, 60, 65]] > [0.05, 0.015, 0.01]).all()


@pytest.mark.parametrize("place", ["DE", "JP", "KR"])
def test_the_tables_of_other_countries_agree_with_each_other(project, place):
    population, _, inputs = project.world.wpp2019(place)
    shares = inputs[inputs["indicator"] == "percent_of_tfr"].groupby("period_from")["value"].sum()
    assert shares.to_numpy() == pytest.approx(100, abs=1e-4)
    older = project.world.population.query("place == @place and year == [2020, 2025]")
    wide = older.set_index("year").filter(like="age_")
    own = population[population["age"] >= 60].pivot_table(
        "thousand_persons_1_july", "year", "age", aggfunc="sum"
    )
    assert 1000 * own.loc[[2020, 2025]].to_numpy() == pytest.approx(wide.to_numpy())


def test_of_the_old_nobody_moves_and_the_total_given_is_kept(published):
    moved = wpp._migrants(published[2], [2020, 2025])
    assert (moved[:, :, wpp.CLASSES >= wpp.OLDEST_MIGRANT] == 0).all()
    totals = [
        wpp._input(published[2], "net_migration_thousand_per_5_years", one) for one in (2020, 2025)
    ]
    assert moved.sum(axis=(1, 2)) == pytest.approx(totals)


def test_most_migrants_are_young_adults(monkeypatch):
    shares = pd.Series(wpp.migrant_shares(), wpp.CLASSES)
    assert shares.sum() == pytest.approx(1)
    assert shares.idxmax() == 25
    assert (np.diff(shares.loc[25:60]) < 0).all()
    monkeypatch.setattr(wpp, "OLDEST_MIGRANT", 101)
    assert wpp.migrant_shares()[wpp.CLASSES >= 65].sum() == pytest.approx(1 / 9, abs=0.003)


def test_classes_may_stand_for_the_ages_in_them(country):
    population, rates, inputs, _ = country
    classes = population.assign(age=population["age"] // 5 * 5)
    classes = classes.groupby(["year", "sex", "age"], as_index=False)["count"].sum()
    found, whole = (
        wpp.project_published(people, rates, inputs, 2020, 2050)["population"].to_numpy()
        for people in (classes, population)
    )
    assert found == pytest.approx(whole)


def test_a_missing_class_is_named(country):
    population = country[0].query(
        "age % 5 == 0 and not (year == 2020 and sex == 'male' and age == 60)"
    )
    refused(country, "2020 has no males of age 60", population)
