"""Random scenarios, each from a seed, held against the contract.

`python -m tests.random --count 10000 --seed 1` runs 10,000 scenarios; for a seed that fails it
prints the command that repeats it.
"""
