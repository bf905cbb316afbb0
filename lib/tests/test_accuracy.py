"""The back-test: how wrong, closer than plainer ways, and ranges that hold; the figures of issue 4."""

import numpy as np
import pandas as pd
import pytest

from eldercare.reporting.language import load_language
from eldercare.validation import accuracy, calibration, errors

MOST_MEDIAN_ERROR = {60: 0.035, 65: 0.040, 80: 0.065}
FOUR = ("no change", "constant growth", "Hamilton-Perry", "closed, national death rates")


@pytest.fixture(scope="module")
def kept(china):
    return accuracy.kept_areas(china)


@pytest.fixture(scope="module")
def setting(china):
    return accuracy.prepare(china)


@pytest.fixture(scope="module")
def cross(setting):
    return accuracy.cross_predict(setting)


@pytest.fixture(scope="module")
def predicted(cross):
    return cross[0]


@pytest.fixture(scope="module")
def others(china, setting):
    return accuracy.rivals(china, setting)


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


@pytest.mark.parametrize("age", MOST_MEDIAN_ERROR)
def test_half_of_the_prefectures_are_nearer_than_the_limit(setting, predicted, prefectures, age):
    error = np.abs(predicted / setting.observed - 1)[prefectures, accuracy.THRESHOLDS.index(age)]
    assert np.median(error) <= MOST_MEDIAN_ERROR[age]


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


def test_the_80_percent_range_fitted_on_one_half_holds_75_to_85_percent_of_each_size_class(cover):
    tried = cover[cover["tried_on"] == "other half"]
    assert set(tried["size"]) == {*accuracy.SIZE_LABELS, "all"}
    assert set(tried["from_age"]) == {60, 65, 80}
    assert tried["in_80"].between(0.75, 0.85).all()


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


def test_the_weights_of_a_half_are_chosen_without_its_own_outcome(setting, cross):
    first = accuracy.half_of(setting)
    blind = setting.observed.copy()
    blind[first] = 1.0
    other = accuracy.Setting(**{**vars(setting), "observed": blind})
    assert accuracy.choose_weights(other, ~first) == cross[1]["first half"]
    assert not set(setting.areas.loc[first, "province"]) & set(
        setting.areas.loc[~first, "province"]
    )


def test_nothing_of_the_census_of_2020_enters_a_projection(china, setting, predicted, cross):
    doubled = accuracy.Setting(**{**vars(setting), "observed": 2 * setting.observed})
    weights = cross[1]["first half"]
    assert np.array_equal(accuracy.predict(doubled, *weights), accuracy.predict(setting, *weights))


def test_the_spread_in_the_data_is_what_the_back_test_gives_anew(china, setting, predicted):
    pd.testing.assert_frame_equal(
        calibration.error_table(setting, predicted), china.projection_error
    )


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
