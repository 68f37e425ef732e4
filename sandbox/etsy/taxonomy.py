"""The seller taxonomy and what listings of a node can say."""

from sandbox.answers import Answer
from sandbox.etsy.errors import not_found
from sandbox.etsy.operations import Call, Operation, listed


def _nodes(call: Call) -> Answer:
    return listed(call.sandbox.taxonomy.roots)


def _properties(call: Call) -> Answer:
    taxonomy, taxonomy_id = call.sandbox.taxonomy, call.path["taxonomy_id"]
    if taxonomy_id not in taxonomy.nodes:
        raise not_found("Taxonomy node")
    return listed([one.as_json() for one in taxonomy.properties_of(taxonomy_id)])


_PATH = "/seller-taxonomy/nodes"

TAXONOMY_OPERATIONS = (
    Operation("getSellerTaxonomyNodes", "GET", _PATH, None, _nodes),
    Operation(
        "getPropertiesByTaxonomyId", "GET", _PATH + "/{taxonomy_id}/properties", None, _properties
    ),
)
