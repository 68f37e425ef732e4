"""A channel whose opinion a test can choose."""

from collections.abc import Mapping, Sequence

from models.selling.publishing import JobAction
from services.gateways.quotas import DAY, Quota
from services.selling.publishing.channels import CallCost, Capabilities, Findings, JobSize, Unit
from shared.database import TenantSession
from shared.errors import FieldProblem

CALLS = Quota("made-up.calls", 100, DAY)
"""What every call of the made-up channel counts against."""


class OpinionatedChannel:
    """Finds the gaps it was told to find; `gaps_by_product` may be changed at any time.

    Every job takes two calls, of one second at best and three at worst.
    """

    capabilities = Capabilities(
        costs={action: [CallCost("put", Unit.VARIANT, (CALLS,))] for action in JobAction},
        seconds_a_call=(1.0, 3.0),
    )

    def __init__(self) -> None:
        self.gaps_by_product: dict[int, list[FieldProblem]] = {}

    def sizes(
        self, session: TenantSession, action: JobAction, product_ids: Sequence[int]
    ) -> Mapping[int, JobSize]:
        return {product_id: {Unit.VARIANT: 2} for product_id in product_ids}

    def outlook(
        self,
        session: TenantSession,
        action: JobAction,
        sizes: Sequence[JobSize],
        queued: int = 0,
    ) -> None:
        return None

    def findings(
        self, session: TenantSession, product_ids: Sequence[int]
    ) -> Mapping[int, Findings]:
        return {
            product_id: Findings(self.gaps_by_product[product_id])
            for product_id in product_ids
            if product_id in self.gaps_by_product
        }
