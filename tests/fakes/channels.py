"""A channel whose opinion a test can choose."""

from collections.abc import Mapping, Sequence

from shared.database import TenantSession
from shared.errors import FieldProblem


class OpinionatedChannel:
    """Finds the gaps it was told to find; `gaps_by_product` may be changed at any time."""

    def __init__(self) -> None:
        self.gaps_by_product: dict[int, list[FieldProblem]] = {}

    def gaps(
        self, session: TenantSession, product_ids: Sequence[int]
    ) -> Mapping[int, Sequence[FieldProblem]]:
        return {
            product_id: self.gaps_by_product[product_id]
            for product_id in product_ids
            if product_id in self.gaps_by_product
        }
