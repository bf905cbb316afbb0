"""How far the projection was off where it can be tried."""
