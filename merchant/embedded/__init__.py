"""The database, the broker and the processes behind `make run` and `make test`.

Nothing of the product imports this package: a real installation brings its own PostgreSQL, Redis
and process manager, and reads where they are from the environment.
"""

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


class Trouble(Exception):
    """What went wrong and what to do about it, as a sentence for the person at the terminal."""
