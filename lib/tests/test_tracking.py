"""Promises followed by reports: on made-up reports, since the cities have published none."""

import csv
import io

import numpy as np
import pytest
from conftest import DRAWS, ROOT

import eldercare as ec
from eldercare.analysis.compare import is_usable
from eldercare.app import cli
from eldercare.documents import progress as tracking
from eldercare.inputs import ledger
from eldercare.inputs.schema import DataFault
from eldercare.reporting.language import load_language
from eldercare.reporting.tables import listed

HEADER = ["target_id", "reported_on", "scope", "value", "unit", "source_id", "locator", "note"]
PROGRESS = "cities/lincang/progress.csv"


def reported(copy, *reports):
    """The project of a copy in which Lincang reported: target_id, date, value, unit[, scope]."""
    rows = [
        [i, on, *(scope or ["city"]), str(value), unit, "lincang_plan_2022", "", ""]
        for i, on, value, unit, *scope in reports
    ]
    copy.write(PROGRESS, [HEADER, *rows])
    return ec.load_project(copy.root)


def row_of(project, target_id, results=None):
    return tracking.tracking_table(project, results).set_index("target_id").loc[target_id]


def test_without_a_report_nothing_is_said_of_a_promise(project):
    table = tracking.tracking_table(project)
    assert set(table["status"]) == {tracking.NO_REPORT}
    assert len(table) == sum(len(tracking.followed(city)) for city in project.cities.values())


@pytest.mark.parametrize(
    ("later", "status"), [(0.70, "on_track"), (0.69, "behind"), (0.90, "met"), (0.95, "met")]
)
def test_a_report_is_judged_against_the_straight_path(small_copy, later, status):
    share = [("lincang_070", "2021", 0.5, "share"), ("lincang_070", "2023", later, "share")]
    row = row_of(reported(small_copy, *share), "lincang_070")
    assert row["status"] == status
    assert row["on_path_value"] == pytest.approx(0.5 + (0.9 - 0.5) * 2 / 4)


def test_a_promise_missed_at_its_deadline_is_behind(small_copy):
    project = reported(
        small_copy,
        ("lincang_070", "2025-12-31", 0.89, "share"),
        ("lincang_120", "2026-03", 7, "institution"),
    )
    assert row_of(project, "lincang_120")["status"] == tracking.BEHIND
    assert tracking.moment("2025") == tracking.moment("2025-12") == 2026


def test_one_report_alone_has_no_path(small_copy):
    assert (
        row_of(reported(small_copy, ("lincang_070", "2023", 0.5, "share")), "lincang_070")["status"]
        == tracking.NO_PATH
    )


def test_a_report_on_a_restatement_is_one_on_the_promise(small_copy):
    assert (
        row_of(reported(small_copy, ("lincang_450", "2024", 0.9, "share")), "lincang_070")["status"]
        == tracking.MET
    )


def test_figures_of_the_province_judge_no_promise_of_the_city(small_copy):
    project = reported(small_copy, ("lincang_070", "2024", 0.95, "share", "province"))
    assert row_of(project, "lincang_070")["status"] == tracking.NO_REPORT
    past = tracking.past_promises(project).set_index("target_id").loc["lincang_070"]
    assert (past["known_of"], past["value"], past["reported_at"]) == ("province", 0.95, "2024")


def test_a_damaged_promise_is_not_judged(small_copy):
    row = small_copy.find("cities/lincang/targets.csv", target_id="lincang_070")
    small_copy.change("cities/lincang/targets.csv", row, suspect="a digit may be lost")
    assert (
        row_of(reported(small_copy, ("lincang_070", "2024", 0.95, "share")), "lincang_070")[
            "status"
        ]
        == tracking.NOT_JUDGED
    )


def test_a_reading_counts_only_if_it_says_the_printed_value(project):
    rows = project.city("shengzhou").targets.set_index("target_id", drop=False)
    usable = {
        i: is_usable(rows.loc[i])
        for i in (
            "shengzhou_510",
            "shengzhou_450",
            "shengzhou_500",
            "shengzhou_570",
            "shengzhou_580",
        )
    }
    assert usable == {
        "shengzhou_510": True,
        "shengzhou_450": True,
        "shengzhou_500": False,
        "shengzhou_570": False,
        "shengzhou_580": True,
    }
    months = project.city("sanming").targets.set_index("target_id", drop=False)
    assert all(is_usable(months.loc[f"sanming_{number}"]) for number in (650, 660, 670, 680, 690))


def test_a_ceiling_is_met_from_below(small_copy):
    row = small_copy.find("cities/lincang/targets.csv", target_id="lincang_070")
    small_copy.change("cities/lincang/targets.csv", row, bound="at_most", value="0.4")
    reports = [("lincang_070", "2021", 0.8, "share"), ("lincang_070", "2023", 0.7, "share")]
    assert row_of(reported(small_copy, *reports), "lincang_070")["status"] == tracking.BEHIND
    assert (
        row_of(reported(small_copy, ("lincang_070", "2023", 0.4, "share")), "lincang_070")["status"]
        == tracking.MET
    )


def test_a_measured_promise_is_held_against_the_need_of_the_year_too(small_copy):
    project = reported(
        small_copy,
        ("lincang_100", "2023", 900, "household"),
        ("lincang_100", "2024", 1000, "household"),
    )
    results = ec.run(project, draws=DRAWS)
    row = row_of(project, "lincang_100", results)
    need = results["lincang"].table("home_adaptations_needed", [2024], measure="need").iloc[0]
    assert (row["status"], row["need_central"]) == (
        tracking.MET,
        pytest.approx(need["central"], rel=1e-6),
    )
    assert row["covers_need"] < 0.5
    [told] = listed(load_language(project), row.to_frame().T, ["need_range"])["Need (80% range)"]
    assert " to " in told


def test_a_known_stock_begins_the_path(project):
    row = tracking.tracking_table(project).set_index("target_id").loc["sanming_020"]
    assert (row["base_given"], row["base_at"]) == (13_286, "2016")


def test_past_promises_say_what_is_known_and_of_whom(project):
    past = tracking.past_promises(project).set_index("target_id")
    assert (past["target_year"] < tracking.as_of(project)).all()
    assert set(past.loc["sanming_080", "known_of"]) == {"province"}
    assert np.isnan(past.at["sanming_110", "value"])
    assert set(past["known_of"]) == {"", "province"}


@pytest.mark.parametrize("city_id", ["chishui", "lincang", "sanming", "shangqiu", "shengzhou"])
def test_the_template_has_a_row_for_each_tracked_promise(project, city_id):
    template = tracking.progress_template(project, city_id)
    targets = project.city(city_id).targets.set_index("target_id")
    assert list(template["target_id"]) == [
        i for i, row in targets.iterrows() if row["follow_up"] == "tracked" and not row["restates"]
    ]
    assert (template[["value", "reported_on", "source_id"]] == "").all(axis=None)
    assert list(template["unit"]) == list(targets.loc[template["target_id"], "unit"])


def test_a_template_with_empty_rows_is_a_sound_table_and_counts_as_no_report(small_copy, project):
    tracking.progress_template(project, "lincang").to_csv(small_copy.data / PROGRESS, index=False)
    assert set(tracking.tracking_table(ec.load_project(small_copy.root))["status"]) == {
        tracking.NO_REPORT
    }


def test_a_value_without_date_or_source_is_a_fault(small_copy):
    small_copy.write(PROGRESS, [HEADER, ["lincang_070", "", "city", "0.9", "share", "", "", ""]])
    with pytest.raises(DataFault) as caught:
        ec.load_project(small_copy.root)
    assert {fault.column for fault in caught.value.faults} == {"reported_on", "source_id"}


def test_the_time_line_counts_each_promise_once(project):
    table = tracking.timeline_table(project)
    for city_id, rows in table.groupby("city_id"):
        targets = project.city(city_id).targets
        promises = targets[(targets["kind"] == "target") & (targets["restates"] == "")]
        assert rows.loc[rows["series"].isin(["promise", "without year"]), "value"].sum() == len(
            promises
        )
    stages = table[(table["city_id"] == "chishui") & (table["series"] == "stage")]
    assert stages["start"].tolist() == pytest.approx(
        [2020 + 2 / 12, 2020 + 4 / 12, 2020 + 7 / 12, 2021]
    )


def test_the_template_is_printed_as_a_table(project, monkeypatch, capsys):
    monkeypatch.setenv("ELDERCARE_PROJECT", str(ROOT))
    assert cli.main(["progress-template", "chishui"]) == 0
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert (rows[0], len(rows) - 1) == (HEADER, len(tracking.progress_template(project, "chishui")))


def test_the_template_is_written_whole_or_not_at_all(small_copy, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("ELDERCARE_PROJECT", str(small_copy.root))
    assert cli.main(["progress-template", "nowhere", "--output", str(tmp_path / "out.csv")]) == 2
    assert "no city “nowhere”" in capsys.readouterr().err
    assert not (tmp_path / "out.csv").exists()
    assert cli.main(["progress-template", "lincang", "--output", str(tmp_path / "out.csv")]) == 0
    assert (tmp_path / "out.csv").read_text("utf-8").startswith(",".join(HEADER))
    assert [path.name for path in tmp_path.glob("out*")] == ["out.csv"]
    assert cli.main(["progress-template", "lincang", "--output", str(tmp_path / "out.csv")]) == 2
    assert "is not overwritten" in capsys.readouterr().err
    report = small_copy.data / "cities/lincang/progress.csv"
    report.write_text(",".join(HEADER) + "\n", "utf-8")
    assert cli.main(["progress-template", "lincang", "--output", str(report)]) == 0
    assert len(report.read_text("utf-8").splitlines()) > 1


@pytest.mark.parametrize(
    ("date", "words"),
    [
        ("2023", "2023"),
        ("2023-12", "2023"),
        ("2023-12-31", "2023"),
        ("2023-02", "2023-02"),
        ("2023-02-14", "2023-02"),
        ("2023-03-01", "2023-03"),
        ("2023-01-31", "2023-01"),
        ("2023-11-30", "2023-11"),
    ],
)
def test_a_report_is_told_with_the_month_it_is_of(date, words):
    assert tracking.when(tracking.moment(date)) == words


def test_reports_are_shown_with_their_month_and_numbers_as_a_planner_reads_them(small_copy):
    project = reported(
        small_copy,
        ("lincang_100", "2022-12-31", 900, "household"),
        ("lincang_100", "2023-02", 1007, "household"),
        ("lincang_070", "2023-02", 0.5, "share", "province"),
    )
    past = tracking.past_promises(project).set_index("target_id")
    assert tuple(past.loc["lincang_070", ["value", "reported_at"]]) == (0.5, "2023-02")
    row = row_of(project, "lincang_100", {"lincang": ec.run_city(project, "lincang", draws=8)})
    assert row["on_path_value"] != round(row["on_path_value"])
    told = load_language(project).told(row.to_dict())
    assert (told["base_given"], told["base_at"]) == ("900", "2022")
    assert (told["reported_given"], told["reported_at"]) == ("1,007", "2023-02")
    assert told["on_path_value"] == f"{row['on_path_value']:,.0f} homes"
    assert all("." not in told[name] for name in ("on_path_value", "need_range"))


def test_a_city_of_which_reports_judge_nothing_gets_no_template_of_no_rows(
    small_copy, monkeypatch, capsys, tmp_path
):
    monkeypatch.setenv("ELDERCARE_PROJECT", str(small_copy.root))
    small_copy.add_city("kunming", 530100)
    for more in ([], ["--output", str(tmp_path / "out.csv")]):
        assert cli.main(["progress-template", "kunming", *more]) == 0
        said = capsys.readouterr()
        assert said.out == "" and "Nothing of kunming is to be judged by reports" in said.err
    assert not (tmp_path / "out.csv").exists()


def test_targets_without_their_documents_are_findings(project, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("ELDERCARE_PROJECT", str(ROOT))
    assert cli.main(["verify-targets", "--documents", str(tmp_path)]) == 1
    told = capsys.readouterr()
    assert len(told.out.splitlines()) == len(project.cities)
    assert f"{len(project.cities)} findings" in told.err
    assert cli.main(["verify-targets", "--documents", str(tmp_path / "nowhere")]) == 2


def test_targets_that_agree_with_their_documents_are_told_in_one_line(
    monkeypatch, capsys, tmp_path
):
    monkeypatch.setenv("ELDERCARE_PROJECT", str(ROOT))
    monkeypatch.setattr(ledger, "verify_all", lambda *_: tracking.pd.DataFrame())
    assert cli.main(["verify-targets", "--documents", str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith("The ledgers agree with the documents: ")
