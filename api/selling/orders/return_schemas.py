"""What goes in and out when goods come back."""

from pydantic import BaseModel, ConfigDict, Field

from api.selling.orders.schemas import ShippedLineIn
from api.selling.publishing.schemas import RequestedItemOut
from services.selling.orders.returning import TakenBack


class ReturnIn(BaseModel):
    """What has come back, and whether it goes up again."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"put_up": True}]})

    lines: list[ShippedLineIn] | None = Field(
        default=None, min_length=1, max_length=200, description="Null: all that had not yet."
    )
    put_up: bool = Field(
        default=False, description="Publish again where this order's sale took the product down."
    )

    def units(self) -> list[tuple[int, int]] | None:
        """As the service takes it."""
        return None if self.lines is None else [(row.line_id, row.quantity) for row in self.lines]


class TakenBackOut(BaseModel):
    """Units that are in stock again by this request, and what became of putting them up."""

    units: int
    items: list[RequestedItemOut]

    @classmethod
    def of(cls, back: TakenBack) -> "TakenBackOut":
        """Show it."""
        return cls(units=back.units, items=[RequestedItemOut.of(item) for item in back.items])
