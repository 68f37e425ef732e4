"""Says in a sentence what an operator has to mend when the database itself is the trouble."""

from sqlalchemy.exc import OperationalError, ProgrammingError

_NOT_THERE = {"42P01", "42703", "3F000"}
"""SQLSTATEs of a table, a column and a schema that do not exist."""


def outage_in(error: Exception) -> str | None:
    """What is wrong with the installation's database; None when `error` is something else."""
    match error:
        case OperationalError():
            reason = str(error.orig).partition("\n")[0]
            return (
                "The database does not answer. Is DATABASE_URL right, and is PostgreSQL running?"
                f"\n  {reason}"
            )
        case ProgrammingError() if getattr(error.orig, "pgcode", None) in _NOT_THERE:
            return "The database is not at this version. Run 'stoflow db migrate'."
        case _:
            return None
