"""Rows of call budgets, locked together in one order."""

from collections.abc import Collection, Mapping

from sqlalchemy import BigInteger, Select, delete, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from models.accounts.call_budgets import CallBudget
from shared.database import PlatformSession

BudgetKey = tuple[str, str]
"""Name of the quota and account."""


class CallBudgetRepository:
    """Reads and locks budgets; a budget nobody has used yet has no row."""

    def __init__(self, session: PlatformSession) -> None:
        self._session = session

    def locked(self, keys: Collection[BudgetKey]) -> Mapping[BudgetKey, CallBudget]:
        """These budgets, made where missing, locked until the commit in the order of their keys."""
        found = self._lock(keys)
        missing = sorted(set(keys) - set(found))
        if not missing:
            return found
        rows = [{"name": name, "account": account, "spent": []} for name, account in missing]
        self._session.execute(insert(CallBudget).values(rows).on_conflict_do_nothing())
        # Locked anew from the first, for everybody locks in the same order.
        return self._lock(keys)

    def read(self, keys: Collection[BudgetKey]) -> Mapping[BudgetKey, CallBudget]:
        """Those of these budgets that have been used, as they are now."""
        return {(row.name, row.account): row for row in self._session.scalars(_of(keys))}

    def forget_unused_since(self, name: str, first_slice: int) -> int:
        """Delete budgets of this quota of which nothing was spent since; returns how many."""
        newest = CallBudget.spent[-1][0].astext.cast(BigInteger)
        gone = self._session.scalars(
            delete(CallBudget)
            .where(CallBudget.name == name, newest < first_slice)
            .returning(CallBudget.account)
        )
        return len(gone.all())

    def _lock(self, keys: Collection[BudgetKey]) -> Mapping[BudgetKey, CallBudget]:
        ordered = _of(keys).order_by(CallBudget.name, CallBudget.account).with_for_update()
        return {(row.name, row.account): row for row in self._session.scalars(ordered)}


def _of(keys: Collection[BudgetKey]) -> Select[tuple[CallBudget]]:
    return select(CallBudget).where(tuple_(CallBudget.name, CallBudget.account).in_(list(keys)))
