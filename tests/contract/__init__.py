"""The contract of the command line, promise by promise, with the tests that hold each.

`python -m tests.contract` prints it; `test_contract.py` asserts that every named test is there and
that no promise is without one.
"""
