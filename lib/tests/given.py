"""Assumptions that a test makes up."""

from eldercare.draws import Assumptions


class Given:
    """Assumptions as a test gives them; asked like those of the project."""

    in_year = Assumptions.in_year

    def __init__(self, arrays, price_years):
        self.arrays, self.price_years = dict(arrays), dict(price_years)

    def __getitem__(self, name):
        return self.arrays[name]

    def price_year(self, name):
        return self.price_years[name]
