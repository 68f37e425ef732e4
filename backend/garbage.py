"""How often a process that runs for weeks looks for garbage.

Reference counts free nearly everything at once; the collector is there for cycles. Left as it comes
it looks through all that lives every 70,000 objects or so: with 2,000 sockets half a second, three
times a minute, in which nobody is answered.
"""

import gc

_YOUNG, _MIDDLE, _OLD = 2_000, 10, 1_000
"""Objects made until the youngest are looked at; rounds of those until the middle, of those until
all.
"""


def collect_seldom() -> None:
    """Leave out what is there now, look at the rest seldom. Call it when all is set up."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
