"""What an error of the database means: for an operator, and for whoever might try again."""

from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError

from shared.database.statements import GUARDED
from shared.errors import DatabaseUnavailable, ShopBeingUpgraded

_NOT_THERE = {"42P01", "42703", "3F000"}
"""SQLSTATEs of a table, a column and a schema that do not exist."""

_PASSING = {"55P03", "40P01", "40001"}
"""SQLSTATEs of a lock that was not to be had in time, a deadlock, a failed serialization."""
_CUT_OFF = ("08", "57P")
"""How the SQLSTATEs of a lost connection and of a server that stops begin."""

_NO_ROOM = ("53", "57014", "25P03")
"""How those begin of a server that is full, and of a transaction that took too long."""

_ASK_AGAIN_AFTER_S = 5
_UPGRADED_AFTER_S = 30


def sqlstate_of(error: BaseException) -> str | None:
    """PostgreSQL's five characters; None when it did not say them."""
    code = getattr(error.orig, "pgcode", None) if isinstance(error, DBAPIError) else None
    return code if isinstance(code, str) else None


def lacks_something(error: BaseException) -> bool:
    """Whether a table, a column or a schema was not there."""
    return sqlstate_of(error) in _NOT_THERE


def may_pass(error: BaseException) -> bool:
    """Whether the same transaction, begun anew, may well succeed."""
    code = sqlstate_of(error)
    if code is None:
        # Without a code nobody answered: cut off in the middle, or no connection to be had.
        return isinstance(error, OperationalError)
    return code in _PASSING or code.startswith(_CUT_OFF)


def unavailable_in(error: BaseException) -> DatabaseUnavailable | None:
    """What to tell a client when the database could not serve it but may do so soon."""
    if (sqlstate_of(error) or "").startswith(_NO_ROOM):
        detail = "The database has too much to do."
    elif may_pass(error):
        detail = "The database did not answer."
    else:
        return None
    return DatabaseUnavailable(detail, retry_after=_ASK_AGAIN_AFTER_S)


def refuse_a_shop_behind(context: ExceptionContext) -> None:
    """An engine's `handle_error`. Raises `ShopBeingUpgraded` where a shop lacks what was asked for.

    During a deployment some shops are moved already and others are not.
    """
    error, connection = context.sqlalchemy_exception, context.connection
    if connection is None or error is None or not lacks_something(error):
        return
    if GUARDED.items() <= connection.get_execution_options().items():
        raise behind() from error


def behind() -> ShopBeingUpgraded:
    """What to tell whoever works for a shop that lacks a table or a column."""
    return ShopBeingUpgraded(retry_after=_UPGRADED_AFTER_S)


def reason_of(error: BaseException) -> str:
    """The first line of what went wrong: no values of rows, which PostgreSQL names further down."""
    said = str(error.orig if isinstance(error, DBAPIError) else error).partition("\n")[0].strip()
    if isinstance(error, DBAPIError):
        return said
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def outage_in(error: Exception) -> str | None:
    """What is wrong with the installation's database; None when `error` is something else."""
    match error:
        case OperationalError():
            reason = str(error.orig).partition("\n")[0]
            return (
                "The database does not answer. Is DATABASE_URL right, and is PostgreSQL running?"
                f"\n  {reason}"
            )
        case ProgrammingError() if lacks_something(error):
            return "The database is not at this version. Run 'stoflow db migrate'."
        case _:
            return None
