"""Real workers, a real sandbox eBay, killed and cut off in the middle of their work, and counted.

`make bench NAME=chaos` is the same at its full size.
"""

import pytest

from benchmarks.chaos import Size, run


@pytest.mark.timeout(400)
def test_killed_workers_and_a_crashed_database_lose_nothing_and_double_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """B1, B2, B5, G1, G2, G4, D8: eBay's own ledger agrees with the shops' tables, row by row."""
    size = Size(publishes=30, shops=5, kills=4, outages=1, workers=2, minutes=5)
    report = run(size, print)
    books = report.books
    assert books.findings == ()
    assert (books.lost, books.duplicates, books.disagreements, report.stuck) == (0, 0, 0, 0)
    assert (report.kills, report.outages) == (4, 1)
    assert report.faults > 0
