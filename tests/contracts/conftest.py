"""One sandbox of each marketplace for a test process, empty at the start of every test."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from sandbox.ebay.app import create_app
from sandbox.ebay.sandbox import Options
from sandbox.etsy.app import create_app as create_etsy
from sandbox.server import serving
from sandbox.vinted.app import create_app as create_vinted
from shared.http_client import trusted_authorities
from tests.contracts.ebay_shop import Sandbox
from tests.contracts.etsy_documents import EtsyDocuments
from tests.contracts.etsy_shop import EtsySite
from tests.contracts.openapi_documents import EbayDocuments
from tests.contracts.recording import ContractCheckingTransport
from tests.contracts.vinted_site import VintedSite
from tests.paths import contracts_folder, contracts_or_skip
from tests.serving import client

CATALOGUE = {
    "leaf_categories_us": """category_id,full_path
15687,Clothing > Men > Shirts > T-Shirts
57990,Clothing > Men > Shirts > Casual Shirts
63861,Clothing > Women > Dresses
20625,Home & Garden > Kitchen > Mugs
""",
    "category_aspects": """scope,aspect,required,mode,cardinality,values,variant
Clothing,Brand,1,FREE_TEXT,SINGLE,,0
Clothing > Men,Size,1,FREE_TEXT,SINGLE,S|M|L,1
Clothing > Men,Brand,1,FREE_TEXT,SINGLE,Acme,0
Clothing > Men,Fit,0,SELECTION_ONLY,SINGLE,Slim|Regular,0
Clothing > Men,Features,0,FREE_TEXT,MULTI,,0
57990,Size,0,FREE_TEXT,SINGLE,,1
""",
    "condition_policies": """scope,condition_ids
*,1000|3000
Clothing,1000|1500|2990|3000|3010
""",
    "conditions": """condition_id,inventory_api_enum,name,apparel_name
1000,NEW,New,New with tags
1500,NEW_OTHER,New other,New without tags
2990,PRE_OWNED_EXCELLENT,Used - Excellent,Pre-owned - Excellent
3000,USED_EXCELLENT,Used,Pre-owned - Good
3010,PRE_OWNED_FAIR,Used - Fair,Pre-owned - Fair
7000,FOR_PARTS_OR_NOT_WORKING,For parts,
""",
}


@pytest.fixture(scope="session")
def small_catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A handful of categories, so that tests do not depend on the data that ships."""
    folder = tmp_path_factory.mktemp("catalogue")
    for name, content in CATALOGUE.items():
        (folder / f"{name}.csv").write_text(content, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def sandbox_url(small_catalogue: Path) -> Iterator[str]:
    """A sandbox eBay on a free port."""
    with serving(create_app(Options(data_folder=small_catalogue))) as base_url:
        yield base_url


@pytest.fixture(scope="session")
def loaded_documents() -> EbayDocuments | None:
    """eBay's documents, read once; None when they are absent."""
    folder = contracts_folder()
    return None if folder is None else EbayDocuments(folder / "ebay")


@pytest.fixture
def documents(loaded_documents: EbayDocuments | None) -> EbayDocuments:
    """eBay's documents; the test is left out, saying so, when they are absent."""
    contracts_or_skip()
    assert loaded_documents is not None
    return loaded_documents


@pytest.fixture
def sandbox(sandbox_url: str, loaded_documents: EbayDocuments | None) -> Iterator[Sandbox]:
    """The sandbox, emptied. Where the documents are there, every answer is held to them."""
    transport: httpx.BaseTransport = httpx.HTTPTransport(verify=trusted_authorities())
    if loaded_documents is not None:
        transport = ContractCheckingTransport(transport, loaded_documents, check_requests=False)
    with httpx.Client(base_url=sandbox_url, transport=transport, timeout=10) as http:
        http.post("/_sandbox/reset").raise_for_status()
        yield Sandbox(http)


@pytest.fixture(scope="session")
def etsy_sandbox_url() -> Iterator[str]:
    """A sandbox Etsy on a free port."""
    with serving(create_etsy()) as base_url:
        yield base_url


@pytest.fixture(scope="session")
def loaded_etsy_documents() -> EtsyDocuments | None:
    """Etsy's document, read once; None when it is absent."""
    folder = contracts_folder()
    return None if folder is None else EtsyDocuments(folder / "etsy")


@pytest.fixture
def etsy_documents(loaded_etsy_documents: EtsyDocuments | None) -> EtsyDocuments:
    """Etsy's document; the test is left out, saying so, when it is absent."""
    contracts_or_skip()
    assert loaded_etsy_documents is not None
    return loaded_etsy_documents


@pytest.fixture
def etsy_sandbox(
    etsy_sandbox_url: str, loaded_etsy_documents: EtsyDocuments | None
) -> Iterator[EtsySite]:
    """The sandbox, emptied. Where the document is there, every answer is held to it."""
    transport: httpx.BaseTransport = httpx.HTTPTransport(verify=trusted_authorities())
    if loaded_etsy_documents is not None:
        transport = ContractCheckingTransport(
            transport, loaded_etsy_documents, check_requests=False
        )
    with httpx.Client(base_url=etsy_sandbox_url, transport=transport, timeout=10) as http:
        http.post("/_sandbox/reset").raise_for_status()
        yield EtsySite(http)


@pytest.fixture(scope="session")
def vinted_sandbox_url() -> Iterator[str]:
    """A sandbox Vinted on a free port."""
    with serving(create_vinted()) as base_url:
        yield base_url


@pytest.fixture
def vinted_sandbox(vinted_sandbox_url: str) -> Iterator[VintedSite]:
    """The sandbox, emptied."""
    with client(vinted_sandbox_url) as http:
        http.post("/_sandbox/reset").raise_for_status()
        yield VintedSite(http)
