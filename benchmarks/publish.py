"""What does publishing cost: how many calls a product, and how long, with one worker?

100 products go to the sandbox eBay, then to the sandbox Etsy, asked for over the API and run by
one `stoflow worker`. One in ten has three variants; each has a photo. Calls are those that the
sandboxes counted once the worker had finished its own reading of orders and categories, seconds
those from the request to the end of its last job.
`PUBLISH_PRODUCTS` sets another number.
"""

import os

from benchmarks.answer import Answer
from benchmarks.market_day import MarketDay, opened_market

CHANNELS = ("ebay", "etsy")


def measure() -> Answer:
    """One channel after the other."""
    products = int(os.environ.get("PUBLISH_PRODUCTS", "100"))
    figures: dict[str, float] = {"products": products}
    with opened_market() as market:
        product_ids = market.stock(products)
        market.settle()
        for channel in CHANNELS:
            calls, seconds = _published(market, channel, list(product_ids))
            figures[f"calls_per_product_{channel}"] = round(calls / products, 2)
            figures[f"seconds_{channel}"] = round(seconds, 1)
    figures["calls_per_product"] = round(
        sum(figures[f"calls_per_product_{c}"] for c in CHANNELS), 2
    )
    figures["seconds"] = round(sum(figures[f"seconds_{c}"] for c in CHANNELS), 1)
    return Answer(figures, {})


def _published(market: MarketDay, channel: str, product_ids: list[int]) -> tuple[int, float]:
    before = market.calls(channel)
    jobs = market.jobs(market.publish(product_ids, [channel]))
    ended = max(job.finished_at for job in jobs if job.finished_at is not None)
    began = min(job.created_at for job in jobs)
    return market.calls(channel) - before, (ended - began).total_seconds()
