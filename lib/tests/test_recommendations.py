"""What to do first: rules held against made-up draws and cities; nothing that a range does not support."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from conftest import DRAWS
from given import made_city, with_cities

from eldercare.analysis import plan, recommendations
from eldercare.analysis.compare import compare_policy
from eldercare.analysis.decomposition import ageing_and_judgement
from eldercare.analysis.recommendations import holds, names_in, recommend
from eldercare.inputs.load import load_project
from eldercare.inputs.schema import DataFault
from eldercare.model.chain import run_city
from eldercare.reporting import area_report

SPREAD = pd.DataFrame(
    {"assumption": ["price_growth", "setting_need_share"], "share_of_spread": [0.5, 0.3]}
)
LITTLE = SPREAD.assign(share_of_spread=[0.9, 0.01])


def rules_of(project, city, spread=LITTLE):
    made = with_cities(project, city)
    result = run_city(made, city.city_id, draws=DRAWS)
    return recommend(made, result, spread).set_index("rule")


def counted(beds, **more):
    return made_city("x", 530900, capacity=[{"year": 2022, "value": beds, **more}])


@pytest.mark.parametrize(
    ("condition", "share"),
    [
        ("empty > 0.1 * beds", 0.75),
        ("empty > 0.1 * beds and beds < 50", 0.0),
        ("unknown > 1", 0.0),
        ("unknown < 1", 0.0),
    ],
)
def test_a_condition_holds_in_a_share_of_the_draws_and_never_of_what_is_unknown(condition, share):
    drawn = {"empty": np.array([5.0, 20.0, 30.0, 40.0]), "beds": 100.0, "unknown": np.nan}
    asked = {name: drawn[name] for name in names_in(condition)}
    assert holds(condition, asked, 4) == share


def test_without_a_count_of_beds_the_count_comes_first_and_nothing_is_said_of_empty_ones(project):
    found = rules_of(project, made_city("x", 530900))
    assert found.index[0] == "count_beds"
    assert not {"convert_first", "open_places", "day_care_first"} & set(found.index)


def test_many_empty_beds_are_converted_before_any_is_built(project):
    found = rules_of(project, counted(60_000))
    assert found.index[0] == "convert_first" and "open_places" not in found.index
    row = found.loc["convert_first"]
    assert row["share"] == 1 and 0 < row["low"] <= row["central"] <= row["high"]
    assert row["unit"] == "bed" and row["body_zh"] and row["budget_en"]


def test_few_beds_are_added_to_and_none_is_called_empty(project):
    found = rules_of(project, counted(600))
    assert "open_places" in found.index and "convert_first" not in found.index
    assert "count_beds" not in found.index


def test_a_guess_that_decides_is_to_be_measured_and_one_that_does_not_is_left(project):
    assert "measure_guess" not in rules_of(project, counted(600)).index
    found = rules_of(project, counted(600), SPREAD)
    assert found.loc["measure_guess", "factor"] == "setting_need_share"
    assert found.loc["measure_guess", "central"] == 0.3


def test_nothing_is_recommended_that_holds_in_fewer_draws_than_asked(project, results):
    result = results["sanming"]
    asked = project.recommendations.assign(condition="bed_all > 0", amount="bed_all", year=2035.0)
    median = float(np.median(plan.amount(result, *plan.PLAN["beds"]["bed_all"]).sel(year=2035)))
    for bound, wanted in ((1, 1), (int(median), 0)):
        rules = asked.head(1).assign(condition=f"bed_all > {bound}")
        found = recommend(replace(project, recommendations=rules), result, LITTLE)
        assert len(found) == wanted


def test_every_rule_names_amounts_that_there_are_and_a_wrong_name_is_told(project):
    recommendations.check_rules(project.recommendations)
    wrong = project.recommendations.head(1).assign(condition="happiness > 1")
    with pytest.raises(DataFault, match="“happiness” is no amount; there are: "):
        recommendations.check_rules(wrong)


def test_a_condition_that_is_none_is_told_with_its_row(small_copy):
    small_copy.change("recommendations.csv", 2, condition="import os")
    with pytest.raises(DataFault, match="recommendations.csv, row 2, column condition"):
        load_project(small_copy.root)


def test_any_area_is_held_against_the_targets_of_nation_and_province(project, results):
    found = compare_policy(project, results["lincang"]).set_index("target_id")
    assert {"nation_nursing_share_2025", "nation_nursing_share_2030"} <= set(found.index)
    assert found.loc["yunnan_nursing_share_2025", "adcode"] == 530000
    chishui = compare_policy(project, results["chishui"])
    assert set(chishui["adcode"]) == {100000} and len(chishui)
    row = found.loc["nation_nursing_share_2030"]
    need = results["lincang"].values["nursing_bed_share_needed"].sel(measure="need", year=2030)
    assert row["chance"] == pytest.approx(float((need <= 0.73).mean()))
    assert (row["promised"], row["status"]) == (0.73, "draft")


def test_ageing_and_judgement_are_all_of_the_rise(results):
    for result in results.values():
        parts = ageing_and_judgement(result, 2035)
        whole = parts["start"] + parts["ageing"] + parts["judgement"]
        assert whole == pytest.approx(parts["end"])


def test_any_area_is_told_how_it_stands_to_the_targets(project):
    told = area_report.area_targets(project, 520381, 16).splitlines()
    assert any("2030, target draft for all areas: 73%" in line for line in told)
    assert all("the chance that the target is enough" in line for line in told)
