"""A fault in data/ is told by file, row and column, all faults at once; nothing is calculated on
it.
"""

import re
import shutil

import pytest
from conftest import english_left

from eldercare import load_project, messages, run_city
from eldercare.app import cli
from eldercare.inputs import schema
from eldercare.inputs.load import file_rows
from eldercare.inputs.reading import empty_table, read_table
from eldercare.inputs.schema import DataFault
from eldercare.reporting.results import Results

NATION = "assumptions.csv"
TARGETS = "cities/lincang/targets.csv"
CAPACITY = "cities/lincang/capacity.csv"
CENSUS = "china/census_age_sex.csv"


def told(copy) -> list[str]:
    """The lines of the message, one a fault."""
    with pytest.raises(DataFault) as caught:
        load_project(copy.root)
    head, *lines = str(caught.value).splitlines()
    assert head.startswith(f"{len(lines)} fault")
    assert_chinese(caught.value)
    return [line.strip() for line in lines]


def assert_chinese(fault):
    """Every line of the message is told in Chinese too, whole."""
    lines = messages.told(str(fault), "zh").splitlines()
    assert [line for line in lines if english_left(line) or not re.search("[一-鿿]", line)] == []


def assert_told(lines, file, row, column, words):
    """One line names the file and the row, and the column in its place or in its words."""
    at_place = re.compile(
        rf"{re.escape(file)}, row {row}(, column {column}: .*|: .*\b{column}\b.*)"
    )
    assert any(at_place.fullmatch(line) and words in line for line in lines), lines


def test_the_data_of_the_project_have_no_fault(project):
    assert len(project.cities) >= 5


@pytest.mark.parametrize(
    ("file", "cells", "column", "words"),
    [
        (NATION, {"unit": "beds"}, "unit", "“beds” must be one of"),
        (NATION, {"high": "1.5", "unit": "share"}, "high", "a share must be from 0 to 1"),
        (NATION, {"year_from": "20205"}, "year_from", "four digits"),
        (NATION, {"source_id": "hearsay"}, "source_id", "“hearsay” is no known source"),
        (NATION, {"central": "many"}, "central", "“many” is not a number"),
        (NATION, {"central": ""}, "central", "a number is needed"),
        (NATION, {"low": "0.5", "central": "0.4", "high": "0.6"}, "low", "low <= central <= high"),
        (NATION, {"shape": "fixed"}, "low", "fixed needs low = central = high"),
        (
            NATION,
            {"unit": "yuan_per_bed", "price_year": ""},
            "price_year",
            "money needs a price_year",
        ),
        (NATION, {"shape": "lognormal", "low": "0"}, "low", "must begin above 0"),
        (TARGETS, {"value": "-5", "unit": "bed"}, "value", "must not be negative"),
        (TARGETS, {"value": "1.2", "unit": "share"}, "value", "a share must be from 0 to 1"),
        (TARGETS, {"target_year": "20205"}, "target_year", "four digits"),
        (TARGETS, {"measured_by": "happiness"}, "measured_by", "“happiness” is no known indicator"),
        (TARGETS, {"source_id": "hearsay"}, "source_id", "“hearsay” is no known source"),
        (CAPACITY, {"value": "-1"}, "value", "must not be negative"),
        (CAPACITY, {"year": "214"}, "year", "four digits"),
        (CAPACITY, {"city_id": "sanming"}, "city_id", "must be lincang"),
    ],
)
def test_a_wrong_cell_is_told_with_its_file_row_and_column(small_copy, file, cells, column, words):
    row = {
        NATION: lambda: small_copy.find(NATION, assumption="target_occupancy"),
        TARGETS: lambda: small_copy.find(TARGETS, follow_up="measured"),
        CAPACITY: lambda: 3,
    }[file]()
    small_copy.change(file, row, **cells)
    assert_told(told(small_copy), file, row, column, words)


def test_a_missing_column_is_told_at_the_header(small_copy):
    rows = small_copy.rows(NATION)
    place = rows[0].index("central")
    small_copy.write(NATION, [row[:place] + row[place + 1 :] for row in rows])
    assert told(small_copy) == [f"{NATION}, row 1, column central: this column is missing"]


def test_an_unknown_column_is_told_at_the_header(small_copy):
    rows = small_copy.rows(TARGETS)
    small_copy.write(TARGETS, [[*row, "colour" if row is rows[0] else ""] for row in rows])
    assert_told(told(small_copy), TARGETS, 1, "colour", "this column is unknown")


def test_a_key_that_stands_twice_is_told_at_its_second_place(small_copy):
    rows = small_copy.rows(NATION)
    small_copy.write(NATION, [*rows, rows[3]])
    assert_told(
        told(small_copy), NATION, len(rows) + 1, "assumption", "stands in the table already"
    )


@pytest.mark.parametrize(("new", "word"), [("77-84", "a gap"), ("72-84", "an overlap")])
def test_age_bands_that_do_not_join_are_told(small_copy, new, word):
    row = small_copy.find(NATION, assumption="dementia_prevalence", age_band="75-84")
    small_copy.change(NATION, row, age_band=new)
    assert_told(told(small_copy), NATION, row, "age_band", word)


def test_a_band_of_ages_that_cannot_be_read_is_told(small_copy):
    row = small_copy.find(NATION, assumption="dementia_prevalence", age_band="85+")
    small_copy.change(NATION, row, age_band="old")
    assert_told(told(small_copy), NATION, row, "age_band", "“old” is no age band")


def test_a_file_in_gbk_is_told_with_what_to_do(small_copy):
    path = small_copy.data / TARGETS
    path.write_bytes(path.read_text("utf-8-sig").encode("gb18030"))
    [line] = told(small_copy)
    assert line.startswith(f"{TARGETS}: the file is not UTF-8: it looks like GBK")
    assert "CSV UTF-8" in line


def test_a_byte_order_mark_is_accepted(small_copy, project):
    for name in (NATION, TARGETS, CAPACITY):
        path = small_copy.data / name
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    assert load_project(small_copy.root).assumptions.equals(project.assumptions)


@pytest.mark.parametrize(
    "content", [b"", b"\n\n", b"\xef\xbb\xbf"], ids=["nothing", "blanks", "only a BOM"]
)
def test_an_empty_file_is_told(small_copy, content):
    (small_copy.data / CAPACITY).write_bytes(content)
    assert told(small_copy) == [f"{CAPACITY}: the file is empty; a header row is needed"]


def test_a_ragged_row_is_told(small_copy):
    rows = small_copy.rows(CAPACITY)
    width = len(rows[0])
    small_copy.write(CAPACITY, [*rows[:4], rows[4][:-2], *rows[5:]])
    assert told(small_copy) == [
        f"{CAPACITY}, row 5: has {width - 2} cells where the header has {width}"
    ]


def test_several_faults_of_one_file_are_told_together(small_copy):
    small_copy.change(CAPACITY, 2, value="many")
    small_copy.change(CAPACITY, 5, unit="beds")
    lines = told(small_copy)
    assert len(lines) == 2
    assert_told(lines, CAPACITY, 2, "value", "not a number")
    assert_told(lines, CAPACITY, 5, "unit", "“beds” must be yuan, the unit of gdp in facts.csv")


def test_faults_of_two_files_are_told_together(small_copy):
    small_copy.change(CAPACITY, 2, value="many")
    small_copy.change(NATION, 7, shape="square")
    lines = told(small_copy)
    assert len(lines) == 2
    assert_told(lines, CAPACITY, 2, "value", "not a number")
    assert_told(lines, NATION, 7, "shape", "must be one of")


def test_rows_are_numbered_as_in_a_spreadsheet(small_copy):
    small_copy.change(NATION, 2, central="first row under the header")
    assert_told(told(small_copy), NATION, 2, "central", "not a number")


def test_a_blank_line_counts_as_a_row_as_in_a_spreadsheet(small_copy):
    small_copy.change(NATION, 9, central="nine")
    lines = (small_copy.data / NATION).read_text("utf-8").splitlines(keepends=True)
    (small_copy.data / NATION).write_text("".join([*lines[:4], "\n", *lines[4:]]), "utf-8")
    assert_told(told(small_copy), NATION, 10, "central", "“nine” is not a number")


def test_a_census_without_an_age_column_is_told(small_copy):
    rows = small_copy.rows(CENSUS)
    place = rows[0].index("age_60_64")
    small_copy.write(CENSUS, [row[:place] + row[place + 1 :] for row in rows])
    assert_told(told(small_copy), CENSUS, 1, "age_60_64", "missing")


@pytest.mark.parametrize(
    ("column", "cell", "words"),
    [
        ("age_85_plus", "-3", "must not be negative"),
        ("age_0", "few", "not a number"),
        ("sex", "Female", "must be one of"),
    ],
)
def test_a_wrong_cell_of_the_census_is_told(small_copy, column, cell, words):
    row = small_copy.find(CENSUS, adcode="530900", year="2020", sex="female")
    small_copy.change(CENSUS, row, **{column: cell})
    assert_told(told(small_copy), CENSUS, row, column, words)


@pytest.mark.parametrize(
    ("file", "column", "cell", "words"),
    [
        ("china/published_care_need.csv", "low", "many", "not a number"),
        ("china/published_care_need.csv", "unit", "people", "must be one of"),
        ("china/published_care_need.csv", "source_id", "hearsay", "no known source"),
        ("china/published_money.csv", "source_id", "hearsay", "no known source"),
        (
            "china/published_money.csv",
            "series",
            "pensions",
            "must be one of: eldercare_services, insurance, old_age_welfare",
        ),
        ("china/published_money.csv", "unit", "yuan", "must be yuan_per_year"),
        ("china/published_money.csv", "year", "2019", "must be from 2020 to 2050"),
        ("china/care_grade.csv", "severity", "heavy", "must be one of"),
        ("table_rows.csv", "source_ids", "wpp_2024 hearsay", "“hearsay” is no known source"),
        ("table_rows.csv", "every_area", "most", "“most” must be one of: no, yes"),
        ("china/care_grade.csv", "last_grade", "0", "must not lie before first_grade"),
    ],
)
def test_a_wrong_cell_of_a_national_table_is_told(small_copy, file, column, cell, words):
    small_copy.change(file, 3, **{column: cell})
    assert_told(told(small_copy), file, 3, column, words)


CITY_ROWS = "cities/lincang/assumptions.csv"


def test_a_row_that_begins_in_a_year_is_told_where_nothing_changes_by_year(small_copy):
    row = small_copy.find(NATION, assumption="target_occupancy")
    small_copy.change(NATION, row, year_from="2030")
    assert_told(
        told(small_copy),
        NATION,
        row,
        "year_from",
        "the same in all years: leave it empty; by year may change building_subsidy",
    )


@pytest.mark.parametrize("file", [NATION, CITY_ROWS])
def test_a_key_with_nothing_in_force_before_its_year_is_told(small_copy, file):
    if file == CITY_ROWS:
        row = small_copy.find(CITY_ROWS, assumption="insurance_coverage", year_from="2028")
        small_copy.change(CITY_ROWS, row, setting="institution")
    else:
        row = small_copy.find(NATION, assumption="insurance_benefit", setting="day_care")
        small_copy.change(NATION, row, year_from="2026")
    assert_told(told(small_copy), file, row, "year_from", "nothing is in force before that year")


def test_a_city_s_row_among_the_nation_s_is_told_and_never_passed_over(small_copy):
    small_copy.change(NATION, 5, city_id="lincang")
    words = (
        "“lincang” must be empty: these rows are the nation's; a city's stand in cities/lincang/"
    )
    assert_told(told(small_copy), NATION, 5, "city_id", words)


def test_an_unknown_area_code_is_told(small_copy):
    small_copy.change("cities/lincang/city.csv", 2, adcode="530999")
    assert_told(
        told(small_copy), "cities/lincang/city.csv", 2, "adcode", "530999 is no area of the census"
    )


def test_a_city_folder_without_city_csv_is_told(small_copy):
    (small_copy.data / "cities/lincang/city.csv").unlink()
    assert told(small_copy) == ["cities/lincang/city.csv: the file is missing"]


def test_a_city_folder_with_another_name_is_told(small_copy):
    shutil.move(small_copy.data / "cities/lincang", small_copy.data / "cities/linxiang")
    assert_told(told(small_copy), "cities/linxiang/city.csv", 2, "city_id", "name of its folder")


def test_a_city_without_capacity_says_so_and_never_zero(full_copy, results):
    (full_copy.data / "cities/sanming/capacity.csv").unlink()
    project = load_project(full_copy.root)
    blind = Results(project, {"sanming": run_city(project, "sanming", draws=64)}).stock()
    known = Results(project, {"sanming": results["sanming"]}).stock()
    assert known["value"].item() == 13286
    assert blind["value"].isna().all()


def test_without_capacity_the_building_cost_leaves_the_gap_out(full_copy, results):
    (full_copy.data / "cities/sanming/capacity.csv").unlink()
    (full_copy.data / "cities/shangqiu/capacity.csv").write_text(
        "city_id,indicator,bed_type,year,value,unit,population_basis,source_id,locator,note\n"
        "shangqiu,beds_total,,2020,0,bed,,own_judgement,,\n",
        "utf-8",
    )
    changed = load_project(full_copy.root)
    use = {"year": slice(2021, None), "measure": "need"}

    def building(result):
        return result.values["building_cost_needed"].sel(use).values

    blind = building(run_city(changed, "sanming", draws=64))
    assert (
        (blind >= 0).all()
        and (blind > 0).mean() > 0.99
        and (blind != building(results["sanming"])).any()
    )
    nothing_stands = building(run_city(changed, "shangqiu", draws=64))
    assert (
        nothing_stands[:, 5] > 1.2 * building(results["shangqiu"])[:, 5]
    ).all()  # from 2026 on a tenth of the gap is closed a year


CITY_TABLES = ("targets", "assumptions", "capacity", "progress", "exceptions")


def test_tables_with_a_header_alone_say_as_little_as_none(small_copy):
    for name in CITY_TABLES:
        columns = getattr(schema, name.upper()).columns
        small_copy.write(f"cities/lincang/{name}.csv", [list(columns)])
    small_copy.write("scenarios/mine.csv", [list(schema.ASSUMPTIONS.columns)])
    project = load_project(small_copy.root)
    city = project.city("lincang")
    assert city.capacity is None and project.scenarios["mine"].empty
    for name in ("targets", "assumptions", "progress"):
        wanted = empty_table(getattr(schema, name.upper())).dtypes
        assert getattr(city, name).dtypes.equals(wanted)


@pytest.mark.parametrize("file", [NATION, "cities/lincang/city.csv"])
def test_a_table_that_must_have_rows_and_has_a_header_alone_is_told(small_copy, file):
    small_copy.write(file, small_copy.rows(file)[:1])
    assert f"{file}, row 2: there is a header and no row below it" in told(small_copy)


def read_text(tmp_path, text, encoding="utf-8"):
    """Capacity of x as a file with this text tells it."""
    (tmp_path / "capacity.csv").write_bytes(text.encode(encoding))
    return read_table(tmp_path / "capacity.csv", schema.CAPACITY)


def lines_told(tmp_path, text, encoding="utf-8"):
    with pytest.raises(DataFault) as caught:
        read_text(tmp_path, text, encoding)
    assert_chinese(caught.value)
    return [str(fault) for fault in caught.value.faults]


COLUMNS = ",".join(schema.CAPACITY.columns)
A_ROW = "x,beds_total,,2024,3486,bed,,own_judgement,,"


@pytest.mark.parametrize("tail", [",", ",,,", ", ,"])
def test_what_a_spreadsheet_leaves_empty_at_the_end_is_dropped(tmp_path, tail):
    blank = "," * COLUMNS.count(",")
    rows = [COLUMNS, blank, A_ROW, "", blank, A_ROW.replace("2024", "2023"), blank]
    table = read_text(tmp_path, "\n".join(row + tail if row else row for row in rows))
    assert list(table["year"]) == [2024, 2023] and list(table.columns) == COLUMNS.split(",")
    assert list(table.index + 2) == [3, 6]
    assert list(file_rows(tmp_path, "capacity.csv").index) == [3, 6]


def test_a_row_below_a_blank_one_is_told_by_its_own_number_in_what_is_laid_side_by_side(small_copy):
    rows = small_copy.rows(CAPACITY)
    rows[3][rows[0].index("source_id")] = "hearsay"
    small_copy.write(CAPACITY, [*rows[:2], [""] * len(rows[0]), *rows[2:]])
    assert_told(told(small_copy), CAPACITY, 5, "source_id", "“hearsay” is no known source")


def test_a_cell_beyond_the_last_named_column_is_told(tmp_path):
    wide = len(COLUMNS.split(",")) + 1
    assert lines_told(tmp_path, f"{COLUMNS},\n{A_ROW},seen\n") == [
        f"capacity.csv, row 2: has {wide} cells where the header has {wide - 1}"
    ]
    unnamed = COLUMNS.replace("locator", "")
    assert lines_told(tmp_path, f"{unnamed}\n{A_ROW}\n") == [
        "capacity.csv, row 1: the 9. column has no name"
    ]


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (("2024", "2024/12/31"), "column year: “2024/12/31” is not a number; write the year, 2024"),
        (("2024", "2024年"), "“2024年” is not a number; write the year, 2024"),
        (("3486", "25%"), "column value: “25%” is not a number; write 0.25"),
        (("3486", "２５％"), "write 0.25"),
        (("3486", '"3,486"'), "“3,486” is not a number; write 3486 without the comma"),
        (("3486", "３４８６"), "write 3486, in half-width digits"),
        (("3486", "33.8万"), "write 338000"),
        (("3486", '"3,5"'), "write 3.5 with a decimal point"),
        (("3486", "many"), "write digits and a decimal point"),
    ],
)
def test_a_number_that_cannot_be_read_is_told_with_what_to_write(tmp_path, cells, words):
    [line] = lines_told(tmp_path, f"{COLUMNS}\n{A_ROW.replace(*cells)}\n")
    assert line.startswith("capacity.csv, row 2, column ") and words in line


def test_another_separator_or_utf_16_is_one_fault_that_says_so(tmp_path):
    text = f"{COLUMNS}\n{A_ROW}\n"
    for sign, name in ((";", "semicolons"), ("\t", "tabs")):
        assert lines_told(tmp_path, text.replace(",", sign)) == [
            f"capacity.csv, row 1: its cells are parted by {name}; save it as “CSV UTF-8”, parted by commas"
        ]
    [line] = lines_told(tmp_path, text, "utf-16")
    assert "the file is UTF-16" in line and "CSV UTF-8" in line


def test_a_range_the_wrong_way_round_is_told_once(small_copy):
    row = small_copy.find(NATION, assumption="target_occupancy")
    small_copy.change(NATION, row, low="0.9", central="0.8", high="0.7")
    assert told(small_copy) == [
        f"{NATION}, row {row}, column low: low, central and high must not fall: low <= central <= high"
    ]


def test_a_unit_that_is_none_is_told_with_the_units_of_its_row(small_copy):
    small_copy.change(CITY_ROWS, 2, unit="Yuan")
    measured = small_copy.find(TARGETS, measured_by="home_adaptations_needed")
    small_copy.change(TARGETS, measured, unit="homes")
    lines = told(small_copy)
    name = small_copy.rows(CITY_ROWS)[1][0]
    assert len(lines) == 2
    assert_told(lines, CITY_ROWS, 2, "unit", f"the unit of {name} in assumptions.csv")
    assert_told(lines, TARGETS, measured, "unit", "“homes” must be household, the unit of ")


def test_of_units_the_most_alike_is_told_first_where_the_row_does_not_say_its_own(small_copy):
    row = small_copy.find(NATION, assumption="target_occupancy")
    small_copy.change(NATION, row, unit="shares")
    assert_told(told(small_copy), NATION, row, "unit", "“shares” must be one of: share, bed, ")


def test_a_unit_of_the_nation_is_held_against_the_assumption_s_own(small_copy):
    row = small_copy.find(NATION, unit="yuan_per_worker_month")
    name = small_copy.rows(NATION)[row - 1][0]
    small_copy.change(NATION, row, unit="yuan_per_year")
    words = f"“yuan_per_year” must be yuan_per_worker_month, the unit of {name} in assumption_steps"
    assert_told(told(small_copy), NATION, row, "unit", words)


@pytest.mark.parametrize("file", [NATION, CITY_ROWS, "scenarios/x.csv"])
def test_what_cannot_be_below_zero_is_never_drawn_below(small_copy, file):
    row = small_copy.find(NATION, unit="resident_per_worker")
    cells = dict(zip(small_copy.rows(NATION)[0], small_copy.rows(NATION)[row - 1]))
    cells |= {"low": "1", "central": "4", "high": "8", "shape": "triangular"}
    if file == NATION:
        small_copy.change(file, row, **cells)
    else:
        cells["city_id"] = "lincang" if file == CITY_ROWS else ""
        small_copy.write(file, [list(cells), list(cells.values())])
        row = 2
    words = "with “1” the range of this row reaches down to -1.43"
    assert_told(told(small_copy), file, row, "low", words)


@pytest.mark.parametrize(
    ("cell", "words"),
    [("inf", "“inf” is not a number"), ("NaN", "“NaN” is not a number"), ("1e999", "not a number")],
)
def test_infinity_and_no_number_are_no_numbers(tmp_path, cell, words):
    [line] = lines_told(tmp_path, f"{COLUMNS}\n{A_ROW.replace('3486', cell)}\n")
    assert words in line or "a number is needed" in line


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2024/12/31", "2024-12-31"), ("2024/1/5", "2024-01-05"), ("2024-12-31", "2024-12-31"),
        ("2024年12月31日", "2024-12-31"), ("2024年12月", "2024-12"), ("2024/12/31 0:00", "2024-12-31"),
    ],
)  # fmt: skip
def test_a_date_is_read_as_excel_and_chinese_texts_write_it(tmp_path, written, read):
    columns = ",".join(schema.PROGRESS.columns)
    (tmp_path / "progress.csv").write_text(f"{columns}\nx_1,{written},city,5,bed,s,,\n", "utf-8")
    assert read_table(tmp_path / "progress.csv", schema.PROGRESS)["reported_on"].item() == read


@pytest.mark.parametrize("sign", ["\v", "\f", "\u2028", "\u2029", "\x85"])
def test_a_break_within_a_cell_neither_parts_the_row_nor_moves_those_below(tmp_path, sign):
    rows = [COLUMNS, f"{A_ROW}one{sign}two", A_ROW.replace("2024", "2023")]
    table = read_text(tmp_path, "\n".join(rows))
    assert list(table["note"]) == ["one two", ""] and list(table.index + 2) == [2, 3]


def test_a_very_long_cell_is_read(tmp_path):
    assert len(read_text(tmp_path, f"{COLUMNS}\n{A_ROW}{'长' * 200_000}")["note"].item()) == 200_000


def test_a_control_character_is_told(tmp_path):
    [line] = lines_told(tmp_path, f"{COLUMNS}\n{A_ROW}bell\a\n")
    assert line == (
        "capacity.csv, row 2, column note: holds a control character (code 7); retype the cell"
    )


@pytest.mark.parametrize(
    "file", ["china/census_area", "china/projection_error", "china/wpp2024_annual"]
)
def test_a_renamed_column_of_a_national_table_is_told_with_what_stands_there(small_copy, file):
    rows = small_copy.rows(f"{file}.csv")
    old, rows[0][1] = rows[0][1], "renamed"
    small_copy.write(f"{file}.csv", rows)
    words = "this column is missing; unknown in its place: renamed"
    assert f"{file}.csv, row 1, column {old}: {words}" in told(small_copy)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("Progress.csv", "progress.csv"), ("target.csv", "targets.csv"),
        ("capacity (1).csv", "capacity.csv"), ("targets - 副本.csv", "targets.csv"),
        ("assumption.xlsx", "assumptions.xlsx"), ("capacity.csv.txt", "capacity.csv"),
    ],
)  # fmt: skip
def test_an_unknown_table_is_told_with_the_nearest_known(small_copy, name, nearest):
    (small_copy.data / "cities/lincang" / name).write_text("a,b\n1,2\n", "utf-8")
    [line] = told(small_copy)
    assert line.startswith(f"cities/lincang/{name}: no table has this name here")
    assert f"rename it {nearest} if that is what it is" in line


def test_an_unknown_name_is_told_with_the_nearest_known(small_copy):
    small_copy.change(CAPACITY, 2, indicator="populaton_resident")
    [line] = told(small_copy)
    assert (
        "“populaton_resident” is no known indicator of facts.csv; nearest is population_resident"
        in line
    )


def workbook(path, rows) -> None:
    from openpyxl import Workbook

    book = Workbook()
    for row in rows:
        book.active.append([cell or None for cell in row])
    book.save(path)


@pytest.mark.parametrize(
    "name", ["city", "targets", "capacity", "assumptions", "progress", "exceptions"]
)
def test_a_workbook_may_stand_in_place_of_any_table_of_a_city(small_copy, project, name):
    file = f"cities/lincang/{name}.csv"
    rows = small_copy.rows(file)
    workbook(small_copy.data / f"cities/lincang/{name}.xlsx", rows)
    (small_copy.data / file).unlink()
    read, kept = load_project(small_copy.root).cities["lincang"], project.cities["lincang"]
    assert read.targets.equals(kept.targets) and read.capacity.equals(kept.capacity)
    assert read.assumptions.equals(kept.assumptions) and read.progress.equals(kept.progress)


def test_numbers_and_dates_of_a_workbook_are_read_and_its_faults_told(small_copy):
    from datetime import datetime

    from openpyxl import Workbook

    (small_copy.data / "cities/lincang/progress.csv").unlink()
    target = small_copy.find(TARGETS, follow_up="tracked", restates="")
    header = small_copy.rows(TARGETS)[0]
    cells = dict(zip(header, small_copy.rows(TARGETS)[target - 1]))
    path = small_copy.data / "cities/lincang/progress.xlsx"
    for value in (float(cells["value"]), "many"):
        book = Workbook()
        book.active.append(list(schema.PROGRESS.columns))
        book.active.append(
            [
                cells["target_id"],
                datetime(2023, 12, 31),
                "city",
                value,
                cells["unit"],
                cells["source_id"],
            ]
        )
        book.save(path)
        if value != "many":
            [row] = load_project(small_copy.root).cities["lincang"].progress.to_dict("records")
            assert (row["reported_on"], row["value"]) == ("2023-12-31", value)
    assert_told(
        told(small_copy), "cities/lincang/progress.xlsx", 2, "value", "“many” is not a number"
    )


def test_two_files_of_one_table_and_a_broken_workbook_are_told(small_copy):
    path = small_copy.data / "cities/lincang/capacity.xlsx"
    workbook(path, small_copy.rows(CAPACITY))
    [line] = told(small_copy)
    assert line.startswith("cities/lincang/capacity.xlsx: capacity.csv lies beside it")
    (small_copy.data / CAPACITY).unlink()
    path.write_bytes(b"no workbook")
    assert "cities/lincang/capacity.xlsx: cannot be opened as a workbook" in told(small_copy)[0]


def cell(file, column, value, **found):
    """A damage: one cell of the row in which others stand (the first row, if none is named)."""
    return lambda copy: copy.change(
        file, copy.find(file, **found) if found else 2, **{column: value}
    )


def file(name, text="a,b\n1,2\n"):
    """A damage: a file that lies there."""
    return lambda copy: (copy.data / name).write_text(text, "utf-8")


def counted(**cells):
    """A damage: a count of the city's people since the census."""
    row = {"date": "2022-12-31", "age": "60+", "value": "350000", "unit": "person", **cells}
    row = {"basis": "resident", "kind": "register", "source_id": "own_judgement", **row}
    columns = list(schema.POPULATION.columns)
    return lambda copy: copy.write(
        "cities/lincang/population.csv", [columns, [row.get(name, "") for name in columns]]
    )


def folder_for_a_table(copy):
    (copy.data / TARGETS).unlink()
    (copy.data / TARGETS).mkdir()


def row_without_area(copy):
    rows = copy.rows("china/census_area.csv")
    copy.write("china/census_area.csv", [row for row in rows if row[:2] != ["530900", "2020"]])


def row_twice(copy):
    rows = copy.rows("china/life_expectancy.csv")
    copy.write("china/life_expectancy.csv", [*rows, rows[3]])


def header_alone(copy):
    copy.write("china/wpp2024_annual.csv", copy.rows("china/wpp2024_annual.csv")[:1])


def open_quote(copy):
    with (copy.data / TARGETS).open("a", encoding="utf-8") as file:
        file.write('lincang_999,"open\nlincang_998,below\n')


RATES, YEARS = "china/wpp2024_death_rate.csv", "china/life_expectancy.csv"
# What is done to the data, and the line that tells it.
KINDS = {
    "factor drawn below zero": (
        cell(NATION, "low", "0.1", assumption="staff_wage_ratio"),
        rf"{NATION}, row \d+, column low: with “0.1” the range of this row reaches down to -\d.*",
    ),
    "duration drawn below zero": (
        lambda copy: copy.change(NATION, copy.find(NATION, assumption="length_of_stay"), low="0.5", shape="normal"),
        rf"{NATION}, row \d+, column low: with “0.5” the range .* must not be below 0; .* lognormal",
    ),
    "gap drawn below zero that no longer may turn": (
        lambda copy: copy.change(
            "assumption_steps.csv",
            copy.find("assumption_steps.csv", assumption="life_expectancy_published_gap_continuation"),
            either_sign="",
        ),
        rf"{NATION}, row \d+, column low: with “0.2” the range of this row reaches down to -0.12.* must not be below 0.*",
    ),
    "rate drawn below zero": (
        lambda copy: copy.change(NATION, copy.find(NATION, assumption="adl_onset_rate"), low="0.001", shape="triangular"),
        rf"{NATION}, row \d+, column low: with “0.001” the range of this row reaches down to -.*",
    ),
    "band of ages with a blank": (
        cell(NATION, "age_band", "85 +", assumption="dementia_prevalence", age_band="85+"),
        rf"{NATION}, row \d+, column age_band: “85 \+” is no age band; write 65-74 or 85\+",
    ),
    "band of ages backwards": (
        cell(NATION, "age_band", "84-75", assumption="dementia_prevalence", age_band="75-84"),
        rf"{NATION}, row \d+, column age_band: “84-75” is no age band; write 65-74 or 85\+",
    ),
    "restated row that restates": (
        lambda copy: (copy.change(TARGETS, 2, restates="lincang_020"), copy.change(TARGETS, 3, restates="lincang_030")),
        rf"{TARGETS}, row 2, column restates: “lincang_020” restates another row itself; write .*",
    ),
    "document of a year to come": (
        cell("cities/lincang/city.csv", "plan_year", "2098"),
        "cities/lincang/city.csv, row 2, column plan_year: “2098” is still to come; .*",
    ),
    "checksum": (
        cell("sources.csv", "sha256", "abc"),
        "sources.csv, row 2, column sha256: “abc” must be the 64 signs .*",
    ),
    "web address": (
        cell("sources.csv", "url", "the library"),
        "sources.csv, row 2, column url: “the library” must be a web address, or empty",
    ),
    "count printed in 万": (
        counted(value="35"),
        r"cities/lincang/population.csv, row 2, column value: “35” of the .* in 万, multiply it by 10,000",
    ),
    "infinity in a national table": (
        cell(YEARS, "life_expectancy", "inf"),
        f"{YEARS}, row 2, column life_expectancy: “inf” is not a number; .*",
    ),
    "no number in a national table": (
        cell(RATES, "mx", "NaN"),
        f"{RATES}, row 2, column mx: “NaN” is not a number; .*",
    ),
    "empty cell of a national table": (
        cell(RATES, "mx", ""),
        f"{RATES}, row 2, column mx: is empty; a number is needed",
    ),
    "amount below zero in a national table": (
        cell(RATES, "mx", "-0.1"),
        f"{RATES}, row 2, column mx: “-0.1” must not be below 0",
    ),
    "row twice in a national table": (
        row_twice, rf"{YEARS}, row \d+, column adcode: the key \(.*\) stands in the table already",
    ),
    "national table with a header alone": (
        header_alone, "china/wpp2024_annual.csv, row 2: there is a header and no row below it",
    ),
    "area without its row": (
        row_without_area, "cities/lincang/city.csv, row 2, column adcode: 530900 has people in .* add it there",
    ),
    "description of the national tables in UTF-16": (
        lambda copy: (copy.data / "china/columns.csv").write_text("file,column\n", "utf-16"),
        "china/columns.csv: the file is UTF-16 .*",
    ),
    "table of the project under another name": (
        file("assumptions (1).csv"),
        r"assumptions \(1\).csv: no table has this name here, .* rename it assumptions.csv if .*",
    ),
    "national table under another name": (
        file("china/count.csv"),
        "china/count.csv: no table has this name here, .*; rename it counts.csv if .*",
    ),
    "table of the world under another name": (
        file("world/Population.csv"),
        "world/Population.csv: no table has this name here, .*; rename it population.csv if .*",
    ),
    "table of another program": (
        file("cities/lincang/capacity.et"),
        "cities/lincang/capacity.et: no table has this name here, .*; rename it capacity.csv if .*",
    ),
    "folder where a table should be": (
        folder_for_a_table, f"{TARGETS}: is a folder, and a table must be a file",
    ),
    "quotation mark that is not closed": (
        open_quote, rf"{TARGETS}, row \d+: a quotation mark opens a cell here, .* close it, or write it twice",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_fault_is_told_at_its_place(small_copy, kind):
    damage, line = KINDS[kind]
    damage(small_copy)
    lines = told(small_copy)
    assert any(re.fullmatch(line, one) for one in lines), lines


def test_what_is_no_table_is_named_by_check_as_not_read(small_copy, monkeypatch, capsys):
    (small_copy.data / "cities/lincang/old").mkdir()
    for name in ("notes.docx", "columns.md", ".DS_Store", "~$targets.xlsx", "old/targets.csv"):
        file(f"cities/lincang/{name}")(small_copy)
    monkeypatch.setenv("ELDERCARE_PROJECT", str(small_copy.root))
    assert cli.main(["check"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "cities/lincang/notes.docx is no table and is not read.",
        "cities/lincang/old/ is no table and is not read.",
    ]


def test_blanks_and_unseen_signs_about_a_cell_or_a_header_are_dropped(tmp_path):
    header = "\ufeff" + COLUMNS.replace("value", " value\u200b")
    row = A_ROW.replace("beds_total", "beds_total\u200b")
    table = read_text(tmp_path, f"{header}\n{row}\n")
    assert table["indicator"].item() == "beds_total" and table["value"].item() == 3486


def test_without_counts_since_the_census_a_city_runs(small_copy):
    small_copy.write("china/counts.csv", small_copy.rows("china/counts.csv")[:1])
    project = load_project(small_copy.root)
    assert run_city(project, "lincang", draws=16).values["population_60_plus"].notnull().all()
