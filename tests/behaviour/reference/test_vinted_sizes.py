"""Where Vinted's categories have their sizes, as far as we map to them."""

from sandbox.vinted.catalogue import Catalogue
from services.reference.attributes.files import FILES
from services.selling.vinted.rules import size_scope

SITE = Catalogue()
(PLACES,) = [list(file.rows()) for file in FILES if file.path.name == "vinted_categories.csv"]
SCOPES = {
    size.group_id: size.group.lower().replace("'", "").replace(" ", "_")
    for size in SITE.sizes.values()
}


def test_a_size_is_looked_up_where_the_category_has_its_sizes() -> None:
    """C9: men's shirts have sizes of their own, socks of women none."""
    wrong = {}
    for row in PLACES:
        catalog = SITE.catalogs.get(int(row["remote_id"]))
        if catalog is None:
            continue
        groups = {SCOPES[group] for group in catalog.size_groups}
        found = size_scope(row["remote_path"])
        if found not in (groups or {None}):
            wrong[row["remote_path"]] = (found, groups)
    assert wrong == {}
