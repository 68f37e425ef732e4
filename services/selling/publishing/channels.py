"""What publishing must know of a channel before a job exists."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from models.selling.publishing import Channel
from shared.database import TenantSession
from shared.errors import FieldProblem


class Preflight(Protocol):
    """Says what a channel would refuse, without asking it."""

    def gaps(
        self, session: TenantSession, product_ids: Sequence[int]
    ) -> Mapping[int, Sequence[FieldProblem]]:
        """Missing or wrong things by product id; a product without gaps has no entry."""
        ...


ChannelTable = Mapping[Channel, Preflight]
"""The channels of this installation."""
