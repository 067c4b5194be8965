"""Random scenarios, each from a seed, held against the contract.

`python -m tests.random --count 10000 --seed 1` runs as many as wanted; a failing seed prints the
line that repeats it.
"""
