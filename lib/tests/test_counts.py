"""Counts since the census: what is wrong in one is told, and a projection learns from those that are sound."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from test_data_faults import assert_told, told

from eldercare import load_project
from eldercare.inputs.draws import Z90, draw_assumptions
from eldercare.inputs.load import NATION
from eldercare.model import areas, counts, population
from eldercare.model.area import rates_of
from eldercare.reporting.language import load_language
from eldercare.validation import counts as shown

DRAWS = 64
NINGXIA, YINCHUAN, HELAN, LINCANG = 640000, 640100, 640122, 530900
NATION_FILE, CITY_FILE = "china/counts.csv", "cities/lincang/population.csv"
SOUND = {
    "date": "2022-12-31",
    "age": "65+",
    "sex": "",
    "value": "265000",
    "unit": "person",
    "basis": "resident",
    "kind": "sample_survey",
    "source_id": "own_judgement",
    "note": "",
}
TOMORROW = (date.today() + timedelta(days=1)).isoformat()


def write_city_counts(copy, *rows):
    cells = [{**SOUND, **row} for row in rows]
    copy.write(CITY_FILE, [list(SOUND), *([row[key] for key in SOUND] for row in cells)])


WRONG = [
    ({"date": TOMORROW}, "date", "still to come"),
    ({"date": "2020-11-01"}, "date", "not after the census"),
    ({"date": "2022"}, "date", "must be a day like 2023-12-31"),
    ({"unit": "万人"}, "unit", "must be one of: person, share"),
    ({"unit": "share"}, "value", "a share must be from 0 to 1"),
    ({"basis": "hukou"}, "basis", "must be one of: registered, resident"),
    ({"kind": "hearsay"}, "kind", "must be one of: census, register, sample_survey"),
    ({"age": "old"}, "age", "must be total, 60+ or 60-64"),
    ({"sex": "both"}, "sex", "must be one of"),
    ({"value": "0"}, "value", "must be above 0"),
    ({"value": "275000"}, "value", "more than the"),
    ({"source_id": "hearsay"}, "source_id", "is no known source"),
]


@pytest.mark.parametrize(("cells", "column", "words"), WRONG)
def test_a_wrong_count_of_a_city_is_told_with_row_and_column(small_copy, cells, column, words):
    write_city_counts(small_copy, {"age": "60+", "value": "355000"}, cells)
    assert_told(told(small_copy), CITY_FILE, 3, column, words)


def test_all_faults_of_the_nation_s_table_are_told_at_once(small_copy):
    wrong = [row for row in WRONG if row[2].startswith("must be") or "share" in row[2]]
    for row, (cells, _, _) in enumerate(wrong, start=2):
        small_copy.change(NATION_FILE, row, **cells)
    lines = told(small_copy)
    for row, (_, column, words) in enumerate(wrong, start=2):
        assert_told(lines, NATION_FILE, row, column, words)
    assert len(wrong) >= 8


def test_a_count_of_an_unknown_area_of_the_future_or_of_before_the_census_is_told(small_copy):
    small_copy.change(NATION_FILE, 2, adcode="659998")
    small_copy.change(NATION_FILE, 3, date=TOMORROW)
    small_copy.change(NATION_FILE, 4, date="2019-12-31")
    lines = told(small_copy)
    assert_told(lines, NATION_FILE, 2, "adcode", "no area of the census")
    assert_told(lines, NATION_FILE, 3, "date", "still to come")
    assert_told(lines, NATION_FILE, 4, "date", "not after the census")


def test_a_count_that_stands_twice_for_one_date_is_told_within_and_between_files(small_copy):
    write_city_counts(small_copy, {}, {"value": "266000"})
    assert_told(told(small_copy), CITY_FILE, 3, "date", "stands in the table already")
    write_city_counts(small_copy, {})
    header = small_copy.rows(NATION_FILE)[0]
    cells = {**SOUND, "adcode": str(LINCANG), "trust": "good"}
    small_copy.add(NATION_FILE, **{name: cells[name] for name in header})
    row = len(small_copy.rows(NATION_FILE))
    assert_told(told(small_copy), CITY_FILE, 2, "date", f"{NATION_FILE}, row {row}")


def test_a_count_larger_than_the_total_or_than_all_of_an_earlier_age_is_told(small_copy):
    write_city_counts(
        small_copy,
        {"age": "total", "value": "2240000", "basis": "registered"},
        {"age": "60+", "value": "2400000", "basis": "registered"},
        {"age": "65+", "value": "2500000", "basis": "registered"},
    )
    lines = told(small_copy)
    assert_told(lines, CITY_FILE, 3, "value", "is more than the 2,240,000 of total in row 2")
    assert_told(lines, CITY_FILE, 4, "value", "is more than the 2,400,000 of 60+ in row 3")


def test_a_count_above_births_and_survival_is_told_from_3_per_cent_on(small_copy):
    write_city_counts(small_copy, {"value": "400000"})
    [line] = told(small_copy)
    possible = float(line.split("more than the ")[1].split(" that")[0].replace(",", ""))
    assert possible == pytest.approx(261_000, rel=0.02)
    write_city_counts(small_copy, {"value": str(round(possible * 1.031))})
    assert_told(told(small_copy), CITY_FILE, 2, "value", "3.1% more than")
    write_city_counts(small_copy, {"value": str(round(possible * 1.029))})
    assert len(load_project(small_copy.root).china.counts)


def test_a_city_says_how_far_its_count_is_trusted_or_is_trusted(small_copy):
    columns = [*SOUND, "trust"]
    for word, taken in (("doubtful", "doubtful"), ("", "good"), ("hearsay", "")):
        small_copy.write(CITY_FILE, [columns, [*SOUND.values(), word]])
        if taken:
            assert load_project(small_copy.root).china.counts["trust"].iloc[-1] == taken
    words = "“hearsay” must be one of: (empty), doubtful, fair, good"
    assert_told(told(small_copy), CITY_FILE, 2, "trust", words)


def test_a_city_s_counts_stand_beside_the_nation_s_and_move_its_projection(small_copy, project):
    write_city_counts(small_copy, {"date": "2024-12-31", "value": "280000"})
    own = load_project(small_copy.root)
    assert len(own.china.counts) == len(project.china.counts) + 1
    before, after = (people_65(one, LINCANG, 2024).mean() for one in (project, own))
    assert before < after < 280_000
    assert after > before + 0.6 * (280_000 - before)


# What follows is calculated on the project's own counts, or on these with rows added.


def people_65(project, code, year, until=counts.ALL_COUNTS, first_age=65):
    area = areas.settled_area(project, code, draws=DRAWS, until=until)
    people = population.project_area(project.china, area, draw_assumptions(project, draws=DRAWS))
    return population.people_in(people.sel(year=year), first_age).values


def with_counts(project, *rows):
    """The project with rows of counts added to its own, or with none but these."""
    first = project.china.counts.iloc[0].to_dict()
    added = pd.DataFrame(
        [{**first, "adcode": NINGXIA, "date": "2023-12-31", "age": "65+", **row} for row in rows]
    )
    table = pd.concat([project.china.counts, added], ignore_index=True)
    return replace(project, china=replace(project.china, counts=table))


@pytest.fixture(scope="module")
def without(project):
    return replace(
        project, china=replace(project.china, counts=project.china.counts.iloc[:0].copy())
    )


def test_without_counts_nothing_changes_by_as_much_as_the_last_digit(project, without):
    assumptions = draw_assumptions(project, draws=DRAWS)
    inputs = areas.area_inputs(project.china, [NINGXIA, YINCHUAN, HELAN])
    one = areas.project_areas(inputs, project.china, assumptions, until=counts.NO_COUNTS)
    other = areas.project_areas(inputs, without.china, assumptions)
    assert np.array_equal(one.values, other.values)
    area = areas.settled_area(without, HELAN, draws=DRAWS)
    assert area.kept is None
    assert area.middle is None
    other = areas.settled_area(project, HELAN, draws=DRAWS, until="2020-12-30")
    assert np.array_equal(area.settled, other.settled)
    factor = population.error_factor(area, assumptions, [2020, 2021], np.zeros((DRAWS, 2, 21)))
    alone = replace(area, settled=None)
    error = population.error_factor(alone, assumptions, [2020, 2021], np.zeros((DRAWS, 2, 21)))
    assert np.array_equal(factor, error * area.settled[:2])


def test_registered_people_and_doubtful_counts_move_nothing(project):
    far = {"value": 500_000.0, "adcode": YINCHUAN}
    other = with_counts(project, {**far, "basis": "registered"}, {**far, "trust": "doubtful"})
    for year in (2023, 2035):
        assert np.array_equal(people_65(other, YINCHUAN, year), people_65(project, YINCHUAN, year))


def test_registered_people_are_shown_beside_residents_with_the_ratio(project):
    table = shown.compare_counts(project, [330000], DRAWS)
    registered = table[table["basis"] == "registered"]
    assert len(registered) >= 2
    assert not registered["used"].any()
    assert (registered["ratio"] == registered["counted"] / registered["mean_with"]).all()
    assert registered["ratio"].between(0.9, 1).all()


def test_the_nation_lies_within_four_tenths_of_a_per_cent_of_its_counts(project):
    table = shown.compare_counts(project, [NATION], 256)
    assert len(table) >= 8
    after = (table["mean_with"] / table["counted"] - 1).abs()
    assert after.max() <= 0.004
    assert after.median() <= 0.0015
    assert after.sum() < (table["mean"] / table["counted"] - 1).abs().sum()


@pytest.mark.parametrize(("code", "left"), [(NATION, 0.4), (320000, 0.75)])
def test_the_range_is_narrow_at_the_counts_and_widens_ahead(project, code, left):
    table = shown.before_and_after(project, code, [60, 65], draws=256)
    width = np.log(table["high"] / table["low"]).set_axis(
        pd.MultiIndex.from_frame(table[["counts", "age", "year"]])
    )
    ratio = width["with"] / width["without"]
    for age in ("60+", "65+"):
        assert (ratio[age].loc[[2022, 2023]] < left).all()
        ahead = ratio[age].loc[2024:2050]
        assert (ahead.diff().dropna() > -0.02).all()
        assert ahead.iloc[-1] > 0.9
        assert (np.diff(width["with"][age].loc[2024:2050]) > -0.001).all()  # of few draws


def test_a_range_of_the_oldest_whom_nobody_counted_stays_wide(project):
    table = shown.before_and_after(project, NATION, [65, 80], [2023], draws=256)
    width = np.log(table["high"] / table["low"]).set_axis(
        pd.MultiIndex.from_frame(table[["counts", "age"]])
    )
    assert width["with", "80+"] > 3 * width["with", "65+"]
    assert width["with", "80+"] < width["without", "80+"]


def test_a_count_of_a_province_moves_a_county_without_counts_the_same_way_and_less(project):
    believed = people_65(project, NINGXIA, 2023).mean()
    other = with_counts(project, {"value": believed * 1.02})
    moved = {
        code: people_65(other, code, 2023).mean() / people_65(project, code, 2023).mean() - 1
        for code in (NATION, NINGXIA, YINCHUAN, HELAN)
    }
    assert 0.005 < moved[NINGXIA] < 0.02
    assert moved[HELAN] > 0
    assert moved[YINCHUAN] > 0
    assert abs(moved[NATION]) < 0.0005


@pytest.fixture(scope="module")
def of_yinchuan(project):
    """The project with a count of a prefecture that lies 4 % above what is projected."""
    believed = people_65(project, YINCHUAN, 2023).mean()
    return with_counts(project, {"adcode": YINCHUAN, "value": believed * 1.04})


def test_a_count_of_a_prefecture_moves_itself_most_and_its_province_less(project, of_yinchuan):
    moved = {
        code: people_65(of_yinchuan, code, 2023).mean() / people_65(project, code, 2023).mean() - 1
        for code in (NINGXIA, YINCHUAN, HELAN)
    }
    assert 0.02 < moved[YINCHUAN] < 0.04
    assert 0 < moved[NINGXIA] < moved[YINCHUAN]
    assert 0 < moved[HELAN] <= moved[YINCHUAN]


def test_with_counts_the_parts_still_add_up_to_the_whole_in_the_mean(project, of_yinchuan):
    assumptions = draw_assumptions(project, draws=DRAWS)
    inputs = areas.area_inputs(of_yinchuan.china)
    parts = inputs["area"].values[inputs["parent"].values == NINGXIA]
    inputs = areas.area_inputs(of_yinchuan.china, [NINGXIA, *parts])
    mean = areas.project_areas(inputs, of_yinchuan.china, assumptions).sel(statistic="mean")
    assert np.allclose(mean.sel(area=parts).sum("area"), mean.sel(area=NINGXIA), rtol=1e-9)


def test_one_count_of_one_cohort_moves_it_by_the_gain_of_kalman(project):
    """The group is one five-year age in the year of its count, so that the gain is V / (V + R)."""
    assumptions = draw_assumptions(project, draws=DRAWS)
    area = areas.settled_area(project, NINGXIA, draws=DRAWS, until=counts.NO_COUNTS)
    people = population.projected_counts(rates_of(project.china), area, assumptions, 2023)
    in_bands = population.in_bands(people)
    spread = population.log_spread(area, assumptions, in_bands)
    place, year = 70 // 5, 2023 - 2020
    believed = in_bands[:, year, place].mean()
    row = {
        **project.china.counts.iloc[0].to_dict(),
        "adcode": NINGXIA,
        "date": "2023-12-31",
        "age": "70-74",
        "value": believed * 1.05,
    }
    one = counts.meet(row, people, spread)
    assert one.drawn.mean() == pytest.approx(believed)
    assert one.log_ratio == pytest.approx(np.log(1.05))
    evidence = counts.Evidence([one], {NINGXIA: ((NINGXIA, 1.0),)}, assumptions)
    moved, _ = evidence.of(NINGXIA, spread, in_bands.mean(axis=0))
    variance, error = spread[year, place] ** 2, (0.015 / Z90) ** 2
    gain = variance / (variance + error)
    assert np.log(moved[year, place]) == pytest.approx(gain * np.log(1.05), rel=0.02)
    # A year before, the error had not yet gained its last step: it moves by less.
    earlier = spread[year - 1, place - 1] * spread[year - 1, place]
    assert moved[year - 1, place] < moved[year, place]
    assert np.log(moved[year - 1, place]) < np.log(1.05) * earlier**0.5 / spread[year, place]


def test_a_count_within_a_year_lies_between_its_ends_and_one_sex_is_a_part(project):
    assumptions = draw_assumptions(project, draws=DRAWS)
    first = project.china.counts.iloc[0].to_dict()
    rows = [
        {**first, "adcode": NINGXIA, "date": day, "age": "65+", "sex": sex, "unit": unit}
        for day, sex, unit in (
            ("2022-12-31", "", "person"),
            ("2023-06-30", "", "person"),
            ("2023-12-31", "", "person"),
            ("2023-12-31", "female", "person"),
            ("2023-12-31", "", "share"),
        )
    ]
    found = areas.counted_beside(project.china, assumptions, pd.DataFrame(rows))
    start, middle, end, women, share = (one.drawn.mean() for one in found)
    assert middle == pytest.approx((start + end) / 2, rel=0.003)
    assert 0.48 * end < women < 0.56 * end
    total = population.people_in(
        population.project_area(
            project.china,
            areas.settled_area(project, NINGXIA, draws=DRAWS, until=counts.NO_COUNTS),
            assumptions,
            2023,
        ).sel(year=2023),
        0,
    )
    # Children born since are those of the UN's births here, those of the assumptions there.
    assert share == pytest.approx(float((found[2].drawn / total).mean()), rel=0.003)
    # Children taken as known leave their part of the people of all ages.
    assert 0 < found[-1].weights.sum() < 0.2


def test_a_count_far_outside_the_range_is_told_with_both_numbers(project):
    other = with_counts(project, {"value": 600_000.0, "adcode": YINCHUAN})
    table = shown.compare_counts(other, [YINCHUAN], DRAWS)
    [row] = table[table["surprising"]].to_dict("records")
    assert row["counted"] == 600_000
    assert row["counted"] > row["high"] > row["low"] > 0
    assert row["used"]
    assert not shown.compare_counts(project, [NATION], DRAWS)["surprising"].any()


def test_counts_up_to_2022_make_the_next_years_better_foreseen(project):
    later = shown.predict_later(project, draws=256)
    table = shown.sum_up_later(later).set_index(["age", "year", "known"])
    known = "to 2022-12-31"
    one_year_on = table.loc[("65+", 2023)]
    assert one_year_on.loc[known, "share_median"] <= 0.015
    assert one_year_on.loc[known, "share_median"] < one_year_on.loc["none", "share_median"]
    whole = later.groupby("known")["error"].apply(lambda error: error.abs().mean())
    assert whole[known] < 0.6 * whole["none"]
    assert later.groupby("known")["inside"].mean()[known] >= 0.75


def test_before_counts_of_a_day_only_the_earlier_ones_are_known(project):
    usable = counts.usable_counts(project.china.counts, "2022-12-31")
    assert usable["date"].max() == "2022-12-31"
    assert set(usable["basis"]) == {"resident"}
    assert "doubtful" not in set(usable["trust"])
    assert not usable.duplicated(["adcode", "date", "age", "sex"]).any()


# The nation beside what is published: figure, year, as published, and how near ours must come.
# The sources stand in the rows; what is farther off is told with its reason.
PUBLISHED = [
    ("people_60_plus", 2022, 280_040_000, 0.01),  # nbs_population_2022
    ("people_60_plus", 2024, 310_310_000, 0.01),  # nbs_population_2024
    ("people_65_plus", 2024, 220_230_000, 0.01),
    ("limited", 2020, 19_460_000, 0.2),  # cheng_projection_2024
    ("disabled_by_survey", 2024, 35_000_000, 0.1),  # lei_ltci_2025
    ("residents", 2024, 2_307_000, 0.1),  # national_aging_bulletin_2024
    ("beds_of_residents", 2024, 5_077_000, 0.15),  # mca_bulletin_2024
    ("beds_all", 2024, 7_993_000, 0.2),
    ("nursing_bed_share", 2024, 0.657, 0.1),  # national_aging_bulletin_2024
    ("caregivers", 2020, 378_900, 0.1),  # care_worker_willingness_2024
    ("allowance_recipients", 2024, 37_528_000, 0.15),  # mca_bulletin_2024
    ("old_age_welfare", 2024, 48_940_000_000, 0.2),
    ("eldercare_services", 2024, 25_320_000_000, 0.25),
    ("insurance", 2024, 14_000_000_000, 0.25),  # people_ltci_2026
]


@pytest.fixture(scope="module")
def nation(project):
    return shown.reconcile_nation(project, draws=64)


@pytest.mark.parametrize(("figure", "year", "value", "near"), PUBLISHED)
def test_the_nation_adds_up_to_what_is_published(nation, figure, year, value, near):
    rows = nation[(nation["national"] == figure) & (nation["year"] == year)]
    row = rows[rows["published"] == value].iloc[0]
    assert row["central"] == pytest.approx(value, rel=near)
    assert row["provinces"] == pytest.approx(value, rel=near)


def test_the_provinces_add_up_to_the_nation(nation):
    assert nation.attrs["areas"] == 31
    # Factors of places are drawn about a middle of 1, and their mean lies above it.
    np.testing.assert_allclose(nation["provinces"], nation["central"], rtol=0.05)


def test_every_figure_is_published_and_every_one_that_is_off_has_its_reason(project, nation):
    assert set(nation["national"]) == set(shown.NATIONAL)
    assert nation["year"].between(2020, 2025).all()
    off = shown.off_in_nation(nation)
    assert set(off["national"]) == set(nation.loc[nation["off"], "national"]) and len(off) < 10
    for code in ("en", "zh"):
        words = load_language(project, code)
        told = words.sentences("nation_off", off)
        reasons = [words.phrases[f"why_{name}"] for name in off["national"]]
        assert all(text.endswith(reason) for text, reason in zip(told, reasons))
        summed = shown.sum_up_nation(nation)
        assert str(len(nation)) in words.sentences("nation_sum", summed)[0]
        assert "31" in words.sentences("nation_provinces", summed)[0]


def test_beds_and_workers_are_told_with_their_reason_when_a_tenth_off(nation):
    part = nation[nation["national"].isin(shown.BEDS_AND_WORKERS)]
    far = (part[["ratio", "ratio_provinces"]] - 1).abs().max(axis=1) > 0.1
    assert (part["off"] == far).all()


def test_whether_a_figure_was_fitted_is_said_of_each(nation):
    tied = nation.groupby("national")["tied"].first()
    assert tied["residents"] == "yes" and tied["limited"] == "no"
    summed = shown.sum_up_nation(nation).iloc[0]
    assert summed["tied"] + summed["free"] == summed["count"]
