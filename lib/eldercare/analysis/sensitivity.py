"""What moves the answer: how much of a result's variance goes with each assumption, and what knowing it is worth."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
import xarray as xr

from eldercare.analysis.compare import (
    PROJECTION_ERROR,
    SpreadPart,
    normal_scores,
    promises_of,
    spread_parts,
)
from eldercare.engine.arrays import DRAW, Array, part, sum_over
from eldercare.engine.quantity import DECLARED, Calculation, quantity
from eldercare.inputs.correlations import stream_name
from eldercare.inputs.draws import (
    DEFAULT_DRAWS,
    Assumptions,
    draw_assumptions,
    independent_stream,
    other_scrambling,
    uniform_stream,
)
from eldercare.inputs.load import BASELINE, City, Project
from eldercare.inputs.schema import ASSUMPTION_KEYS, STEPS
from eldercare.model.area import Area
from eldercare.model.chain import QUANTILES, CityInputs, last_needed
from eldercare.model.family import stream_of
from eldercare.model.registered import area_of_city

YEAR = 2035
MAIN = ("beds", "nursing_beds", "caregivers", "yearly_cost")
RUNS = 128
BLOCK = 2048
TRIED = 32
NEGLIGIBLE = 0.001
ENDS = {"low": 0.1, "central": 0.5, "high": 0.9}


@dataclass(frozen=True)
class Headline:
    """A number that is told first: an indicator in a year, or what a promise leaves over (`promised` given)."""

    name: str
    indicator: str
    year: int
    bed_types: tuple[str, ...] = ()
    promised: float | None = None

    def if_need_met(self, calculation: Calculation) -> np.ndarray:
        """The indicator if need is met, of the headline's bed types together; dims year, draw."""
        array = calculation[self.indicator]
        if "measure" in array.dims:
            array = part(array, measure="need")
        if self.bed_types:
            array = sum_over(part(array, bed_type=list(self.bed_types)), "bed_type")
        return array.values

    def value(self, calculation: Calculation) -> np.ndarray:
        """The number in each draw; of a promise the gap: promised - need."""
        found = self.if_need_met(calculation)[self.year - int(calculation["years"][0])]
        return found if self.promised is None else self.promised - found


@dataclass(frozen=True)
class Sensitivity:
    """Indices of one city.

    table    : headline, kind (assumption or step), group, step, first_order, total; 0 for what has no effect
    outcomes : array by headline, dims draw: the headline in the draws of the city's result
    runs     : how often the chain was calculated
    """

    city_id: str
    table: pd.DataFrame
    outcomes: dict[str, np.ndarray]
    runs: int


def headlines(city: City) -> list[Headline]:
    """Beds, nursing beds (with dementia care), care workers and yearly cost in 2035, and each measured promise."""
    out = [
        Headline("beds", "beds_total_needed", YEAR),
        Headline("nursing_beds", "beds_needed", YEAR, ("nursing", "dementia")),
        Headline("caregivers", "caregivers_total_needed", YEAR),
        Headline("yearly_cost", "cost_total", YEAR),
    ]
    for row in promises_of(city).to_dict("records"):
        out.append(
            Headline(
                row["target_id"], row["measured_by"], int(row["target_year"]), (), row["value"]
            )
        )
    return out


class Model:
    """The chain of one city as a function from drawn assumptions to its headlines."""

    def __init__(
        self, project: Project, city_id: str, scenario: str = BASELINE, draws: int = DEFAULT_DRAWS
    ):
        self.project, self.city, self.scenario = project, project.city(city_id), scenario
        self.area: Area = area_of_city(project, self.city, scenario, draws)
        self.headlines = headlines(self.city)
        self.error_name = stream_of(self.city.adcode)
        self.runs = 0

    def draw(self, draws: int, source=uniform_stream, together: bool = True) -> Assumptions:
        """The city's assumptions from a source of numbers."""
        return draw_assumptions(self.project, self.city, self.scenario, draws, source, together)

    def run(self, assumptions: Assumptions) -> np.ndarray:
        """Headlines of all draws, block by block.  Returns: array  dims headline, draw"""
        whole = self._inputs(assumptions)
        parts = []
        for start in range(0, assumptions.draws, BLOCK):
            rows = slice(start, min(start + BLOCK, assumptions.draws))
            parts.append(self._values(Calculation(whole.block(rows))))
        return np.concatenate(parts, axis=1)

    def run_exchanged(
        self, one: Assumptions, other: Assumptions, groups: Sequence[Sequence[str]]
    ) -> np.ndarray:
        """Headlines with each group taken from `other`, all else from `one`.

        Groups that move the same quantities are run together, on what they leave as it is in `one`.

        Returns : array  dims group, headline, draw
        """
        base = Calculation(self._inputs(one))
        self._values(base)
        moved = {group: frozenset(base.known) - base.kept_if(group).keys() for group in groups}
        order = sorted(groups, key=lambda group: (len(moved[group]), sorted(moved[group])))
        found: dict[Sequence[str], np.ndarray] = {}
        at_once = max(BLOCK // one.draws, 1)
        for start in range(0, len(order), at_once):
            some = order[start : start + at_once]
            kept = base.kept_if({name for group in some for name in group})
            known = {
                name: _repeated(value, len(some))
                for name, value in kept.items()
                if name in DECLARED and isinstance(value, Array)
            }
            inputs = self._inputs(exchange(one, other, some))
            values = self._values(Calculation(inputs, known))
            found |= dict(zip(some, values.reshape(len(values), len(some), -1).swapaxes(0, 1)))
        return np.stack([found[group] for group in groups])

    def _inputs(self, assumptions: Assumptions) -> CityInputs:
        last = max(YEAR, *(headline.year for headline in self.headlines))
        last = last_needed(self.city, assumptions, last)
        self.runs += assumptions.draws
        china = self.project.china
        inputs = CityInputs(china, self.city, self.area, assumptions, last, measures=("need",))
        return inputs.counted_by(self.project.definition)

    def _values(self, calculation: Calculation) -> np.ndarray:
        return np.stack([headline.value(calculation) for headline in self.headlines])


def _repeated(array: Array, times: int) -> Array:
    """Draws put end to end so many times; what has no draws stays as it is."""
    return Array.concat([array] * times, DRAW) if DRAW in array.dims else array


def second_stream(name: str, draws: int) -> np.ndarray:
    """A stream of the same kind that has nothing to do with the first of that name."""
    return independent_stream(f"second|{name}", draws)


def exchange(one: Assumptions, other: Assumptions, groups: Sequence[Sequence[str]]) -> Assumptions:
    """For each group the draws of `one` with those of the group taken from `other`, all put end to end.

    groups  : names of assumptions, or `projection_error`
    Returns : Assumptions with as many draws for each group as `one` has
    """
    count = len(groups) * one.draws
    arrays = {}
    for name, array in one._arrays.items():
        mine, theirs = array.values, other[name].values
        values = np.concatenate([theirs if name in group else mine for group in groups])
        coords = {dim: array[dim].values for dim in array.dims if dim != "draw"}
        arrays[name] = xr.DataArray(
            values, dims=array.dims, coords={"draw": np.arange(count), **coords}
        )

    def source(name: str, draws: int) -> np.ndarray:
        parts = [other if name.split("|")[0] in group else one for group in groups]
        return np.concatenate([part.uniform(name) for part in parts])

    return Assumptions(one.rows, count, arrays, one._price_years, count, slice(None), source)


def groups_of(project: Project, names: Sequence[str]) -> list[tuple[str, ...]]:
    """Assumptions one by one; those that correlations.csv ties together as one group."""
    groups = [{name} for name in names]
    for row in project.correlations.itertuples():
        pair = {row.assumption_a, row.assumption_b} & set(names)
        joined = pair.union(*(group for group in groups if group & pair))
        groups = [group for group in groups if not group & joined] + ([joined] if joined else [])
    return sorted(tuple(sorted(group)) for group in groups)


def indices(
    f_a: np.ndarray, f_b: np.ndarray, f_ab: np.ndarray, f_ba: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """First-order and total Sobol indices from runs made (pick and freeze).

    Defined as::  total = mean of (f_a - f_ab)^2 / 2 variance;  first = 1 - mean of (f_b - f_ab)^2 / 2 variance

    and with the exchange made the other way round as well::

                  total - first = mean of (f_a + f_b - f_ab - f_ba)^2 / 4 variance

    which is never below 0, and 0 for a group that does nothing together with others, however few the draws.
    Nothing is cut off: without the other way round, noise can put the first-order index above the total or below 0.

    f_a, f_b : array  dims outcome, draw
    f_ab     : array  dims group, outcome, draw: the draws of f_a with the group's from f_b;  f_ba : those of f_b with f_a's
    Returns  : two arrays  dims outcome, group; an outcome that never moves has 0 throughout
    Source   : Jansen, M. (1999), analysis of variance designs; Saltelli, A. (2002), making best use of model
               evaluations
    """
    both = np.concatenate([f_a, f_b], axis=1)
    variance = both.var(axis=1)
    moves = variance > 0
    scale = np.where(moves, variance, 1.0)
    if f_ba is None:
        total = ((f_a - f_ab) ** 2).mean(axis=-1) / 2 / scale
        first = 1 - ((f_b - f_ab) ** 2).mean(axis=-1) / 2 / scale
    else:
        total = ((f_a - f_ab) ** 2 + (f_b - f_ba) ** 2).mean(axis=-1) / 4 / scale
        first = total - ((f_a + f_b - f_ab - f_ba) ** 2).mean(axis=-1) / 4 / scale
    return np.where(moves, first, 0.0).T, np.where(moves, total, 0.0).T


@quantity(name="share_of_variance", unit="share", of=())
def sensitivity(
    project: Project, city_id: str, scenario: str = BASELINE, runs: int = RUNS
) -> Sensitivity:
    """First-order and total indices of every headline over all assumptions, and over all of each step.

    Defined as::  total index = share of the headline's variance that is left when all else is known

    The first-order index is that of `compare.influence`, from the draws of the city's result, so that every
    notebook says the same of an assumption. The total index adds what the assumption does only together with
    others, by pick and freeze (`indices`), of the normal scores of the headline, as there: so none is below
    the first-order index.

    A group that moves no headline by more than a thousandth in a trial of few runs is not run further: it
    does nothing together with others. The draws of pick and freeze do not mirror each other as those
    of a run do: of two that do, the squares that the indices are made of are nearly the same.

    runs : draws for each group, a power of two
    """
    model = Model(project, city_id, scenario)
    of_result = model.draw(DEFAULT_DRAWS)
    told = model.run(of_result)
    one, other = model.draw(runs, independent_stream), model.draw(runs, second_stream)
    drawn = [
        n for n in one._arrays if not np.array_equal(one[n].values, other[n].values, equal_nan=True)
    ]
    groups = groups_of(project, [*drawn, PROJECTION_ERROR])
    steps = project.assumption_steps.set_index("assumption")["step"]
    of_steps = _names_by_step(groups, steps)
    together, moved = _together(model, one, other, [*groups, *of_steps.values()], told)
    parts = [spread_parts(of_result, outcome) for outcome in told]
    first = np.where(
        moved,
        [[_share(part, group) for group in (*groups, *of_steps.values())] for part in parts],
        0.0,
    )
    labels = [("assumption", " + ".join(group), steps.get(group[0], "")) for group in groups]
    labels += [("step", step, step) for step in of_steps]
    names = [headline.name for headline in model.headlines]
    return Sensitivity(
        city_id,
        _index_table(names, labels, first, first + together),
        dict(zip(names, told)),
        model.runs,
    )


def _share(parts: Mapping[str, SpreadPart], group: Sequence[str]) -> float:
    """First-order index of a group: the variance of what its assumptions add."""
    added = [parts[name].added for name in group if name in parts]
    return float(np.sum(added, axis=0).var()) if added else 0.0


def _together(
    model: Model, one: Assumptions, other: Assumptions, groups: list, told: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What each group does only together with others, and whether it moves a headline at all; dims headline, group."""

    def scored(values: np.ndarray) -> np.ndarray:
        return np.stack(
            [normal_scores(values[..., place, :], known) for place, known in enumerate(told)],
            axis=-2,
        )

    f_a, f_b = scored(model.run(one)), scored(model.run(other))
    few = slice(0, min(TRIED, one.draws))
    tried = scored(model.run_exchanged(one.block(few), other.block(few), groups))
    trial = indices(f_a[:, few], f_b[:, few], tried)[1]
    kept = np.any(trial >= NEGLIGIBLE, axis=0)
    wanted = [group for group, keep in zip(groups, kept) if keep]
    f_ab, f_ba = (
        scored(model.run_exchanged(*pair, wanted)) for pair in ((one, other), (other, one))
    )
    first, total = indices(f_a, f_b, f_ab, f_ba)
    still = np.finfo(float).eps  # ranks found again differ by rounding
    together, moved = np.zeros_like(trial), trial > still
    together[:, kept], moved[:, kept] = total - first, total > still
    return np.where(moved, together, 0.0), moved


def sensitivities(
    project: Project, scenario: str = BASELINE, runs: int = RUNS
) -> dict[str, Sensitivity]:
    """`sensitivity` of all cities.  Returns: by city_id"""
    return {city_id: sensitivity(project, city_id, scenario, runs) for city_id in project.cities}


def _names_by_step(groups: list, steps: pd.Series) -> dict[str, tuple[str, ...]]:
    """The assumptions of all groups by the step that uses them."""
    names = [name for group in groups for name in group]
    found = steps.reindex(names).dropna()
    return {
        step: tuple(name for name in names if steps.get(name) == step)
        for step in dict.fromkeys(found)
    }


def _index_table(names, labels, first: np.ndarray, total: np.ndarray) -> pd.DataFrame:
    rows = [
        {
            "headline": name,
            "kind": kind,
            "group": group,
            "step": step,
            "first_order": first[outcome, place],
            "total": total[outcome, place],
        }
        for outcome, name in enumerate(names)
        for place, (kind, group, step) in enumerate(labels)
    ]
    table = pd.DataFrame(rows)
    return table.sort_values(
        ["headline", "kind", "total", "group"], ascending=[True, True, False, True]
    ).reset_index(drop=True)


def value_of_information(project: Project, found: Sensitivity, most: int = 3) -> pd.DataFrame:
    """What a city would gain by measuring an assumption: by how much the range of each headline would narrow.

    Defined as::  width then = width now x sqrt(1 - first-order index);  of several together: 1 - their sum

    Counted are only assumptions that a city can measure (`local` in assumption_steps.csv).

    Returns : table city_id, headline, rank, assumption, to_do, first_order, width_now, width_then,
              width_together (with all up to this rank known), in the headline's unit
    """
    known = project.assumption_steps[project.assumption_steps["local"] == "yes"].set_index(
        "assumption"
    )["to_do"]
    rows = []
    alone = found.table[found.table["kind"] == "assumption"]
    for headline, told in alone.groupby("headline", sort=False):
        here = told[told["group"].isin(known.index)].sort_values(
            ["first_order", "group"], ascending=[False, True]
        )
        low, high = np.quantile(found.outcomes[headline], [ENDS["low"], ENDS["high"]])
        together = here["first_order"].cumsum()
        for rank, (row, sum_) in enumerate(zip(here.head(most).itertuples(), together), start=1):
            left, of_all = np.sqrt(np.clip(1 - np.array([row.first_order, sum_]), 0, 1))
            rows.append(
                {
                    "city_id": found.city_id,
                    "headline": headline,
                    "rank": rank,
                    "assumption": row.group,
                    "to_do": known[row.group],
                    "first_order": row.first_order,
                    "width_now": high - low,
                    "width_then": (high - low) * left,
                    "width_together": (high - low) * of_all,
                }
            )
    return pd.DataFrame(rows)


@quantity(name="one_at_a_time", unit="that of the headline", of=())
def tornado(project: Project, city_id: str, scenario: str = BASELINE) -> pd.DataFrame:
    """Each row of the assumptions at its low and at its high with all else at the middle, one at a time.

    Defined as::  at_low = middle of the result's draws x headline with the row at its low / headline with all at the middle

    so that the centre is the number told everywhere: of a promise the need behind what it leaves over.

    Returns : table headline, assumption, keys, unit, low, central, high (of the assumption),
              at_low, at_middle, at_high (of the headline), swing, share_of_spread (of the headline, with the
              assumption's other rows: `compare.influence`); the largest swing of a headline first
    """
    model = Model(project, city_id, scenario)
    of_result = model.draw(DEFAULT_DRAWS)
    told = model.run(of_result)
    rows = of_result.rows[of_result.rows["low"] < of_result.rows["high"]]
    latest = rows.assign(
        stream=[stream_name(row) for row in rows.to_dict("records")]
    ).drop_duplicates("stream", keep="last")
    labels = [_row_label(row) for row in latest.to_dict("records")]
    for stream in of_result.streams_used:
        labels.append(
            {
                "assumption": stream.partition("|")[0],
                "keys": "",
                "unit": "",
                **dict.fromkeys(ENDS, np.nan),
            }
        )
    streams = [*latest["stream"], *of_result.streams_used]
    found = model.run(model.draw(2 * len(streams) + 1, one_at_a_time(streams), False))
    out = []
    for headline, values, draws in zip(model.headlines, found, told):
        at, parts = (
            _centred(headline, values, float(np.median(draws))),
            spread_parts(of_result, draws),
        )
        for place, label in enumerate(labels):
            low, high = at[1 + 2 * place : 3 + 2 * place]
            out.append(
                {
                    "headline": headline.name,
                    **label,
                    "at_low": low,
                    "at_middle": at[0],
                    "at_high": high,
                    "swing": abs(high - low),
                    "share_of_spread": _share(parts, [label["assumption"]]),
                }
            )
    table = pd.DataFrame(out)
    return table.sort_values(
        ["headline", "swing", "assumption", "keys"], ascending=[True, False, True, True]
    ).reset_index(drop=True)


def _centred(headline: Headline, values: np.ndarray, middle: float) -> np.ndarray:
    """Headlines of runs, the first with all at the middle, carried to where the first is the middle of the draws."""
    promised = headline.promised
    need, at = (values, middle) if promised is None else (promised - values, promised - middle)
    carried = need * (at / need[0]) if need[0] else need + at
    return carried if promised is None else promised - carried


def _middle(_name: str, draws: int) -> np.ndarray:
    return np.full(draws, ENDS["central"])


def one_at_a_time(streams: Sequence[str]) -> Callable[[str, int], np.ndarray]:
    """A source in which draw 0 is all middle, and draws 2k + 1, 2k + 2 have stream k at its low and its high."""
    place = {name: 2 * number + 1 for number, name in enumerate(streams)}

    def source(name: str, draws: int) -> np.ndarray:
        numbers = _middle(name, draws)
        if name in place:
            numbers[place[name] : place[name] + 2] = ENDS["low"], ENDS["high"]
        return numbers

    return source


def _row_label(row: dict) -> dict:
    keys = " ".join(row[key] for key in ASSUMPTION_KEYS if row[key])
    return {
        "assumption": row["assumption"],
        "keys": keys,
        "unit": row["unit"],
        **{end: row[end] for end in ENDS},
    }


def sampling_error(
    project: Project,
    city_id: str,
    draws: int = DEFAULT_DRAWS,
    others: int = 10,
    reference: int = 131072,
    scenario: str = BASELINE,
) -> pd.DataFrame:
    """How far low, central, high of each headline at some draws lie from those at very many.

    The draws in use are one scrambling among many and not chosen for its result, so the spread over others
    of the same kind says what to expect of it.

    Returns : table headline, end (low, central, high, or chance of a promise), reference, error (of the scrambling
              in use), spread (root of the mean squared error over the others), largest (of the others): relative;
              of a chance, which may be 0, the difference of chances
    """
    model = Model(project, city_id, scenario)
    sources = [uniform_stream, *(other_scrambling(number) for number in range(1, others + 1))]
    tried = [model.run(model.draw(draws, source)) for source in sources]
    many = model.run(model.draw(reference))
    rows = []
    for place, headline in enumerate(model.headlines):
        for end, measure in _ends_of(headline).items():
            true = measure(many[place])
            found = np.array([measure(values[place]) for values in tried])
            errors = found - true if end == "chance" else found / true - 1
            rows.append(
                {
                    "headline": headline.name,
                    "end": end,
                    "reference": true,
                    "error": errors[0],
                    "spread": np.sqrt((errors[1:] ** 2).mean()),
                    "largest": np.abs(errors[1:]).max(),
                }
            )
    return pd.DataFrame(rows)


def _ends_of(headline: Headline) -> dict[str, Callable[[np.ndarray], float]]:
    if headline.promised is not None:
        return {"chance": lambda values: float((values >= 0).mean())}
    return {end: partial(_quantile, share) for end, share in QUANTILES.items()}


def _quantile(share: float, values: np.ndarray) -> float:
    return float(np.quantile(values, share))


def step_shares(found: Mapping[str, Sensitivity]) -> pd.DataFrame:
    """Total index of each step on the main headlines, all its assumptions together.

    Returns : table city_id, headline, step, value [share]; 0 for a step that moves nothing; childcare, which
              enters none of the headlines, is left out
    """
    steps = [step for step in STEPS if step != "childcare"]
    all_of = pd.DataFrame(itertools.product(MAIN, steps), columns=["headline", "step"])
    parts = []
    for city_id, one in found.items():
        table = one.table.loc[one.table["kind"] == "step", ["headline", "group", "total"]]
        table = table.rename(columns={"group": "step", "total": "value"})
        whole = all_of.merge(table, how="left")
        parts.append(whole.fillna({"value": 0.0}).assign(city_id=city_id, unit="share"))
    return pd.concat(parts, ignore_index=True)
