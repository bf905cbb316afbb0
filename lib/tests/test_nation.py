"""The whole chain for many areas: the numbers of a city's run, sums beside the whole, and what can go wrong on the way."""

import errno
import os
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from distributed import LocalCluster

from eldercare.app import cli, nation
from eldercare.engine.quantity import split_asked
from eldercare.inputs.load import NATION, area_as_city, load_project
from eldercare.model import areas, chain, settings

HAINAN, SANSHA, NINGXIA, YINCHUAN, HELAN = 460000, 460300, 640000, 640100, 640122
NANSHA, ATOLL = 460391, 460392
DRAWS = 64
COLUMNS = [
    "area",
    "scenario",
    "variant",
    "year",
    "indicator",
    "mean",
    "low",
    "central",
    "high",
    "unit",
    "under",
]


def run(project, folder, under=YINCHUAN, **settings):
    return nation.run_areas(project, folder, under, draws=DRAWS, **settings)


@pytest.fixture(scope="module")
def finished(project, tmp_path_factory):
    """A run over a prefecture and its counties."""
    folder = tmp_path_factory.mktemp("runs") / "yinchuan"
    sums = run(project, folder)
    return folder, sums


@pytest.fixture(scope="module")
def cluster():
    """Two processes that take blocks, with a scheduler of their own."""
    settings = {"n_workers": 2, "threads_per_worker": 1, "host": "127.0.0.1"}
    with LocalCluster(**settings, dashboard_address=":0", silence_logs=50) as made:
        yield made


@pytest.fixture(scope="module")
def rows(finished):
    return pd.read_parquet(finished[0])


def files_of(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(nation.LOCK)
    }


def with_helan(project):
    """The project with one more city, a county without a folder."""
    city = replace(area_as_city(HELAN), city_id="helan")
    return replace(project, cities={**project.cities, "helan": city})


def test_a_run_is_read_as_one_table_with_every_indicator_in_every_year(project, rows, china):
    assert set(rows.columns) == set(COLUMNS)
    parts = areas.parts_of(china)[YINCHUAN]
    assert sorted(rows["area"].unique()) == [YINCHUAN, *parts]
    alone = chain.run_city(with_helan(project), "helan", draws=DRAWS).values
    not_collected = {name for name, array in alone.data_vars.items() if array.isnull().all()}
    told = {split_asked(name)[0] for name in rows["indicator"].unique()}
    assert told == set(chain.quantities_kept(project)) - not_collected and len(not_collected) < 6
    assert rows["year"].min() == 2020 and rows["year"].max() == areas.LAST_YEAR
    assert not rows[["mean", "low", "central", "high"]].isna().any(axis=None)
    assert (rows["low"] <= rows["central"]).all() and (rows["central"] <= rows["high"]).all()
    assert not rows.duplicated(["area", "scenario", "variant", "year", "indicator"]).any()


def test_an_area_of_a_run_has_the_numbers_of_a_city_without_a_folder(project, rows):
    result = chain.run_city(with_helan(project), "helan", draws=DRAWS)
    mine = rows[rows["area"] == HELAN].astype({"variant": str, "indicator": str})
    for indicator, part in mine.groupby("indicator"):
        name, labels = split_asked(indicator)
        for variant, found in part.groupby("variant"):
            where = {**labels, **({"measure": variant} if variant else {})}
            wanted = result.table(name, **where)
            wanted = wanted[wanted["year"] >= 2020]
            for column in ("low", "central", "high"):
                assert np.array_equal(
                    found[column].to_numpy(np.float32), wanted[column].to_numpy(np.float32)
                ), (indicator, variant, column)


def test_settled_together_or_alone_an_area_is_the_same_in_every_bit(project):
    for area in areas.settled_family(project, YINCHUAN, draws=DRAWS):
        alone = areas.settled_area(project, area.adcode, draws=DRAWS)
        for name in ("base", "settled", "error_left", "middle", "kept"):
            one, other = getattr(area, name), getattr(alone, name)
            assert one is other is None or np.array_equal(one, other), name


def test_people_of_the_parts_add_up_and_need_to_money_stands_beside_the_whole(finished, rows):
    sums = finished[1].set_index("indicator")
    assert set(sums["under"]) == {YINCHUAN}
    people = sums.loc[["population_total", "population_60_plus", "population_80_plus"], "ratio"]
    assert people.to_numpy() == pytest.approx(1, abs=1e-9)
    beds = sums.loc["beds_total_needed", "ratio"].to_numpy()
    assert ((beds > 0.8) & (beds < 1.2)).all()
    assert not {"share", "year"} & set(sums["unit"])
    assert not any("_per_" in unit and unit != "yuan_per_year" for unit in sums["unit"])
    own = rows[(rows["area"] == YINCHUAN) & (rows["indicator"] == "cost_total")]
    assert sums.loc["cost_total", "own"].to_numpy() == pytest.approx(own["mean"].to_numpy())
    stored = pd.read_parquet(finished[0] / nation.SUMS)
    assert stored["ratio"].to_numpy() == pytest.approx(finished[1]["ratio"].to_numpy(), nan_ok=True)


def test_what_a_run_says_is_the_sums_over_the_figures_of_the_whole(project, finished):
    said = nation.told(project, *finished)
    assert said.count("\n") == 1 + 3 + 3 * len(settings.MEASURES)
    assert "People aged 60 and over: 1.0000" in said and ", need: " in said


def test_a_run_on_a_cluster_that_stops_and_goes_on_gives_the_same_bytes(
    project, finished, cluster, tmp_path
):
    told, address = [], cluster.scheduler_address

    def stop(done, _of):
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(project, tmp_path, scheduler=address, tell=stop)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob(nation.FILE)}
    assert len(before) == 1
    run(project, tmp_path, scheduler=address, tell=lambda done, _of: told.append(done))
    assert told == [1, 2]
    assert all(path.stat().st_mtime_ns == moment for path, moment in before.items())
    assert files_of(tmp_path) == files_of(finished[0])


def test_blocks_whose_processes_are_killed_are_run_again(project, finished, cluster):
    blocks, wanted = nation.blocks_of(project, YINCHUAN), files_of(finished[0])
    with nation._client(cluster.scheduler_address) as client:
        found = nation._run_blocks(client, project, blocks, "baseline", DRAWS)
        content = [next(found)]
        for process in client.run(os.getpid).values():
            os.kill(process, signal.SIGKILL)
        content += found
    assert {block.path: told for block, told in content} == {
        block.path: wanted[block.path] for block in blocks
    }


def test_a_block_that_kills_whatever_takes_it_is_given_up_in_plain_words(
    project, cluster, monkeypatch
):
    monkeypatch.setattr(nation, "block_bytes", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    monkeypatch.setattr(cluster.scheduler, "allowed_failures", 0)
    with (
        nation._client(cluster.scheduler_address) as client,
        pytest.raises(OSError, match=f"the areas under {YINCHUAN} were given up"),
    ):
        list(nation._run_blocks(client, project, [nation.Block(YINCHUAN, (HELAN,))], "", DRAWS))


def test_a_full_disk_is_told_and_leaves_nothing_half_written(
    project, finished, tmp_path, monkeypatch
):
    """No disk of a test can be filled: the write fails as a full one does, after half the bytes."""
    content = files_of(finished[0])
    blocks = nation.blocks_of(project, YINCHUAN)
    monkeypatch.setattr(nation, "_client", lambda _scheduler: nation._alone(tmp_path / "none"))
    monkeypatch.setattr(
        nation, "_run_blocks", lambda *_: ((block, content[block.path]) for block in blocks)
    )
    whole = nation.write_whole

    def full(path, told):
        if path.name == nation.FRESH and (tmp_path / "run" / blocks[0].path).is_file():
            path.with_name(path.name + ".part").write_bytes(told[: len(told) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        whole(path, told)

    monkeypatch.setattr(nation, "write_whole", full)
    with pytest.raises(OSError, match="No space left on device.*make room and repeat"):
        run(project, tmp_path / "run")
    assert sorted(files_of(tmp_path / "run")) == [nation.RECORD, blocks[0].path]
    assert len(pd.read_parquet(tmp_path / "run")) > 0
    monkeypatch.setattr(nation, "write_whole", whole)
    run(project, tmp_path / "run")
    assert files_of(tmp_path / "run") == content


def test_a_second_run_into_a_folder_is_refused_as_long_as_the_first_writes(project, tmp_path):
    with nation._alone(tmp_path), pytest.raises(OSError, match="another run is writing into"):
        run(project, tmp_path)


def test_the_lock_goes_with_a_process_that_is_killed(tmp_path):
    code = (
        "import sys\nfrom pathlib import Path\nfrom eldercare.app import nation\n"
        "with nation._alone(Path(sys.argv[1])):\n print('held', flush=True)\n input()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(OSError, match="another run"), nation._alone(tmp_path):
        pass
    holder.kill()
    holder.communicate()
    with nation._alone(tmp_path):
        pass


def test_a_folder_of_another_run_or_of_other_files_is_refused(project, finished, tmp_path):
    with pytest.raises(ValueError, match="holds another run: draws 64, not 128; name a new folder"):
        nation.run_areas(project, finished[0], YINCHUAN, draws=128)
    (tmp_path / "notes.txt").write_text("mine", "utf-8")
    with pytest.raises(ValueError, match="holds files that are no run"):
        run(project, tmp_path)
    assert (tmp_path / "notes.txt").read_text("utf-8") == "mine"


def test_data_that_changed_since_are_no_part_of_an_older_run(small_copy, tmp_path):
    project = load_project(small_copy.root)
    record = nation.record(project, YINCHUAN, "baseline", DRAWS)
    row = small_copy.find("assumptions.csv", assumption="target_occupancy")
    small_copy.change("assumptions.csv", row, note="changed")
    folder = tmp_path / "run"
    with nation._alone(folder):
        nation._begin(folder, record)
        with pytest.raises(ValueError, match="the data or the formulas have changed since"):
            nation._begin(folder, nation.record(project, YINCHUAN, "baseline", DRAWS))


def test_a_scheduler_that_is_not_there_is_told_with_how_to_start_one(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("ELDERCARE_PROJECT", str(ROOT))
    monkeypatch.setattr(nation, "PATIENCE", 1)
    asked = ["areas", "--output", str(tmp_path / "run"), "--under", "银川", "--draws", "64"]
    assert cli.main([*asked, "--scheduler", "tcp://127.0.0.1:1"]) == cli.FAULT
    said = capsys.readouterr().err
    assert "no scheduler answers at tcp://127.0.0.1:1" in said and "dask scheduler" in said
    assert "Traceback" not in said


def test_an_area_without_households_and_145_people_on_an_atoll_run_through(project, china):
    """Where the census counts one household or none of older people, nothing is missing and nothing negative."""
    table = china.areas.xs(2020, level="year")
    assert table.loc[ATOLL, "population"] == 145
    assert table.loc[[NANSHA, ATOLL], "households_with_one_65plus"].isna().all()
    block = nation.Block(SANSHA, (NANSHA, ATOLL))
    rows = nation.block_table(project, block, "baseline", DRAWS).to_pandas()
    assert set(rows["area"]) == {NANSHA, ATOLL}
    heads = rows[rows["unit"].isin(["person", "bed", "worker", "yuan_per_year"])]
    assert np.isfinite(heads["mean"]).all()
    assert (heads.loc[heads["indicator"] != "caregiver_flow", "low"] >= 0).all()
    people = rows[(rows["area"] == ATOLL) & (rows["indicator"] == "population_total")]
    assert people["mean"].iloc[0] == pytest.approx(145, rel=0.05)


def test_parts_that_lack_a_quantity_have_no_sum_of_it_and_a_garrison_no_factor(
    project, china, tmp_path
):
    """Of 87 older people of Sansha three live in the households counted: they say nothing of the others."""
    assert settings.households(china, SANSHA) is None
    assert settings.households(china, HAINAN) is not None
    blocks = [nation.Block(HAINAN, (SANSHA,)), *nation.blocks_of(project, SANSHA)[1:]]
    for block in blocks:
        content = nation.block_bytes(project, block, "baseline", DRAWS)
        nation._put(tmp_path, block.path, content)
    sums = nation.sums_beside(tmp_path, blocks).set_index(["indicator", "variant", "year"])
    assert "people_living_alone" not in sums.index.get_level_values("indicator")
    assert sums.loc[("beds_total_needed", "need", 2035), "ratio"] == pytest.approx(1, abs=0.15)


def test_the_nation_its_provinces_and_each_family_is_a_block_of_its_own(project, china):
    blocks = nation.blocks_of(project)
    codes = [code for block in blocks for code in block.codes]
    census = china.areas.xs(2020, level="year").index
    assert codes[0] == NATION and len(codes) == len(set(codes)) == len(census) + 1
    assert set(codes) == {NATION, *census}
    county = nation.blocks_of(project, HELAN)
    assert county == [nation.Block(YINCHUAN, (HELAN,))]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--province", "宁夏", "--under", "银川"], "not both"),
        (["--province", "银川"], "is no province"),
        (["--under", "999999"], "is no area"),
        (["--under", "银川", "--draws", "100"], "power of two"),
        (["--under", "银川", "--scenario", "dreams"], "no scenario “dreams”"),
    ],
)
def test_what_cannot_be_run_is_told_before_anything_is_written(
    monkeypatch, tmp_path, capsys, arguments, said
):
    monkeypatch.setenv("ELDERCARE_PROJECT", str(ROOT))
    assert cli.main(["areas", "--output", str(tmp_path / "run"), *arguments]) == cli.FAULT
    assert said in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
