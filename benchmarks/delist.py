"""How long is a thing that was sold still for sale elsewhere?

Shirts of which one is left are live on the sandbox eBay and on the sandbox Etsy. A buyer takes one
on either; the seller's orders are fetched, and one `stoflow worker` ends the other listing. `p95_s`
is what the seller is told of each sale: from the sale known here to the other channel told. First
one sale after the other, while the worker publishes 100 other shirts; then as many at once.
`DELIST_SALES` sets another number.
"""

import os
import time
from collections.abc import Sequence
from statistics import median, quantiles

from benchmarks.answer import Answer
from benchmarks.market_day import PATIENCE_S, MarketDay, MarketDayFailed, opened_market

CHANNELS = ("ebay", "etsy")
SOLD_WITH_BUSY_WORKER = 100
"""Publications that the worker has to do meanwhile."""


def measure() -> Answer:
    """One by one, then together."""
    sales = int(os.environ.get("DELIST_SALES", "20"))
    with opened_market() as market:
        product_ids = market.stock(2 * sales + SOLD_WITH_BUSY_WORKER, single=True)
        for_sale, others = product_ids[: 2 * sales], product_ids[2 * sales :]
        market.publish(for_sale, CHANNELS)
        market.settle()
        market.ask(others, CHANNELS)
        alone = [
            seconds
            for place, product_id in enumerate(for_sale[:sales])
            for seconds in _sold(market, [product_id], CHANNELS[place % 2])
        ]
        together = _sold(market, for_sale[sales:], "ebay")
    return Answer(
        {
            "sales": float(len(alone) + len(together)),
            "p50_s": round(median(alone), 3),
            "p95_s": _p95(alone),
            "together_p95_s": _p95(together),
        },
        {},
    )


def _sold(market: MarketDay, product_ids: Sequence[int], channel: str) -> Sequence[float]:
    """Seconds to each one's end on the other channel."""
    before = market.follow_ups()
    for product_id in product_ids:
        market.buy(channel, market.listing_of(product_id, channel))
    market.fetch_orders(channel)
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        found = {key: told for key, told in market.follow_ups().items() if key not in before}
        if len(found) == len(product_ids) and None not in found.values():
            return [seconds for seconds in found.values() if seconds is not None]
        time.sleep(0.1)
    raise MarketDayFailed(f"Of {len(product_ids)} sales on {channel} {len(found)} were followed up")


def _p95(seconds: Sequence[float]) -> float:
    return round(quantiles(seconds, n=20, method="inclusive")[-1], 3)
