"""Life tables: the UN's death rates give the UN's life expectancy, and a wanted level is hit."""

import numpy as np
import pytest

from eldercare.model import lifetable
from eldercare.model.area import SEXES, rates_of

LEVEL_OF_THE_STANDARD = int(np.flatnonzero(np.isclose(lifetable.WIDE_GRID, 0))[0])
# World Population Prospects 2024, China, medium variant: life expectancy at birth.
PUBLISHED = {
    ("male", 2030): 77.30,
    ("female", 2030): 82.41,
    ("male", 2050): 81.54,
    ("female", 2050): 85.26,
}


@pytest.fixture(scope="module")
def rates(china):
    return rates_of(china)


@pytest.fixture(scope="module")
def death_rates(china):
    table = china.wpp_death_rate.pivot_table("mx", ["period_from", "sex"], "age_from")
    return table.to_numpy(), table.columns.to_numpy()


def test_survivors_fall_from_one_with_age(death_rates):
    lx = lifetable.survivors(*death_rates)
    assert (lx[:, 0] == 1).all()
    assert (np.diff(lx, axis=-1) < 0).all()
    assert (lx[:, -1] >= 0).all()


def test_nobody_dies_where_the_rates_are_zero():
    lx = lifetable.survivors(np.zeros(22), np.array([0, 1, *range(5, 105, 5)]))
    assert lx == pytest.approx(1)
    assert lifetable.life_expectancy(lx) == pytest.approx(lifetable.LAST_AGE + 1)


def test_infants_who_die_live_a_small_part_of_their_first_year():
    rates = np.full(22, 0.02)
    found = lifetable.abridged_probability(rates, np.array([0, 1, *range(5, 105, 5)]))[0]
    assert found == pytest.approx(
        0.02 / (1 + (1 - 0.116) * 0.02)
    )  # a = 0.06 + 2.8 m, Coale and Demeny


def test_a_constant_rate_gives_its_own_life_expectancy():
    lx = np.exp(-0.2 * np.arange(lifetable.LAST_AGE + 2))
    infancy = (1 - lx[1]) / 0.2 - (lx[1] + 0.1 * (1 - lx[1]))
    assert lifetable.life_expectancy(lx) == pytest.approx(1 / 0.2 - infancy, rel=1e-6)


@pytest.mark.parametrize(("sex", "year"), PUBLISHED)
def test_the_uns_death_rates_give_the_uns_life_expectancy(rates, sex, year):
    found = rates.grid.life_expectancy[year - 2010, SEXES.index(sex), LEVEL_OF_THE_STANDARD]
    assert found == pytest.approx(PUBLISHED[sex, year], abs=0.3)


@pytest.mark.parametrize(("sex", "year"), PUBLISHED)
def test_the_figures_of_the_data_are_those_published(rates, sex, year):
    found = rates.life_expectancy[year - 2010, SEXES.index(sex)]
    assert found == pytest.approx(PUBLISHED[sex, year], abs=0.006)


def test_more_mortality_means_fewer_survivors_and_shorter_lives(rates):
    lx = np.exp(-0.02 * np.arange(lifetable.LAST_AGE + 2))
    shifted = lifetable.shift_level(lx, np.array([-0.5, 0.0, 0.5]))
    assert (np.diff(shifted[:, 1:], axis=0) < 0).all()
    assert shifted[1] == pytest.approx(lx)
    assert (np.diff(rates.grid.life_expectancy, axis=-1) < 0).all()


def test_ratios_lie_between_0_and_1(rates):
    assert rates.grid.ratios.min() >= 0
    assert rates.grid.ratios.max() <= 1


def reconstructed(ratios):
    """Life expectancy from survivorship ratios alone: L(0), L(1) … and what is beyond 100."""
    lived = np.cumprod(ratios[..., :-1], axis=-1)
    return lived[..., :-1].sum(axis=-1) + lived[..., -1] / (1 - ratios[..., -1])


@pytest.mark.parametrize("year", [2020, 2035, 2050])
def test_survival_at_a_wanted_life_expectancy_has_it(rates, year):
    wanted = np.stack([np.linspace(74, 84, 21), np.linspace(78, 88, 21)])
    ratios = rates.grid.survival(year - 2010, wanted)
    assert pytest.approx(wanted, abs=0.01) == reconstructed(ratios).T


@pytest.mark.parametrize("wanted", [30.0, 120.0])
def test_a_life_expectancy_outside_the_grid_is_refused(rates, wanted):
    with pytest.raises(
        ValueError, match=f"life expectancy {wanted} to {wanted} in 2035 is outside"
    ):
        rates.grid.survival(25, np.full((2, 3), wanted))


def test_yearly_rates_meet_those_of_the_period_in_its_middle():
    mx = np.array([0.01, 0.02, 0.04])[:, None, None] * np.ones((3, 2, 4))
    found = lifetable.yearly_rates(mx, np.array([2020, 2025, 2030]), np.array([2022, 2027, 2032]))
    assert found == pytest.approx(mx)
    between = lifetable.yearly_rates(mx, np.array([2020, 2025, 2030]), np.arange(2022, 2033))
    assert (np.diff(between, axis=0) > 0).all()
