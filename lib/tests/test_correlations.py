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
    for band in ("65-74", "75-84", "85+"):
        one, other = (
            found[f"adl_prevalence||{band}||{severity}||"] for severity in ("moderate", "severe")
        )
        assert closeness(one, other) == pytest.approx(0.5, abs=0.06)


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
    table.loc[1, ["keys_b", "correlation"]] = ["age_band=85+; severity=severe", 0.3]
    [(names, matrix)] = correlation_groups(table, rows)
    assert len(names) == 3
    assert sorted(matrix[np.triu_indices(3, 1)]) == [0, 0.3, 0.5]


@pytest.mark.parametrize("text", ["colour=red", "65-74", "city_id=lincang"])
def test_keys_that_cannot_be_read_are_refused(text):
    with pytest.raises(ValueError):
        parse_keys(text)


@pytest.mark.parametrize(
    ("cells", "column", "words"),
    [
        ({"assumption_b": "happiness"}, "assumption_b", "“happiness” is no known assumption"),
        ({"keys_a": "age_band=66-74; severity=severe"}, "keys_a", "is no row of “adl_prevalence”"),
        ({"keys_b": "colour=red"}, "keys_b", "“colour=red” is no key"),
        (
            {"keys_b": "age_band=65-74; severity=moderate"},
            "keys_b",
            "cannot go together with itself",
        ),
        ({"correlation": "1"}, "correlation", "must be above -1 and below 1"),
        ({"correlation": "-1.2"}, "correlation", "must be above -1 and below 1"),
        ({"correlation": "much"}, "correlation", "is not a number"),
        ({"source_id": "hearsay"}, "source_id", "“hearsay” is no known source"),
    ],
)
def test_a_wrong_cell_is_told_with_its_row_and_column(small_copy, cells, column, words):
    small_copy.change(FILE, 2, **cells)
    with pytest.raises(DataFault) as caught:
        load_project(small_copy.root)
    assert any(
        str(f).startswith(f"{FILE}, row 2, column {column}: ") and words in str(f)
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
    rows = len(small_copy.rows(FILE))
    for (one, other), value in zip(((0, 1), (1, 2), (0, 2)), ("0.9", "0.9", "-0.9")):
        small_copy.add(FILE, **first, keys_a=keys[one], keys_b=keys[other], correlation=value)
    with pytest.raises(DataFault) as caught:
        load_project(small_copy.root)
    [fault] = caught.value.faults
    assert (fault.file, fault.row, fault.column) == (FILE, rows + 3, "correlation")
    assert "not positive definite" in fault.problem


def test_a_pair_told_twice_is_told(small_copy):
    row = dict(zip(*small_copy.rows(FILE)[:2]))
    row["keys_a"], row["keys_b"] = row["keys_b"], row["keys_a"]
    small_copy.add(FILE, **row)
    with pytest.raises(DataFault, match="the pair stands in row 2 already"):
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
