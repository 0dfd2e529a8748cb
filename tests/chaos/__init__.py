"""The product's processes under load, killed and cut off by a seeded plan, then judged from outside.

`make chaos`, or `PYTHONPATH=tests python -m chaos --seed 7 --minutes 5`.
"""
