"""The back-test of the model that projects: how wrong, closer than plainer ways, and ranges that hold."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from eldercare.model import facts
from eldercare.reporting.language import load_language
from eldercare.validation import accuracy, calibration, counts, errors

MOST_MEDIAN_ERROR = {
    "prefecture": {60: 0.029, 65: 0.030, 80: 0.050},
    "county": {60: 0.049, 65: 0.048, 80: 0.071},
}
HELD_BADLY, HELD_WELL = 220000, 530000  # Jilin, Yunnan
FOUR = ("no change", "constant growth", "Hamilton-Perry", "closed, national death rates")


@pytest.fixture(scope="module")
def kept(china):
    return accuracy.comparable_areas(china)


@pytest.fixture(scope="module")
def setting(china):
    return accuracy.prepare(china)


@pytest.fixture(scope="module")
def people(setting):
    return accuracy.blind(setting)


@pytest.fixture(scope="module")
def predicted(setting, people):
    return people[setting.rows]


@pytest.fixture(scope="module")
def others(china, setting):
    return accuracy.benchmark_projections(china, setting)


@pytest.fixture(scope="module")
def cover(setting, predicted):
    return calibration.cross_coverage(setting, predicted)


@pytest.fixture(scope="module")
def prefectures(setting):
    return (setting.areas["level"] == "prefecture").to_numpy()


def test_every_area_left_out_has_a_reason_and_every_one_kept_has_none(kept):
    assert (kept["kept"] == (kept["reason"] == "")).all()
    assert kept["kept"].sum() > 2500
    assert (kept.loc[kept["level"] == "prefecture", "kept"]).sum() == 290


def test_a_county_of_a_prefecture_whose_boundary_moved_is_left_out(kept):
    moved = set(kept.loc[kept["reason"] == "its boundary moved", "adcode"] // 100)
    assert not kept.loc[
        (kept["adcode"] // 100).isin(moved) & (kept["adcode"] % 100 != 0), "kept"
    ].any()


@pytest.mark.parametrize("level", MOST_MEDIAN_ERROR)
def test_half_of_the_areas_are_nearer_than_the_limit(setting, predicted, level):
    table = calibration.level_table(setting, predicted).set_index(["level", "from_age"])
    here = (setting.areas["level"] == level).to_numpy()
    for age, most in MOST_MEDIAN_ERROR[level].items():
        error = np.abs(predicted / setting.observed - 1)[here, accuracy.THRESHOLDS.index(age)]
        assert table.at[(level, age), "median"] == np.median(error) <= most
        assert np.median(error) < error.mean() < table.at[(level, age), "high"]


def test_without_the_facts_of_the_census_the_errors_are_a_third_larger(setting, predicted):
    """So that nobody takes the facts out and keeps the figures of the model that had them."""
    without = accuracy.blind(setting, facts=[])[setting.rows]
    errors = [np.median(np.abs(one / setting.observed - 1), axis=0) for one in (predicted, without)]
    assert (errors[1][[0, 1, 3]] > 1.2 * errors[0][[0, 1, 3]]).all()


def test_with_the_life_expectancy_of_provinces_the_test_is_further_off(china, setting, predicted):
    other = accuracy.prepare(china, life_expectancy=True)
    found = accuracy.cross_predict(other)
    errors = [np.median(np.abs(one / setting.observed - 1), axis=0) for one in (predicted, found)]
    assert (errors[1] > errors[0]).all()


@pytest.mark.parametrize("rival", FOUR)
def test_people_of_65_and_over_are_closer_than_a_rivals_in_65_of_100_prefectures(
    setting, predicted, others, prefectures, rival
):
    column = accuracy.THRESHOLDS.index(65)
    ours, theirs = (
        np.abs(one / setting.observed - 1)[prefectures, column]
        for one in (predicted, others[rival])
    )
    assert (ours < theirs).mean() >= 0.65


def test_the_fifth_rival_is_reported_but_not_one_of_the_four(setting, predicted, others):
    assert set(others) == {*FOUR, "closed, raw census deaths"}
    assert (
        "closed, raw census deaths"
        in errors.rival_table(setting, predicted, others, "prefecture").index
    )


# The 160 areas of this class lie in provinces that erred as one: the narrower errors of one half of the provinces
# do not hold those of the other. The notebook names it.
UNSTEADY = "1.5-4 million"


def test_the_80_percent_range_fitted_on_one_half_holds_75_to_85_percent_of_all_size_classes_but_one(
    cover,
):
    tried = cover[cover["tried_on"] == "other half"]
    assert set(tried["size"]) == {*accuracy.SIZE_LABELS, "all"}
    assert set(tried["from_age"]) == {60, 65, 80}
    steady = tried["size"] != UNSTEADY
    assert tried.loc[steady, "in_80"].between(0.75, 0.85).all()
    assert tried.loc[~steady, "in_80"].between(0.65, 0.75).all()
    missed = errors.missed_targets(cover).set_index("share_asked").at[0.8, "missed"]
    assert (UNSTEADY, 65) in missed[["size", "from_age"]].itertuples(index=False, name=None)


def test_the_95_percent_range_fitted_on_one_half_holds_92_to_97_percent_of_all_and_90_to_98_or_so_of_each_class(
    cover,
):
    tried = cover[cover["tried_on"] == "other half"]
    assert tried.loc[tried["size"] == "all", "in_95"].between(0.92, 0.97).all()
    assert tried["in_95"].between(0.90, 0.985).all()


def test_classes_whose_95_percent_range_misses_92_to_97_percent_are_named_in_the_notebook(cover):
    tried = cover[cover["tried_on"] == "other half"]
    missed = tried[~tried["in_95"].between(0.92, 0.97)]
    told = errors.missed_targets(cover).set_index("share_asked").at[0.95, "missed"]
    same = ["size", "from_age"]
    assert told[same].to_numpy().tolist() == missed[same].to_numpy().tolist()


def test_a_province_is_projected_without_sight_of_its_own_outcome(setting, people):
    """Its counts of 2020 exchanged for others: its own projection stays, that of other provinces does not."""
    every = setting.every
    inside = every.provinces == HELD_BADLY
    counted = every.counted.copy()
    counted[inside] *= 3
    other = replace(setting, every=replace(every, counted=counted))
    found = accuracy.blind(other)
    assert np.array_equal(found[inside], people[inside])
    assert not np.allclose(found[~inside], people[~inside], rtol=1e-6)


def test_nothing_of_2020_enters_but_by_the_weights(setting, people):
    """Facts, base, survival and the nation's change are those of 2010 and before: only `counted` is of 2020."""
    known = setting.every.facts.index
    assert setting.grid.years.max() < 2020
    assert np.array_equal(known, setting.every.codes)
    assert setting.every.base[setting.rows].sum() == pytest.approx(setting.base.sum())
    doubled = replace(setting, observed=2 * setting.observed)
    assert np.array_equal(accuracy.blind(doubled), people)


def test_the_rule_tried_is_the_rule_that_projects(china, setting):
    """A province's change of 2010-2020 from its facts, by the back-test's arithmetic and by the projection's."""
    weights = accuracy.weights_table(setting)
    pd.testing.assert_frame_equal(weights, china.change_weights)
    table = weights.set_index("fact")
    columns = [f"age_{group}" for group in facts.GROUPS[accuracy.WITH_CHANGE]]
    later = facts.fact_differences(china, 2020)[list(table.index)]
    rates = np.zeros((len(later), len(facts.GROUPS)))
    seen = facts.bounded(later, table["low"].to_numpy(), table["high"].to_numpy())
    rates[:, accuracy.WITH_CHANGE] = seen @ table[columns].to_numpy()
    assert np.allclose(facts.facts_change(china).values, facts.laid_on_ages(rates))


def test_parts_make_up_the_whole_above_them_in_the_back_test_too(setting, people):
    every = setting.every
    for whole in (220000, 530000, 220100):
        parts = people[every.parents == whole].sum(axis=0)
        assert parts == pytest.approx(people[every.codes == whole][0])


def test_a_regression_on_known_weights_finds_them_beside_wild_areas():
    random = np.random.default_rng(7)
    known = pd.DataFrame(random.normal(0, [0.1, 0.4], (3000, 2)), columns=["one", "other"])
    truth = np.array([0.03, -0.01])
    change = 0.002 + known.to_numpy() @ truth + random.normal(0, 0.002, 3000)
    change[:100] += 0.5
    wanted = np.repeat(change[:, None], len(facts.GROUPS), axis=1)
    fit = accuracy.fit_weights(known, wanted, np.full(3000, 1e5))
    assert fit.of_facts[:, 5] == pytest.approx(truth, rel=0.1)
    assert fit.level[5] == pytest.approx(0.002, abs=5e-4)
    assert (fit.of_facts[:, 0] == 0).all()


def test_the_tables_in_the_data_are_what_the_back_test_gives_anew(
    china, setting, people, predicted
):
    pd.testing.assert_frame_equal(calibration.error_table(setting, people), china.projection_error)
    pd.testing.assert_frame_equal(
        calibration.province_table(setting, predicted),
        china.projection_error_province,
        check_dtype=False,
    )
    areas = errors.area_table(setting, accuracy.cross_predict(setting)).reset_index(drop=True)
    pd.testing.assert_frame_equal(areas, china.projection_error_area, check_dtype=False)


def test_no_part_is_surer_than_the_whole(china):
    wide = china.projection_error.pivot_table("scale", "size_from", "from_age")
    assert (wide.iloc[:-1] >= wide.iloc[-1]).all(axis=None)
    assert wide.index[-1] == calibration.NATION_FROM
    assert china.projection_error["correlation"].between(0.4, 0.9).all()


def test_a_planner_is_told_how_the_ranges_held_in_his_province(china):
    table = china.projection_error_province.set_index(["adcode", "from_age"])
    assert set(table.index.get_level_values("from_age")) == {60, 65, 80}
    assert len(table) == 3 * 31
    assert table.at[(HELD_BADLY, 65), "in_80"] < 0.5 < 0.9 < table.at[(HELD_WELL, 65), "in_80"]
    assert (table["median"] <= table["high"]).all()


def test_the_range_of_what_facts_foretell_holds_the_slopes_of_the_provinces(
    project, setting, people
):
    rows = project.assumptions.set_index("assumption")
    row = rows.loc["migration_continuation"]
    slopes = accuracy.slopes(setting, people)
    at_60 = slopes.loc[slopes["from_age"] == 60, "slope"]
    assert [row["low"], row["high"]] == pytest.approx(np.quantile(at_60, [0.1, 0.9]), abs=0.05)
    assert row["low"] < 1 == row["central"] < row["high"]


def test_forward_the_80_percent_range_holds_75_to_88_percent_of_the_counts_since(project):
    """The range of the projection that knows no count; each count of residents on its own, shares too."""
    table = counts.compare_counts(project, draws=256)
    table = table[(table["basis"] == "resident") & (table["trust"] != "doubtful")]
    assert len(table) >= 53
    assert 0.75 <= table["held"].mean() <= 0.88
    at_65 = table[(table["unit"] == "person") & (table["age"] == "65+")]
    assert (at_65["mean"] / at_65["counted"] - 1).abs().median() <= 0.012


def test_a_range_fitted_on_known_errors_holds_what_it_says():
    random = np.random.default_rng(5)
    sizes = pd.Series(np.repeat(accuracy.SIZE_LABELS, 4000))
    errors = 0.05 * random.standard_t(4, (len(sizes), len(accuracy.THRESHOLDS)))
    scales, freedom = calibration.fit_spread(errors, sizes)
    assert freedom == pytest.approx(4, abs=0.8)
    assert np.allclose(scales, 0.05, rtol=0.06)
    held = calibration.coverage(errors, sizes, scales, freedom)
    assert np.allclose(held["in_80"], 0.8, atol=0.01)
    assert np.allclose(held["in_95"], 0.95, atol=0.02)


def test_signs_in_the_tables_are_those_of_the_numbers(project):
    words = load_language(project)
    assert [words.percent(one, 3) for one in (-0.00015, -1e-9, 0.0, 0.00015)] == [
        "-0.015%",
        "0.000%",
        "0.000%",
        "0.015%",
    ]
    assert [words.percent(one, 1, signed=True) for one in (-0.002, -1e-9, 0.0, 0.002)] == [
        "-0.2%",
        "0.0%",
        "0.0%",
        "+0.2%",
    ]
    assert words.percent(np.nan) == "not collected here"


def test_the_worst_areas_come_with_a_reason_by_the_rule(china, setting, predicted):
    table = errors.worst_areas(china, setting, predicted)
    assert len(table) == 20
    assert set(table["likely_reason"]) <= set(errors.REASONS)
    changed = table["signed_change"].abs() > errors.PEOPLE_MOVED
    assert table.loc[changed, "likely_reason"].isin(errors.REASONS[:2]).all()
