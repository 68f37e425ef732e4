"""Money: whole minor units and a currency. Never a float."""

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

_EXPONENTS = {"JPY": 0, "KRW": 0, "HUF": 2, "KWD": 3, "BHD": 3, "TND": 3}
"""ISO 4217 minor-unit digits where they are not 2."""

_CURRENCY = re.compile(r"[A-Z]{3}")
_AMOUNT = re.compile(r"-?\d{1,12}(\.\d+)?")

MAX_MINOR = 10**12
"""Ten thousand million units: above every price and below the 2**53 that JavaScript can count."""


def exponent_of(currency: str) -> int:
    """How many digits follow the point in this currency."""
    return _EXPONENTS.get(currency, 2)


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount in minor units (cents) of one ISO 4217 currency."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if not _CURRENCY.fullmatch(self.currency):
            raise ValueError(f"not an ISO 4217 currency: {self.currency!r}")

    @classmethod
    def parse(cls, text: str, currency: str) -> "Money":
        """Read `12`, `12.5` or `12.50`. Raises ValueError on anything else.

        No thousands marks, no exponent, no more digits than the currency has.
        """
        text = text.strip()
        if not _AMOUNT.fullmatch(text):
            raise ValueError(f"not an amount: {text[:40]!r}")
        try:
            scaled = Decimal(text).scaleb(exponent_of(currency))
        except InvalidOperation as error:
            raise ValueError(f"not an amount: {text[:40]!r}") from error
        if scaled != scaled.to_integral_value():
            digits = exponent_of(currency)
            raise ValueError(f"{currency} has {digits} digits after the point: {text!r}")
        return cls(int(scaled), currency)

    def __str__(self) -> str:
        return f"{self.amount()} {self.currency}"

    def amount(self) -> str:
        """The decimal text marketplaces want: `12.50`."""
        digits = exponent_of(self.currency)
        return str(Decimal(self.minor).scaleb(-digits).quantize(Decimal(1).scaleb(-digits)))
