"""Rows that go together do so as told, all other rows stay as they are, and an impossible row is
told.
"""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import ndtri

from eldercare import load_project
from eldercare.inputs.correlations import FILE, correlation_groups, parse_keys, stream_name
from eldercare.inputs.draws import choose_rows, correlated_streams, draw_assumptions, uniform_stream
from eldercare.inputs.schema import DataFault

DRAWS = 1024


def closeness(one, other):
    return np.corrcoef(ndtri(one), ndtri(other))[0, 1]


def streams(project, city_id):
    rows = choose_rows(project, project.city(city_id))
    return correlated_streams(project, rows, DRAWS, uniform_stream)


def test_partners_go_together_as_closely_as_the_row_says(project):
    found = streams(project, "lincang")
    for one, other in (("65-74||severe", "65-74||moderate"), ("65-74||severe", "85+||mild")):
        tied = [found[f"adl_prevalence||{keys}||"] for keys in (one, other)]
        assert closeness(*tied) == pytest.approx(0.8, abs=0.06)


def test_rows_of_two_judgements_do_not_go_together(project):
    found = streams(project, "lincang")
    one, other = (found[f"setting_use_share||||severe|{at}|"] for at in ("institution", "day_care"))
    assert abs(closeness(one, other)) < 0.1


def test_a_row_of_a_judgement_has_the_same_draws_whoever_else_is_of_it(project):
    """Sanming has rows of its own for institutions, and one of residents per worker."""
    name = "residents_per_caregiver||||mild||"
    one, other = (streams(project, city)[name] for city in ("lincang", "sanming"))
    assert np.array_equal(one, other)
    own = streams(project, "sanming")
    tied = [own[f"setting_use_share|sanming|||{at}|institution|"] for at in ("severe", "mild")]
    assert closeness(*tied) == pytest.approx(0.8, abs=0.06)


def test_pay_of_two_cities_goes_together_through_the_nation(project):
    one, other = (
        streams(project, city)[f"caregiver_wage|{city}|||||"] for city in ("lincang", "sanming")
    )
    assert closeness(one, other) == pytest.approx(0.7**2, abs=0.08)


def test_a_member_keeps_its_own_numbers_in_another_order(project):
    for name, numbers in streams(project, "lincang").items():
        assert np.array_equal(np.sort(numbers), np.sort(uniform_stream(name, DRAWS)))


def test_rows_outside_a_group_stay_bit_identical(project):
    alone = replace(project, correlations=project.correlations.iloc[:0])
    before, after = (
        draw_assumptions(p, project.city("lincang"), draws=64) for p in (alone, project)
    )
    tied = set(project.correlations["assumption_a"]) | set(project.correlations["assumption_b"])
    for name in set(before.rows["assumption"]) - tied:
        assert np.array_equal(before[name].values, after[name].values, equal_nan=True), name
    assert not np.array_equal(before["adl_prevalence"].values, after["adl_prevalence"].values)


def test_another_city_does_not_move_the_pay_of_a_city(project):
    fewer = replace(project, cities={"lincang": project.city("lincang")})
    before, after = (
        draw_assumptions(p, project.city("lincang"), draws=64) for p in (project, fewer)
    )
    assert np.array_equal(before["caregiver_wage"].values, after["caregiver_wage"].values)


def test_the_order_of_the_rows_does_not_matter(project):
    turned = replace(project, correlations=project.correlations.iloc[::-1].reset_index(drop=True))
    for name, numbers in streams(project, "lincang").items():
        assert np.array_equal(numbers, streams(turned, "lincang")[name])


def test_pairs_that_share_a_member_are_one_group(project):
    rows = [(stream_name(row), row) for row in project.assumptions.to_dict("records")]
    table = project.correlations.iloc[[0, 0]].reset_index(drop=True)
    table["assumption_b"] = "adl_prevalence"
    table["keys_a"] = "age_band=65-74; severity=moderate"
    table["keys_b"] = ["age_band=65-74; severity=severe", "age_band=85+; severity=severe"]
    table["correlation"] = [0.5, 0.3]
    [(names, matrix)] = correlation_groups(table, rows)
    assert len(names) == 3
    assert sorted(matrix[np.triu_indices(3, 1)]) == [0, 0.3, 0.5]


@pytest.mark.parametrize("text", ["colour=red", "65-74", "city_id=lincang"])
def test_keys_that_cannot_be_read_are_refused(text):
    with pytest.raises(ValueError):
        parse_keys(text)


PAIR = {
    "assumption_a": "dementia_share_of_residents",
    "assumption_b": "target_occupancy",
    "correlation": "0.5",
    "basis": "guess",
    "source_id": "own_judgement",
}


@pytest.mark.parametrize(
    ("cells", "column", "words"),
    [
        ({"assumption_b": "happiness"}, "assumption_b", "“happiness” is no known assumption"),
        ({"assumption_a": "happiness"}, "assumption_a", "“happiness” is no known assumption"),
        ({"keys_a": "severity=severe"}, "keys_a", "is no row of “dementia_share_of_residents”"),
        ({"keys_b": "colour=red"}, "keys_b", "“colour=red” is no key"),
        (
            {"assumption_b": "dementia_share_of_residents"},
            "keys_b",
            "cannot go together with itself",
        ),
        ({"correlation": "1"}, "correlation", "must be above -1 and below 1"),
        ({"correlation": "-1.2"}, "correlation", "must be above -1 and below 1"),
        ({"correlation": "much"}, "correlation", "is not a number"),
        ({"source_id": "hearsay"}, "source_id", "“hearsay” is no known source"),
        ({"assumption_b": ""}, "keys_a", "names fewer than two rows"),
        ({"assumption_b": "", "keys_b": "severity=mild"}, "keys_b", "keys without an assumption"),
        (
            {"assumption_a": "grade_share_senior", "assumption_b": "", "keys_a": "colour=red"},
            "keys_a",
            "“colour=red” is no key",
        ),
        (
            {"assumption_a": "insurance_benefit", "assumption_b": "", "correlation": "-0.5"},
            "correlation",
            "must be above 0",
        ),
        (
            {"assumption_a": "length_of_stay", "keys_a": "severity=mild"},
            "assumption_a",
            "ties a partner to its judgement already",
        ),
        (
            {"assumption_a": "setting_use_share", "assumption_b": "", "keys_a": "severity=mild"},
            "keys_a",
            "ties some of these rows already",
        ),
    ],
)
def test_a_wrong_cell_is_told_with_its_row_and_column(small_copy, cells, column, words):
    row = len(small_copy.rows(FILE)) + 1
    small_copy.add(FILE, **{**PAIR, **cells})
    with pytest.raises(DataFault) as caught:
        load_project(small_copy.root)
    assert any(
        str(f).startswith(f"{FILE}, row {row}, column {column}: ") and words in str(f)
        for f in caught.value.faults
    )


def test_correlations_that_cannot_hold_together_are_told(small_copy):
    first = {
        "assumption_a": "adl_prevalence",
        "assumption_b": "adl_prevalence",
        "basis": "guess",
        "source_id": "own_judgement",
    }
    keys = [f"age_band={band}; severity=severe" for band in ("65-74", "75-84", "85+")]
    kept = [row for row in small_copy.rows(FILE) if row[0] != "adl_prevalence"]
    small_copy.write(FILE, kept)
    rows = len(kept)
    for (one, other), value in zip(((0, 1), (1, 2), (0, 2)), ("0.9", "0.9", "-0.9")):
        small_copy.add(FILE, **first, keys_a=keys[one], keys_b=keys[other], correlation=value)
    with pytest.raises(DataFault) as caught:
        load_project(small_copy.root)
    [fault] = caught.value.faults
    assert (fault.file, fault.row, fault.column) == (FILE, rows + 3, "correlation")
    assert "not positive definite" in fault.problem


def test_a_pair_told_twice_is_told(small_copy):
    at = len(small_copy.rows(FILE)) + 1
    turned = {"assumption_a": PAIR["assumption_b"], "assumption_b": PAIR["assumption_a"]}
    for cells in (PAIR, {**PAIR, **turned}):
        small_copy.add(FILE, **cells)
    with pytest.raises(DataFault, match=f"the pair stands in row {at} already"):
        load_project(small_copy.root)


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"low": "0.7", "central": "0.7", "high": "0.7"}, "its shape must be fixed"),
        ({"shape": "normal"}, "a normal range has no bounds"),
    ],
)
def test_a_shape_that_does_not_fit_its_bounds_is_told(small_copy, cells, words):
    row = small_copy.find("assumptions.csv", assumption="target_occupancy")
    small_copy.change("assumptions.csv", row, **cells)
    with pytest.raises(DataFault) as caught:
        load_project(small_copy.root)
    assert any(
        f.row == row and f.column == "shape" and words in f.problem for f in caught.value.faults
    )
