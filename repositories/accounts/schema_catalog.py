"""What PostgreSQL knows of shops' schemas, for all of them in one query, or in words for a few.

A fingerprint is a hash over facts that PostgreSQL can state without opening a table: opening the
tables of ten thousand shops would fill the backend's caches for good. It takes column numbers in,
so two schemas that differ in nothing else have two fingerprints; whoever finds a strange one asks
`facts` for one schema of each fingerprint and compares these.
"""

# ruff: noqa: S608 - the queries are put together from the constants of this file alone

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import text

from shared.database import TEMPLATE_SCHEMA, Database, PlatformSession

ITS_OWN_ROLE = "its own role"
"""Stands for the role that should own a schema: a shop's own, or the template's owner."""


@dataclass(frozen=True, slots=True, order=True)
class Fact:
    """A thing in a schema, by kind and name, as `index products.ix_products_handle`."""

    kind: str
    name: str


_SCHEMAS = r"""
schemas AS (
    SELECT n.oid, n.nspname, n.nspowner, n.nspacl,
           CASE WHEN :roles AND n.nspname <> :template
                THEN (SELECT oid FROM pg_roles
                      WHERE rolname = CAST(:database || '_' || n.nspname AS name))
                ELSE (SELECT nspowner FROM pg_namespace WHERE nspname = :template) END AS owner,
           quote_ident(n.nspname) || '.' AS prefix
    FROM pg_namespace n
    WHERE n.nspname ~ '^user_[1-9][0-9]*$' AND (:every OR n.nspname = ANY (:names))
       OR n.nspname = :template
),
relations AS (
    SELECT s.oid AS schema, s.prefix, s.owner, c.oid, c.relname, c.relkind, c.relowner, c.relacl,
           c.relpersistence, c.relrowsecurity, c.relforcerowsecurity, c.reloptions
    FROM schemas s JOIN pg_class c ON c.relnamespace = s.oid
    WHERE c.relkind NOT IN ('i', 'I', 'c')
)
"""

_OWNER = (
    "CASE WHEN {actual} = {wanted} THEN :own"
    " ELSE (SELECT rolname FROM pg_roles WHERE oid = {actual}) END"
)

_GRANTS = """coalesce((
    SELECT string_agg(
        CASE WHEN g.grantee = 0 THEN 'PUBLIC'
             ELSE (SELECT rolname FROM pg_roles WHERE oid = g.grantee) END
        || ' may ' || g.privilege_type, ', ' ORDER BY g.grantee, g.privilege_type)
    FROM aclexplode({acl}) g WHERE g.grantee <> {owner}), '')"""

_COMMON = (
    f"""
    SELECT oid, 'schema', 'itself', 'owner ' || {_OWNER.format(actual="nspowner", wanted="owner")}
    FROM schemas""",
    f"""
    SELECT oid, 'grants', 'schema', {_GRANTS.format(acl="nspacl", owner="nspowner")}
    FROM schemas WHERE nspacl IS NOT NULL""",
    """
    SELECT schema, CASE relkind WHEN 'r' THEN 'table' WHEN 'S' THEN 'sequence' WHEN 'v' THEN 'view'
                   WHEN 'm' THEN 'materialized view' ELSE 'relation of kind ' || relkind::text END,
           relname,
           concat_ws(', ', CASE relpersistence WHEN 'u' THEN 'unlogged' END,
                     CASE WHEN relrowsecurity THEN 'row security' END,
                     CASE WHEN relforcerowsecurity THEN 'forced row security' END,
                     array_to_string(reloptions, ', '))
    FROM relations""",
    f"""
    SELECT schema, 'owner', relname, {_OWNER.format(actual="relowner", wanted="owner")}
    FROM relations""",
    f"""
    SELECT schema, 'grants', relname, {_GRANTS.format(acl="relacl", owner="relowner")}
    FROM relations WHERE relacl IS NOT NULL""",
    f"""
    SELECT r.schema, 'grants', r.relname || '.' || a.attname,
           {_GRANTS.format(acl="a.attacl", owner="r.relowner")}
    FROM relations r JOIN pg_attribute a ON a.attrelid = r.oid AND NOT a.attisdropped
    WHERE a.attacl IS NOT NULL""",
    """
    SELECT r.schema, 'numbering', r.relname,
           concat_ws(' ', format_type(q.seqtypid, NULL), 'from', q.seqstart, 'by', q.seqincrement,
                     'between', q.seqmin, 'and', q.seqmax, 'cache', q.seqcache,
                     CASE WHEN q.seqcycle THEN 'cycle' END)
    FROM relations r JOIN pg_sequence q ON q.seqrelid = r.oid""",
    """
    SELECT r.schema, 'sequence owned by', r.relname, t.relname || '.' || a.attname
    FROM relations r
    JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = r.oid
         AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
    JOIN pg_class t ON t.oid = d.refobjid
    JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
    WHERE r.relkind = 'S'""",
    """
    SELECT r.schema, 'trigger', r.relname || '.' || t.tgname, t.tgenabled::text
    FROM relations r JOIN pg_trigger t ON t.tgrelid = r.oid AND NOT t.tgisinternal""",
    """
    SELECT r.schema, 'policy', r.relname || '.' || p.polname, p.polcmd::text
    FROM relations r JOIN pg_policy p ON p.polrelid = r.oid""",
    """
    SELECT r.schema, 'rule', r.relname || '.' || w.rulename, w.ev_type::text
    FROM relations r JOIN pg_rewrite w ON w.ev_class = r.oid WHERE r.relkind = 'r'""",
    """
    SELECT r.schema, 'inherits', r.relname, i.inhparent::regclass::text
    FROM relations r JOIN pg_inherits i ON i.inhrelid = r.oid""",
    """
    SELECT s.oid, 'function', p.proname || '/' || p.pronargs, p.prokind::text
    FROM schemas s JOIN pg_proc p ON p.pronamespace = s.oid""",
    """
    SELECT s.oid, 'type', t.typname, t.typtype::text
    FROM schemas s JOIN pg_type t ON t.typnamespace = s.oid
    WHERE t.typrelid = 0 AND t.typelem = 0
       OR t.typtype = 'c' AND EXISTS
          (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c')""",
)
"""Each: schema, kind, name, definition; cheap to state."""

_NO_PLACES = r"regexp_replace({tree}::text, '\:location -?[0-9]+', '', 'g')"
"""A stored expression without its position in the statement that made it."""

_DEFAULT = """(SELECT replace(pg_get_expr(d.adbin, {relation}), r.prefix, '') FROM pg_attrdef d
     WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum)"""

_ALIKE = (
    f"""
    SELECT r.schema, 'column', r.relname || '.' || a.attname,
           concat_ws(' ', a.attnum, a.atttypid, a.atttypmod, a.attcollation, a.attnotnull,
                     a.attidentity, a.attgenerated,
                     CASE WHEN NOT a.atthasdef THEN NULL
                          WHEN a.attgenerated = '' THEN {_DEFAULT.format(relation="0")}
                          ELSE 'generated' END)
    FROM relations r JOIN pg_attribute a ON a.attrelid = r.oid
    WHERE a.attnum > 0 AND NOT a.attisdropped AND r.relkind <> 'S'""",
    f"""
    SELECT r.schema, 'constraint', r.relname || '.' || k.conname,
           concat_ws(' ', k.contype, k.condeferrable, k.condeferred, k.convalidated, k.conkey,
                     k.confkey, k.confupdtype, k.confdeltype, k.confmatchtype,
                     {_NO_PLACES.format(tree="k.conbin")},
                     (SELECT CASE WHEN f.relnamespace = r.schema THEN ''
                                  ELSE f.relnamespace || '.' END || f.relname
                      FROM pg_class f WHERE f.oid = k.confrelid))
    FROM relations r JOIN pg_constraint k ON k.conrelid = r.oid AND k.contype <> 'n'""",
    f"""
    SELECT r.schema, 'index', r.relname || '.' || c.relname,
           concat_ws(' ', c.relam, i.indisunique, i.indisprimary, i.indisvalid, i.indisreplident,
                     i.indnkeyatts, i.indkey, i.indclass, i.indcollation, i.indoption,
                     {_NO_PLACES.format(tree="i.indexprs")}, {_NO_PLACES.format(tree="i.indpred")},
                     array_to_string(c.reloptions, ','))
    FROM relations r JOIN pg_index i ON i.indrelid = r.oid JOIN pg_class c ON c.oid = i.indexrelid
    """,
)
"""The same for what PostgreSQL would have to open tables for to say it in words."""

# NOT NULL is told with its column; PostgreSQL 18 has a constraint for it as well.
_IN_WORDS = (
    f"""
    SELECT r.schema, 'column', r.relname || '.' || a.attname,
           concat_ws(' ', format_type(a.atttypid, a.atttypmod),
                     CASE WHEN a.attnotnull THEN 'NOT NULL' END,
                     CASE a.attidentity WHEN '' THEN NULL ELSE 'IDENTITY' END,
                     CASE a.attgenerated WHEN '' THEN NULL ELSE 'GENERATED' END,
                     'DEFAULT ' || {_DEFAULT.format(relation="d.adrelid")})
    FROM relations r JOIN pg_attribute a ON a.attrelid = r.oid
    WHERE a.attnum > 0 AND NOT a.attisdropped AND r.relkind <> 'S'""",
    """
    SELECT r.schema, 'constraint', r.relname || '.' || k.conname,
           replace(pg_get_constraintdef(k.oid), r.prefix, '')
    FROM relations r JOIN pg_constraint k ON k.conrelid = r.oid AND k.contype <> 'n'""",
    """
    SELECT r.schema, 'index', r.relname || '.' || c.relname,
           replace(pg_get_indexdef(i.indexrelid), r.prefix, '')
           || CASE WHEN i.indisvalid THEN '' ELSE ' (not valid)' END
    FROM relations r JOIN pg_index i ON i.indrelid = r.oid JOIN pg_class c ON c.oid = i.indexrelid
    """,
)


def _query(select: str, parts: Iterable[str]) -> str:
    told = " UNION ALL ".join(parts)
    return (
        f"WITH {_SCHEMAS}, told (schema, kind, name, definition) AS ({told})"
        f" {select} FROM told JOIN schemas ON schemas.oid = told.schema"
    )


_FINGERPRINTS = text(
    _query(
        "SELECT nspname, count(*) || ' '"
        " || bit_xor(hashtextextended(kind || ' ' || name || ' ' || definition, 1)) || ' '"
        " || bit_xor(hashtextextended(kind || ' ' || name || ' ' || definition, 2))",
        _COMMON + _ALIKE,
    )
    # A right that was given and taken back leaves an empty list of rights.
    + " WHERE kind <> 'grants' OR definition <> '' GROUP BY nspname"
)
_FACTS = text(
    _query("SELECT nspname, kind, name, definition", _COMMON + _IN_WORDS)
    + " WHERE kind <> 'grants' OR definition <> ''"
)


_FROM_OUTSIDE = "SET LOCAL search_path TO pg_catalog; SET LOCAL statement_timeout = 0"
"""All names of shops are printed with their schema then, which the queries take away."""

_ALL_AT_ONCE = "SET LOCAL work_mem = '64MB'; SET LOCAL jit = off; SET LOCAL enable_nestloop = off"
"""Catalogs are analyzed long after many shops were made; until then nested loops take minutes."""


class SchemaCatalog:
    """Reads schemas of shops and the template; never a query a shop."""

    def __init__(self, session: PlatformSession, database: Database) -> None:
        self._session = session
        self._names = {
            "database": database.name,
            "roles": database.tenant_roles,
            "template": TEMPLATE_SCHEMA,
            "own": ITS_OWN_ROLE,
        }

    def fingerprints(self) -> Mapping[str, str]:
        """The fingerprint of every shop's schema and of the template, by schema name."""
        self._session.connection().exec_driver_sql(f"{_FROM_OUTSIDE}; {_ALL_AT_ONCE}")
        asked = {**self._names, "every": True, "names": []}
        rows = self._session.execute(_FINGERPRINTS, asked)
        return {name: fingerprint for name, fingerprint in rows}  # noqa: C416 - rows, not pairs

    def facts(self, schemas: Sequence[str]) -> Mapping[str, Mapping[Fact, str]]:
        """What is in these schemas and in the template, in words; names carry no schema."""
        self._session.connection().exec_driver_sql(_FROM_OUTSIDE)
        asked = {**self._names, "every": False, "names": list(schemas)}
        found: dict[str, dict[Fact, str]] = defaultdict(dict)
        for schema, kind, name, definition in self._session.execute(_FACTS, asked):
            found[schema][Fact(kind, name)] = definition
        return found
