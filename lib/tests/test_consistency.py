"""The checks of the plans: on the figures of the five documents, and on rows changed for the
purpose.
"""

import dataclasses

import pandas as pd
import pytest

import eldercare as ec
from eldercare.analysis import comparable
from eldercare.documents import consistency, crosscheck
from eldercare.reporting.language import LANGUAGES, load_language
from eldercare.reporting.tables import listed


@pytest.fixture(scope="module")
def words(project):
    return load_language(project, "en")


def city_with(project, city_id, **cells):
    """The project with some cells of a city's targets changed: target_id=dict(column=value)."""
    city = project.city(city_id)
    targets = city.targets.copy()
    for target_id, changes in cells.items():
        for column, value in changes.items():
            targets.loc[targets["target_id"] == target_id, column] = value
    changed = dataclasses.replace(city, targets=targets)
    return dataclasses.replace(project, cities={**project.cities, city_id: changed}), changed


def one(check, project, city_id):
    found = check(project, project.city(city_id))
    assert len(found) == 1
    return found[0]


def test_beds_at_a_ratio_imply_people_that_no_count_of_the_year_reaches(project):
    found = one(crosscheck.beds_imply_people, project, "sanming")
    assert found.numbers["implied"] == pytest.approx(431_250)
    assert found.numbers["census_2010"] == 339_804
    assert found.numbers["census_2020"] == 476_817
    assert 431_250 < found.numbers["residents_2016"] < found.numbers["residents_2017"]
    assert found.verdict == crosscheck.CONFLICT


def test_a_ratio_that_the_beds_reach_is_no_conflict(project):
    changed, city = city_with(project, "sanming", sanming_030={"value": 20.0})
    assert crosscheck.beds_imply_people(changed, city)[0].verdict == crosscheck.OPEN


def test_the_printed_stock_ratio_is_not_of_the_count_beside_it(project):
    found = one(crosscheck.stock_implies_people, project, "sanming")
    assert found.numbers["implied"] == pytest.approx(13_286 / 31.5 * 1000)
    assert found.numbers["per_1000_own"] == pytest.approx(28.7, abs=0.05)
    assert found.verdict == crosscheck.CONFLICT


def test_stock_and_new_beds_reach_the_total(project):
    assert one(crosscheck.new_beds_reach_total, project, "sanming").numbers == {
        "reached": 13_886,
        "spare": 86,
    }
    changed, city = city_with(project, "sanming", sanming_010={"value": 500.0})
    assert crosscheck.new_beds_reach_total(changed, city)[0].verdict == crosscheck.CONFLICT


def test_homes_a_year_reach_the_total_only_from_before_the_document(project):
    found = one(crosscheck.yearly_reaches_total, project, "lincang")
    assert found.numbers == {"years": 5, "first_year": 2021, "from_plan_year": 800}


def test_the_minimum_area_decides_below_1500_households(project):
    assert one(consistency.premises, project, "lincang").numbers == {
        "households": 1_500,
        "households_existing": 2_000,
    }


def test_childcare_places_are_of_all_people(project):
    found = one(crosscheck.childcare_places, project, "lincang")
    assert found.numbers["places"] == pytest.approx(3 * 2_257_991 / 1000)
    assert found.numbers["document"] == 83_000


def test_private_homes_and_government_beds_are_not_the_same_measure(project):
    found = one(crosscheck.private_and_government, project, "shangqiu")
    assert found.numbers == {"private": 0.5, "beds_of_others": 0.5}
    assert found.verdict == crosscheck.OPEN


def test_shares_of_33_institutions_are_not_whole(project):
    found = one(consistency.whole_institutions, project, "shengzhou")
    assert found.numbers == {"institutions": 33, "broken": 3, "multiple": 10}
    assert one(consistency.whole_institutions, project, "sanming").verdict == crosscheck.AGREE


def test_a_damaged_share_without_a_reading_enters_no_check(project):
    changed, city = city_with(project, "shengzhou", shengzhou_260={"reading": ""})
    assert consistency.whole_institutions(changed, city)[0].numbers["broken"] == 2


def test_two_stages_were_over_before_the_plan_was_issued(project):
    found = one(consistency.stages_before_issue, project, "chishui")
    assert found.numbers == {"stages": 4, "over": 2, "begun": 1, "overlaps": 1}
    assert one(consistency.stages_before_issue, project, "sanming").numbers["over"] == 0


def test_eleven_deadlines_fall_into_the_month_of_issue(project):
    found = one(consistency.deadlines_at_once, project, "sanming")
    assert (found.numbers["at_once"], found.numbers["days_left"]) == (11, 14)


def test_70_per_cent_of_towns_said_twice_differ_in_the_bound_only(project, words):
    found = one(consistency.restated_targets, project, "lincang")
    assert found.numbers == {"again": 11, "differing": 1, "other_value": 0}
    assert "70%以上乡镇(街道)" in words.say(found.result[1])
    changed, city = city_with(project, "lincang", lincang_220={"value": 0.6})
    assert consistency.restated_targets(changed, city)[0].verdict == crosscheck.CONFLICT


def test_a_later_year_that_promises_less_is_a_conflict(project):
    assert one(consistency.targets_for_two_years, project, "shengzhou").numbers["same"] == 6
    changed, city = city_with(project, "shengzhou", shengzhou_090={"value": 3.0})
    assert consistency.targets_for_two_years(changed, city)[0].verdict == crosscheck.CONFLICT


def test_the_reading_of_a_damaged_count_fits_the_city_and_the_print_does_not(project):
    numbers = one(crosscheck.damaged_counts, project, "shengzhou").numbers
    assert numbers["printed_share"] < 0.001 < 0.8 < numbers["read_share"] < 1


def test_every_check_finds_something_in_the_five_documents(project):
    table = consistency.consistency_table(project)
    assert set(table["check"]) == {check.__name__ for check in consistency.CHECKS}
    assert consistency.NOT_CHECKED not in set(table["finding"])
    for code in LANGUAGES:
        told = listed(load_language(project, code), table, consistency.COLUMNS)
        assert (told != "").all(axis=None)
        assert not told.map(lambda cell: "{" in cell).any(axis=None)


def test_a_finding_is_told_in_either_language_with_its_figures(project):
    found = one(crosscheck.new_beds_reach_total, project, "sanming")
    english, chinese = (load_language(project, code).say(found.result[0]) for code in LANGUAGES)
    assert english == "13,286 + 600 = 13,886; promised 13,800."
    assert chinese == "13286 + 600 = 13886；目标13800。"


def test_without_a_city_its_checks_say_so_and_do_not_fail(project):
    rest = dataclasses.replace(project, cities={"chishui": project.city("chishui")})
    table = consistency.consistency_table(rest).set_index("check")
    assert table.at["beds_imply_people", "finding"] == consistency.NOT_CHECKED
    assert table.at["stages_before_issue", "city_id"] == "chishui"


def test_a_city_without_targets_and_capacity_gives_no_finding(small_copy):
    small_copy.add_city("changle", 370703)
    project = ec.load_project(small_copy.root)
    assert [check(project, project.city("changle")) for check in consistency.CHECKS] == [[]] * len(
        consistency.CHECKS
    )


def test_shares_of_one_whole_are_comparable_and_of_two_are_not(results):
    table = comparable.comparable_table(results)
    nursing = table[table["quantity"] == "nursing_beds"].groupby("city_id")["verdict"].first()
    assert {city for city in nursing.index if nursing[city] == comparable.YES} == {
        "lincang",
        "sanming",
        "shengzhou",
    }
    assert nursing["shangqiu"] == "other_whole"


def test_what_the_document_does_not_say_is_never_comparable(results):
    table = comparable.comparable_table(results)
    unsaid = table[table["denominator"].str.contains("not said")]
    assert len(unsaid) >= 4
    assert not unsaid["verdict"].isin([comparable.YES, "lower_bound"]).any()


def test_homes_adapted_a_year_are_put_on_the_residents_of_60_and_over(results):
    table = comparable.comparable_table(results)
    rows = table[table["quantity"] == "homes_a_year_per_1000"].set_index("city_id")
    older = comparable.residents(results["lincang"], "population_60_plus", 2022)
    assert rows.at["lincang", "value"] == pytest.approx(200 / older * 1000)
    assert set(rows["verdict"]) == {comparable.YES}


def test_one_plan_alone_is_compared_with_none(results):
    table = comparable.comparable_table({"lincang": results["lincang"]})
    assert not (table["verdict"] == comparable.YES).any()
    assert comparable.comparable_table({}).empty


def test_the_whole_ledger_and_its_damaged_figures_are_shown(project):
    for city in project.cities.values():
        table = comparable.ledger(city)
        assert table["quote_zh"].tolist() == city.targets["quote_zh"].tolist()
        whole = table["suspect"] == ""
        assert table.loc[whole, "printed"].str.contains("✗").sum() == 0
        confirmed = table["usable"] == "yes"
        assert table.loc[~whole & confirmed, "printed"].str.endswith(" (✗)").all()
        assert table.loc[~whole & ~confirmed, "printed"].str.endswith(" ✗").all()
    figures = pd.concat([comparable.ledger(city) for city in project.cities.values()])
    damaged = figures[figures["suspect"] != ""]
    assert (
        len(damaged)
        == sum((city.targets["suspect"] != "").sum() for city in project.cities.values())
        > 0
    )
    shengzhou = comparable.ledger(project.city("shengzhou")).set_index("target_id")
    assert "61人" in shengzhou.at["570", "quote_zh"]
