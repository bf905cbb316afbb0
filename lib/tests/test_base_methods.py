"""Ways to split age groups: totals stay, and the one chosen keeps the cohorts the others lose."""

import numpy as np
import pytest

from eldercare.validation import base_methods as methods

OURS = methods.METHODS[-1]


@pytest.fixture(scope="module")
def compared(china):
    return methods.compare_methods(china).set_index(["year", "method"])


@pytest.mark.parametrize("year", methods.TRUE_YEARS)
def test_every_method_keeps_the_total_of_every_group(china, year):
    groups = np.add.reduceat(methods.true_table(china, year), methods.STARTS, axis=1)
    for counts in methods.split_all(china, year).values():
        assert counts.min() > 0
        assert np.allclose(np.add.reduceat(counts, methods.STARTS, axis=1), groups, rtol=1e-3)


@pytest.mark.parametrize("year", methods.TRUE_YEARS)
def test_the_chosen_method_is_nearest_to_the_single_ages_counted(compared, year):
    assert compared.loc[year]["error"].idxmin() == OURS
    assert compared.loc[(year, OURS), "error"] < 0.025


@pytest.mark.parametrize("year", methods.TRUE_YEARS)
def test_only_the_chosen_method_keeps_the_boom_after_the_famine(compared, year):
    rows = compared.loc[year]
    kept = (rows["ratio"] - 1) / (rows["ratio_true"] - 1)
    assert kept[OURS] > 0.8
    assert (kept.drop(OURS) < 0.25).all()


def test_the_pattern_does_not_know_the_truth_it_is_measured_by(china):
    pattern, truth = (
        methods.pattern_of_ten_years_before(china, 2020),
        methods.true_table(china, 2020),
    )
    assert np.abs(pattern / truth - 1).max() > 0.01
    before = methods.true_table(china, 2010)
    assert (pattern[:, 10:100] < before[:, :90]).all()


def test_the_composite_link_finds_a_smooth_population_again():
    ages = np.arange(101)
    smooth = np.stack(
        [1e5 * np.exp(-(((ages - 35) / 30) ** 2)), 1.1e5 * np.exp(-(((ages - 38) / 31) ** 2))]
    )
    found = methods.penalised_composite_link(np.add.reduceat(smooth, methods.STARTS, axis=1))
    assert found[:, :85] == pytest.approx(smooth[:, :85], rel=0.02)


def test_the_share_of_the_very_old_differs_between_provinces_and_between_censuses(china):
    table = methods.compare_open_interval(china)
    assert set(table["age_from"]) == {85, 90, 95, 100}
    assert table["error"].between(0.001, 0.06).all()
