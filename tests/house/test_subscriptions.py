"""The table of subscriptions: every event is heard, and a name means one thing."""

import importlib
import pkgutil

import pytest

import services
from backend.subscriptions import subscriptions
from services.accounts.outbox.events import Event
from services.accounts.outbox.subscribing import Subscriptions
from shared.clock import SystemClock
from tests.fakes.subscribers import writing

TABLE = subscriptions(SystemClock())


def kinds_of_the_house() -> dict[str, type[Event]]:
    """Every kind that some room declares."""
    for module in pkgutil.walk_packages(services.__path__, "services."):
        importlib.import_module(module.name)
    # A class is made anew with its slots; the first one may still be about.
    made = [each for each in Event.__subclasses__() if "__slots__" in vars(each)]
    ours = [each for each in made if each.__module__.startswith("services.")]
    assert len({each.kind for each in ours}) == len(ours)
    return {each.kind: each for each in ours}


def test_every_event_is_heard_by_somebody() -> None:
    """An event that nobody hears is not worth recording."""
    assert TABLE.kinds == kinds_of_the_house()


def test_nobody_hears_a_kind_twice() -> None:
    """Its deliveries could not be told apart."""
    with pytest.raises(AssertionError):
        Subscriptions([writing("a"), writing("a")])
