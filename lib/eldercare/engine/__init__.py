"""Labelled arrays and what is done with them, whatever they stand for."""
