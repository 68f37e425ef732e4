"""The browser extension: its own tests, and what it must have in common with the rest."""

import base64
import hashlib
import json
import re
import subprocess
from typing import Any

import pytest
import yaml

from api.selling.vinted.messages import Result
from backend.demo.chromium import EXTENSION
from backend.settings import Settings
from sandbox.vinted_browser.tab import LONGEST_BODY
from services.selling.vinted.sites import SITES
from tests.browsers import node_or_skip
from tests.paths import CHECKOUT

TAGS = re.compile(r"<(?:script|link|img)\b[^>]*\b(?:src|href)=\"([^\"]*)\"")


def source(name: str) -> str:
    return (EXTENSION / name).read_text()


def protocol() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(
        (CHECKOUT / "docs" / "extension-protocol.yaml").read_text()
    )
    return read


@pytest.mark.timeout(300)
def test_its_own_tests_pass() -> None:
    """ST38, ST39: run by Node's own test runner."""
    tests = sorted(str(path) for path in (EXTENSION / "tests").glob("*.test.js"))
    ran = subprocess.run([node_or_skip(), "--test", *tests], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout[-5000:]
    assert int(re.search(r"pass (\d+)", ran.stdout).group(1)) > 100  # type: ignore[union-attr]


def test_it_makes_the_requests_that_the_protocol_allows() -> None:
    """ST39: one list, written down twice, for the extension trusts nobody with it."""
    listed = re.findall(r"'((?:GET|POST|PUT|DELETE)) ([^']+)'", source("allowed.js"))
    allowed = protocol()["x-allowed-requests"]
    patterns = [(method, "^" + path.replace("{id}", r"\d{1,20}") + "$") for method, path in listed]
    assert sorted(patterns) == sorted((each["method"], each["path"]) for each in allowed)


def test_it_works_at_the_sites_that_stoflow_knows() -> None:
    """ST39."""
    assert sorted(re.findall(r"'(www\.vinted\.[a-z.]+)'", source("settings.js"))) == sorted(SITES)


def test_all_cut_a_long_answer_at_the_same_length() -> None:
    """ST33, ST39: what one passes on, the next takes."""
    [extension] = re.findall(r"LONGEST_BODY = ([\d_]+);", source("executor.js"))
    documented = protocol()["components"]["schemas"]["Result"]["properties"]["body"]["maxLength"]
    taken = Result.model_json_schema()["properties"]["body"]["anyOf"][0]["maxLength"]
    assert {int(extension), documented, taken} == {LONGEST_BODY}


def test_it_brings_all_its_code() -> None:
    """ST39: Manifest V3, no remote code; nothing is built or generated."""
    policy = json.loads(source("manifest.json"))["content_security_policy"]["extension_pages"]
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy
    for path in EXTENSION.glob("*.js"):
        code = path.read_text()
        assert not re.search(r"\beval\(|\bnew Function\b|\bimport\(|importScripts", code), path.name
        for name in re.findall(r"^import .* from '([^']+)';", code, re.M):
            assert (EXTENSION / name).is_file(), f"{path.name}: {name}"
    pages = TAGS.findall(source("popup.html"))
    assert pages
    assert [each for each in pages if not (EXTENSION / each).is_file()] == []


def test_servers_and_buckets_are_told_its_id(settings: Settings) -> None:
    """ST35: it follows from the key in the manifest, and is one of the exact origins."""
    key = base64.b64decode(json.loads(source("manifest.json"))["key"])
    digits = hashlib.sha256(key).hexdigest()[:32]
    extension_id = "".join(chr(ord("a") + int(digit, 16)) for digit in digits)
    assert settings.cors_origins[-1] == f"chrome-extension://{extension_id}"
    guide = (CHECKOUT / "docs" / "guides" / "pair-the-extension.md").read_text()
    assert set(re.findall(r"\b[a-p]{32}\b", guide)) == {extension_id}


def test_it_depends_on_no_package() -> None:
    """There is nothing to install."""
    assert "dependencies" not in json.loads(source("package.json"))
