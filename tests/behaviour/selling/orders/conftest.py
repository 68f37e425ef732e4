"""Shops whose channels tell of orders."""

import pytest

from shared.clock import MovableClock
from shared.database import Database, TenantSchema
from tests.factories.orders import OrderedShop
from tests.fakes.channels import OpinionatedChannel


@pytest.fixture
def channel() -> OpinionatedChannel:
    return OpinionatedChannel()


@pytest.fixture
def shop(
    database: Database, tenant: TenantSchema, clock: MovableClock, channel: OpinionatedChannel
) -> OrderedShop:
    """The shop that sells."""
    return OrderedShop(database, tenant, clock, channel)


@pytest.fixture
def other_shop(database: Database, other_tenant: TenantSchema, clock: MovableClock) -> OrderedShop:
    """Another one, that nothing may happen to."""
    return OrderedShop(database, other_tenant, clock, OpinionatedChannel())
