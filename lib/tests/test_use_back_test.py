"""People in care carried on: what is known must come out, whatever the place, the years and the age
bands.
"""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from eldercare.inputs import world
from eldercare.inputs.schema import DataFault
from eldercare.inputs.world import age_band, load_world
from eldercare.reporting.language import load_language
from eldercare.validation import care_rates, use_back_test, use_findings
from eldercare.validation.use_back_test import DRIFT, FROZEN

YEARS = range(2000, 2016, 5)
OLD = np.arange(60, 101)


def people(place: str, growth: float = 0.02) -> pd.DataFrame:
    """A population by single age that grows, the older the faster."""
    rows = [
        (place, year, str(age) if age < 100 else "100+", 1e5 * 0.92 ** (age - 60)
         * np.exp(growth * (year - 2000) * (1 + (age - 60) / 40)))
        for year in YEARS for age in OLD
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["place", "year", "age", "value"])


def in_care(population: pd.DataFrame, bands: tuple[str, ...], drift: float = 0.0) -> pd.DataFrame:
    """People in care at rates that rise with age and, all alike, by a drift."""
    first = population["age"].str.extract(r"(\d+)")[0].astype(int)
    users = population["value"] * 0.002 * np.exp(0.13 * (first - 60))
    users = users * np.exp(drift * (population["year"] - 2000))
    rows = []
    for band in bands:
        start, end = age_band(band)
        inside = (first >= start) & (first < end)
        sums = users[inside].groupby([population["place"], population["year"]]).sum()
        rows.append(sums.rename("value").reset_index().assign(age=band))
    return pd.concat(rows, ignore_index=True)


def errors(tested: pd.DataFrame, way: str) -> pd.Series:
    part = tested[tested["way"] == way]
    return part["predicted"] / part["actual"] - 1


@pytest.mark.parametrize(
    ("text", "band"),
    [
        ("67-74", (67, 75)), ("90+", (90, np.inf)), ("[85,90)", (85, 90)), ("[95,Inf]", (95, np.inf)),
        ("all", (0, np.inf)), ("total", (0, np.inf)), ("83", (83, 84)), ("age_60_64", (60, 65)),
        ("age_100_plus", (100, np.inf)), ("0-66", (0, 67)), ("85 years and over", (85, np.inf)),
    ],
)  # fmt: skip
def test_an_age_band_is_read_in_every_usual_way(text, band):
    assert age_band(text) == band


@pytest.mark.parametrize("text", ["old", "", "80-75", "-5", "65+ men"])
def test_what_is_no_age_band_is_told(text):
    with pytest.raises(ValueError, match="no age band"):
        age_band(text)


def test_single_ages_keep_the_people_of_every_band():
    bands = pd.DataFrame({"age": ["60-64", "65-74", "75+"], "value": [50.0, 80.0, 60.0]})
    found = care_rates.single_ages(bands)
    assert np.isnan(found[:60]).all()
    assert found[60:65].sum() == pytest.approx(50)
    assert found[75:].sum() == pytest.approx(60)
    assert (np.diff(found[75:]) < 0).all()


def test_a_population_of_all_ages_with_totals_beside_its_parts_is_counted_once_from_60_on():
    parts = {"0-59": 900.0, "60-64": 50.0, "65-84": 80.0, "85+": 20.0}
    bands = pd.DataFrame(parts.items(), columns=["age", "value"])
    total = pd.DataFrame({"age": ["all", "60+", "65+"], "value": [1050.0, 150.0, 100.0]})
    found = [care_rates.single_ages(one) for one in (bands, pd.concat([bands, total]))]
    np.testing.assert_allclose(*found)
    assert np.nansum(found[0]) == pytest.approx(150)


def test_ages_that_the_population_of_one_year_cannot_part_are_taken_together():
    population = people("A")
    coarse = population[population["year"] < 2010].copy()
    coarse.loc[coarse["age"].str.rstrip("+").astype(int) >= 85, "age"] = "85+"
    mixed = pd.concat([coarse, population[population["year"] >= 2010]])
    users = in_care(population, ("65-74", "75-84", "85-89", "90+"))
    bands = use_back_test.back_test(users, mixed).groupby(["first_year", "year"])["bands"].first()
    assert (bands[2000, 2005], bands[2005, 2010], bands[2010, 2015]) == (3, 3, 4)


def test_a_total_beside_its_parts_is_not_counted_twice():
    bands = pd.DataFrame({"age": ["65+", "65-84", "85+", "all"], "value": [30.0, 18.0, 12.0, 33.0]})
    assert care_rates.people_from(bands) == {0: 33.0, 65: 30.0, 85: 12.0}


@pytest.mark.parametrize(
    "bands",
    [
        ("60-64", "65-69", "70-74", "75-79", "80-84", "85-89", "90+"),
        ("67-79", "80-89", "90+"),
        tuple(map(str, range(60, 100))),
    ],
)
def test_rates_that_stand_still_are_predicted_whatever_the_bands(bands):
    population = people("A")
    tested = use_back_test.back_test(in_care(population, bands), population)
    assert errors(tested, FROZEN).abs().max() < 0.012
    assert len(tested) == 6 * 5


def test_years_with_other_bands_are_compared_where_both_can_be_parted():
    population = people("A")
    fine = in_care(population, ("67-74", "75-79", "80-84", "85-89", "90+")).query("year <= 2005")
    coarse = in_care(population, ("67-79", "80-89", "90+")).query("year > 2005")
    tested = use_back_test.back_test(pd.concat([fine, coarse]), population)
    assert set(tested.query("first_year < 2010 and year >= 2010")["bands"]) == {3}
    assert errors(tested, FROZEN).abs().max() < 0.012


def test_a_series_with_totals_only_borrows_the_ages_of_the_other_places():
    population = pd.concat([people("A"), people("B", 0.03)])
    users = pd.concat([
        in_care(population.query("place == 'A'"), ("65-74", "75-84", "85-94", "95+")),
        in_care(population.query("place == 'B'"), ("60+",)).assign(age="all"),
    ])  # fmt: skip
    tested = use_back_test.back_test(users, population)
    assert errors(tested[tested["place"] == "B"], FROZEN).abs().max() < 0.02
    alone = use_back_test.back_test(users[users["place"] == "B"], population)
    assert errors(alone, FROZEN).max() < -0.05


def test_a_band_of_younger_people_is_left_out():
    population = people("A")
    users = in_care(population, ("67-74", "75-84", "85+"))
    young = users.drop_duplicates("year").assign(age="0-66", value=[1.0, 500.0, 9000.0, 2.0])
    both = [use_back_test.back_test(one, population) for one in (users, pd.concat([users, young]))]
    pd.testing.assert_frame_equal(*both)


def four_places(*drifts: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    bands = ("65-74", "75-79", "80-84", "85-89", "90+")
    populations = [people(f"P{number}") for number in range(len(drifts))]
    users = [in_care(one, bands, drift) for one, drift in zip(populations, drifts)]
    return pd.concat(users), pd.concat(populations)


def test_a_drift_that_all_places_have_is_learned():
    users, population = four_places(-0.02, -0.02, -0.02, -0.02)
    tested = use_back_test.with_learned_drift(use_back_test.back_test(users, population))
    low, central, high = use_back_test.expected_drift(use_back_test.frozen_pairs(tested), 10)
    assert low <= central <= high
    assert central == pytest.approx(-0.02, abs=1e-3)
    assert errors(tested, DRIFT).abs().max() < 0.012


def test_the_drift_of_a_place_is_never_learned_from_itself():
    users, population = four_places(-0.02, -0.03, -0.01, -0.02)
    first = use_back_test.with_learned_drift(use_back_test.back_test(users, population))
    later = users["value"].where(
        (users["place"] != "P0") | (users["year"] < 2015), 9 * users["value"]
    )
    second = use_back_test.with_learned_drift(
        use_back_test.back_test(users.assign(value=later), population)
    )
    own = [
        one.query("place == 'P0' and way == @DRIFT and first_year < 2015")[
            ["predicted", "low", "high"]
        ]
        for one in (first, second)
    ]
    np.testing.assert_allclose(*own)
    others = [one.query("place == 'P1' and way == @DRIFT")["predicted"] for one in (first, second)]
    assert not np.allclose(*others)


def test_a_place_never_seen_is_predicted_from_given_teachers():
    users, population = four_places(-0.02, -0.03, -0.01, -0.02)
    every = use_back_test.back_test(users, population)
    new = every[every["place"] == "P0"]
    one = use_back_test.with_learned_drift(new, teachers=every[every["place"] != "P0"])
    all_at_once = use_back_test.with_learned_drift(every).query("place == 'P0'")
    pd.testing.assert_frame_equal(
        one.reset_index(drop=True), all_at_once.reset_index(drop=True), check_like=True
    )


def test_ten_times_the_people_in_care_are_ten_times_the_prediction():
    users, population = four_places(-0.02, -0.03, -0.01, -0.02)
    once, tenfold = (
        use_back_test.with_learned_drift(
            use_back_test.back_test(users.assign(value=users["value"] * times), population)
        )
        for times in (1, 10)
    )
    np.testing.assert_allclose(10 * once["predicted"], tenfold["predicted"])


def test_fewer_than_three_places_teach_no_drift():
    users, population = four_places(-0.02, -0.03)
    tested = use_back_test.back_test(users, population)
    with pytest.raises(ValueError, match="3 places or more; there are 2"):
        use_back_test.expected_drift(use_back_test.frozen_pairs(tested), 10)
    assert DRIFT not in set(use_back_test.with_learned_drift(tested)["way"])


def test_longer_lives_are_seen_in_how_cohorts_dwindle():
    def aged(rate):
        rows = {2000: 1e5 * np.cumprod(np.full(111, 1.0))}
        for year in range(2001, 2021):
            before = rows[year - 1]
            survival = np.exp(
                -np.minimum(1e-5 * np.exp(0.1 * np.arange(111)) * rate ** (year - 2000), 5)
            )
            rows[year] = np.concatenate([[1e5], (before * survival)[:-1]])
        return care_rates.longevity_gain(rows)

    assert aged(1.0) == pytest.approx(0, abs=0.01)
    assert 0.05 < aged(0.98) < 0.3


def test_a_table_of_errors_counts_each_place_alike():
    rows = [("A", 1.1)] * 3 + [("B", 0.9)]
    tested = pd.DataFrame(
        [(place, 10, 1.0, FROZEN, found) for place, found in rows],
        columns=["place", "horizon", "actual", "way", "predicted"],
    )
    found = use_back_test.error_table(tested).iloc[0]
    assert (found["place_count"], found["pairs"]) == (2, 4)
    assert found["mean_error"] == pytest.approx(0)
    assert found["mean_absolute_error"] == pytest.approx(0.1)


def test_deviations_that_stay_have_a_slope_of_one_and_those_of_chance_none():
    lasting = 0.3 * norm.ppf((np.arange(400) + 0.5) / 400)
    frames = [
        pd.DataFrame({"place": np.arange(400), "year": year, "ratio": np.exp(lasting)})
        for year in (2000, 2010)
    ]
    stays = use_back_test.persistence(pd.concat(frames)).iloc[0]
    assert stays["share_slope"] == pytest.approx(1)
    assert stays["half_width"] == pytest.approx(1.2816 * 0.3, rel=0.01)
    frames[1]["ratio"] = np.exp(np.random.default_rng(1).permutation(lasting))
    assert abs(use_back_test.persistence(pd.concat(frames)).iloc[0]["share_slope"]) < 0.2


def test_a_place_of_twice_the_use_has_twice_the_ratio():
    population = pd.concat([people("A"), people("B")])
    users = in_care(population, ("60+",))
    users["value"] *= np.where(users["place"] == "B", 2, 1)
    curve = np.exp(0.13 * (care_rates.AGES - 60))
    ratios = use_back_test.place_ratios(users, population, curve).pivot(
        index="place", columns="year", values="ratio"
    )
    np.testing.assert_allclose(ratios.loc["B"] / ratios.loc["A"], 2)


@pytest.fixture(scope="module")
def tested(project):
    users, population = project.world.users("test"), project.world.people()
    return use_back_test.with_learned_drift(use_back_test.back_test(users, population))


def test_the_counts_are_those_of_the_offices(project):
    """Typed from the pages named in sources.csv."""
    use = project.world.care_use.set_index(["series", "year", "age"])["value"]
    assert use["norway_residents", 1992, "90+"] == 10381
    assert use["us_residents", 1985, "85+"] == 112600 + 484700
    assert use["sweden_residents", 2010, "65+"] == 94000
    assert use["netherlands_residents", 2015, "all"] == 118593
    assert use["china_residents", 2013, "all"] == 3074000
    assert use["china_residents", 2024, "all"] == 2307000


def test_the_learned_drift_is_as_close_as_was_asked(tested):
    table = use_back_test.error_table(tested).set_index(["way", "near"])
    assert table.loc[(DRIFT, 10), "mean_absolute_error"] <= 0.09
    assert 0.7 <= table.loc[(DRIFT, 10), "coverage"] <= 0.88
    for way in (FROZEN, "frozen_65", "frozen_80", "healthy_ageing", "no_change"):
        assert (
            table.loc[(DRIFT, 10), "mean_absolute_error"]
            < table.loc[(way, 10), "mean_absolute_error"]
        )


def test_frozen_rates_were_too_high_in_every_country(tested):
    near = use_back_test.error_table(tested, by=("place",)).query("way == @FROZEN and near == 10")
    assert len(near) >= 8
    assert (near["mean_error"] > 0).all()


def test_the_first_choice_of_counts_is_the_back_test_itself(project, tested):
    choices = use_findings.by_choice_of_counts(project.world).set_index("choice")
    table = use_back_test.error_table(tested).set_index(["way", "near"])
    error = table.at[(DRIFT, 10), "mean_absolute_error"]
    assert choices.at["residents", "share_absolute"] == pytest.approx(error)
    assert choices["expected_central"].between(-0.03, -0.015).all()


def test_places_of_a_country_keep_their_distance_from_it(project):
    found = use_findings.place_factor(project.world).set_index("setting")
    assert found["share_slope"].between(0.7, 1).all()
    assert found["half_width"].between(0.2, 0.45).all()
    assert found.at["institution", "share_slope"] > found.at["home_service", "share_slope"]


def test_china_had_fewer_residents_than_frozen_rates_asked_for(project):
    path = use_findings.china_path(project.world).set_index(["series", "year"])["central"]
    assert path["counted", 2024] == 2_307_000
    assert path["counted", 2013] == path[FROZEN, 2013] == 3_074_000
    assert path[FROZEN, 2024] / path["counted", 2013] > 1.5
    drifts = use_findings.china_drifts(project.world).set_index("first_year")
    assert drifts.at[2013, "share_yearly"] == pytest.approx(
        np.log(path["counted", 2024] / path[FROZEN, 2024]) / 11, rel=1e-6
    )


def test_the_drift_of_a_series_is_that_of_its_own_role(project, tested):
    series = use_findings.series_table(project.world).set_index("series")["share_drift"]
    pairs = use_back_test.frozen_pairs(tested)
    own = pairs[pairs["series"] == "sweden_residents"]
    assert series["sweden_residents"] == pytest.approx(own["log"].sum() / own["horizon"].sum())
    assert series["korea_residents"] > 0


@pytest.mark.parametrize("code", ["en", "zh"])
def test_the_answer_is_told_in_both_languages(project, tested, code):
    words = load_language(project, code)
    ways, cover = use_findings.errors_by_way(tested), use_findings.coverage_by_horizon(tested)
    told = [
        *words.sentences("{phrase}", use_findings.answer(ways, 10)),
        *words.sentences("use_coarser", use_findings.coarser_closer(tested, 10)),
        *words.sentences("{phrase}", cover),
    ]
    assert len(told) == 4 + len(use_back_test.HORIZONS)
    assert not [sentence for sentence in told if "{" in sentence or "_" in sentence]
    named = {words.part("place", place) for place in tested["place"]}
    assert len(named) == tested["place"].nunique()
    assert named.isdisjoint(tested["place"])


def test_the_population_between_the_points_keeps_the_points(project):
    long = project.world.people().set_index(["place", "year", "age"])["value"]
    wide = project.world.population.set_index(["place", "year"])
    assert long["NO", 2005, "age_80_84"] == pytest.approx(wide.at[("NO", 2005), "age_80_84"])
    ends = sorted(wide.loc[[("NO", 2005), ("NO", 2010)], "age_80_84"])
    assert ends[0] < long["NO", 2007, "age_80_84"] < ends[1]


def test_recipients_at_the_end_of_a_year_meet_the_population_of_the_day_after(project):
    found = project.world.departement_people().set_index(["place", "year", "age"])["value"]
    wide = project.world.departement_population.set_index(["place", "year"])
    assert found["FR-01", 2010, "age_80_84"] == wide.at[("FR-01", 2011), "age_80_84"]


@pytest.mark.parametrize(
    ("table", "old", "new", "told"),
    [
        ("care_use", "sweden_residents,2010,65+", "sweden_residents,2010,old", "age band like"),
        ("care_use", "sweden_residents,2010,65+", "sweden,2010,65+", "no known series"),
        ("care_use", "sweden_residents,2010,65+", "sweden_residents,1960,65+", "must be from 1970 to"),
        ("care_use_series", "Sweden,瑞典,SE", "Sweden,瑞典,SV", "no known place"),
        ("care_use_series", ",roll_out,", ",spread,", "must be one of"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_row(project, tmp_path, table, old, new, told):
    folder = tmp_path / "data" / "world"
    folder.mkdir(parents=True)
    for path in sorted((project.root / "data" / "world").glob("*.csv")):
        text = path.read_text("utf-8")
        if path.stem == table:
            assert old in text
            text = text.replace(old, new, 1)
        (folder / path.name).write_text(text, "utf-8")
    with pytest.raises(DataFault, match=told) as caught:
        load_world(tmp_path)
    assert all(fault.row for fault in caught.value.faults)


def test_all_tables_that_are_missing_are_told_at_once(tmp_path):
    with pytest.raises(DataFault) as caught:
        load_world(tmp_path)
    assert len(caught.value.faults) == len(world.TABLES)


def test_an_unknown_source_is_told(project):
    fewer = project.sources[project.sources["source_id"] != "sweden_care_places_2001"]
    assert [fault.column for fault in world.world_faults(fewer, project.world)] == ["source_id"]


# What others published of the years to come, each made again from the inputs they printed:
# emulator, year, as published, how near it comes, whose inputs. The sources stand in emulation.csv.
EMULATED = [
    ("japan_workers_8", 2023, 2_328_460, 0.005, "stand_in"),  # mhlw_workers_needed_8
    ("japan_workers_8", 2025, 2_426_079, 0.005, "stand_in"),
    ("japan_workers_8", 2040, 2_802_578, 0.02, "stand_in"),
    ("england_posts_2017", 2030, 131, 0.005, "printed"),  # uk_lords_hl2293
    ("england_posts_2023", 2040, 129, 0.02, "stand_in"),  # skills_for_care_strategy_2024
    ("germany_need", 2035, 5_600_000, 0.04, "stand_in"),  # destatis_care_projection_2023
]
MISSING = [
    ("japan_workers_9", 2026, 2_400_000),  # mhlw_workers_needed_9
    ("japan_workers_9", 2040, 2_720_000),
    ("japan_care_index", 2025, 151),  # mirai_keiei_jmap
]


@pytest.fixture(scope="module")
def emulated(project):
    return use_findings.emulated(project.world).set_index(["emulator", "year"])


@pytest.mark.parametrize(("emulator", "year", "published", "near", "known"), EMULATED)
def test_what_others_published_comes_out_of_their_printed_inputs(
    emulated, emulator, year, published, near, known
):
    row = emulated.loc[(emulator, year)]
    assert (row["published"], row["known"]) == (published, known)
    assert row["value"] == pytest.approx(published, rel=near)


@pytest.mark.parametrize(("emulator", "year", "published"), MISSING)
def test_without_an_input_nothing_is_made_again(emulated, emulator, year, published):
    row = emulated.loc[(emulator, year)]
    assert (row["published"], row["known"]) == (published, "missing")
    assert np.isnan(row["value"])


def test_every_projection_of_others_is_in_the_tests(emulated):
    assert set(emulated.index) == {row[:2] for row in [*EMULATED, *MISSING]}


def test_each_projection_of_others_is_told_in_both_languages(project, emulated):
    table = emulated.reset_index()
    table = table.assign(about=table["emulator"], published_value=table["published"])
    for code in ("en", "zh"):
        words = load_language(project, code)
        told = words.sentences("emulated_{known}", table)
        assert len(told) == len(table)
        assert not [text for text in told if "_" in text or "nan" in text]


def test_inputs_of_nothing_that_was_published_are_told(small_copy):
    small_copy.add(
        "world/emulation.csv", emulator="nobody", item="rate", part="75+", year="2020",
        value="0.1", unit="share", source_id="wpp_2019", locator="none",
    )  # fmt: skip
    with pytest.raises(DataFault, match="emulation.csv.*emulator with a row of item published"):
        load_world(small_copy.root)
