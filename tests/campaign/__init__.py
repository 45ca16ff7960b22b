"""Hostile files by the thousand, and what the program promises for each of them.

A few hundred run with the tests. Any number by hand: ``python -m tests.campaign --n 20000 --seed 7``.
"""
