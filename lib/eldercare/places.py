"""Where care happens: at home by the family, at home with services, in day care, in an institution.

Two measures are kept apart all the way down the chain. `use` is what people take up if today's
habits go on; `need` is what would be taken up if everyone whose family cannot care had a place.
"""

from __future__ import annotations

import xarray as xr

from .arrays import join
from .draws import Assumptions
from .schema import SETTINGS

MEASURES = ("use", "need")
SHARE_OF_MEASURE = {"use": "setting_use_share", "need": "setting_need_share"}


def setting_shares(assumptions: Assumptions) -> xr.DataArray:
    """Share of people of each severity in each setting; the family has the rest.

    Where the draws of the other settings come to more than everyone, they are cut down in
    proportion and nobody is left to the family.

    Returns : array [share]  dims measure, draw, severity, setting; sums to 1 over setting
    Source  : assumptions `setting_use_share`, `setting_need_share`
    """
    both = {}
    for measure in MEASURES:
        outside = assumptions[SHARE_OF_MEASURE[measure]]
        outside = outside / outside.sum("setting").clip(min=1)
        parts = {setting: outside.sel(setting=setting, drop=True) for setting in SETTINGS[1:]}
        both[measure] = join({"family": 1 - outside.sum("setting"), **parts}, "setting")
    return join(both, "measure")


def people_by_setting(people: xr.DataArray, shares: xr.DataArray) -> xr.DataArray:
    """People by severity and place of care.

    people  : array [person]  dims draw, year, severity
    shares  : array [share]  dims measure, draw, severity, setting
    Returns : array [person]  dims draw, measure, year, severity, setting
    """
    return (people * shares).transpose("draw", "measure", "year", "severity", "setting")
