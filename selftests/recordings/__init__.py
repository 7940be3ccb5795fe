"""Recorded runs of the suite in the lab, and the program that judges them again with the code at hand."""
