"""Bodies, heads and framing with random damage, and servers that resume in random ways.

Whatever happens, a download gives the bytes of one complete body of the server, or an error with a
code of its own. `python -m tests.damage --count 50000 --seed 1` runs any number of cases.
"""
