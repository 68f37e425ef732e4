"""What operators see: lines without secrets, figures, and whether requests can be served."""

import json
import logging
from datetime import timedelta
from io import StringIO
from urllib.parse import urlsplit

import httpx
import pytest
import structlog

from backend.app import create_app
from backend.container import Container, build_container
from backend.settings import Settings
from services.selling.vinted.bridge.leases import PhotoLink
from shared.clock import MovableClock
from shared.database import Database, create_database_engine
from tests.passwords import PASSWORD
from tests.serving import Seller, Stage, client, sign_in


def test_secrets_do_not_reach_the_log(
    api: httpx.Client, seller: Seller, captured: StringIO
) -> None:
    """ST22: signing in, refreshing and failing, with everything logged."""
    tokens = sign_in(api, seller.email).json()
    sign_in(api, seller.email, "a wrong password")
    api.post("/api/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
    api.post("/api/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
    api.get(f"/api/v1/me?code=secret-code-1&state=secret-state-1&token={tokens['access_token']}")
    log = logging.getLogger("somebody")
    log.warning("GET /callback?code=secret-code-1&state=secret-state-1 %s", tokens["access_token"])
    log.warning("header Authorization: Bearer %s", tokens["access_token"])
    log.warning("postgresql://stoflow:secret-code-1@db/stoflow")
    written = captured.getvalue()
    assert "refresh attempted twice" in written
    secrets = [PASSWORD, "a wrong password", "secret-code-1", "secret-state-1"]
    secrets += [tokens["access_token"], tokens["refresh_token"], seller.tokens["refresh_token"]]
    assert [each for each in secrets if each in written] == []


def test_names_that_hold_secrets_are_blanked_at_any_depth(captured: StringIO) -> None:
    """ST22."""
    structlog.get_logger("somebody").info(
        "called",
        password="hidden-1",
        access_token="hidden-2",
        Authorization="hidden-3",
        answer={"cookies": ["hidden-4"], "client_secret": "hidden-5", "kept": "shown"},
        code="hidden-6",
        state="hidden-7",
    )
    line = json.loads(captured.getvalue())
    assert "hidden-" not in captured.getvalue()
    assert line["answer"]["kept"] == "shown"
    assert line["event"] == "called"


def test_reads_that_went_well_are_counted_and_not_logged(
    api: httpx.Client, seller: Seller, captured: StringIO
) -> None:
    """K71."""
    assert seller.http.get("/api/v1/me").status_code == 200
    assert captured.getvalue() == ""
    seller.http.post("/api/v1/auth/logout")
    (line,) = [json.loads(each) for each in captured.getvalue().splitlines()]
    assert line["method"] == "POST"
    assert line["path"] == "/api/v1/auth/logout"
    assert line["status"] == 204
    figures = api.get("/metrics")
    assert figures.headers["content-type"].startswith("text/plain")
    counted = 'stoflow_http_request_seconds_count{method="GET",route="/api/v1/me",status="200"}'
    assert f"{counted} 1.0" in figures.text


@pytest.mark.parametrize("is_known", [True, False])
def test_an_address_that_opens_something_is_not_in_the_log(
    api: httpx.Client,
    container: Container,
    clock: MovableClock,
    captured: StringIO,
    *,
    is_known: bool,
) -> None:
    """ST22, ST35: a photo's link that is still good, when the photo cannot be had just then, or
    somebody gets the address around it wrong.
    """
    photo = PhotoLink("tenants/1/gone.jpg", "image/jpeg")
    link = container.photo_links.link(photo, clock.now() + timedelta(minutes=3))
    path = urlsplit(link).path
    assert api.get(path if is_known else f"{path}/full").status_code == 404
    (line,) = [json.loads(each) for each in captured.getvalue().splitlines()]
    assert line["path"] == "/api/v1/vinted/photos/" + ("{token}" if is_known else "[hidden]/full")
    assert path.rpartition("/")[2] not in captured.getvalue()


def test_unusual_verbs_and_made_up_addresses_make_no_new_figures(api: httpx.Client) -> None:
    """K71: nobody can fill the memory of the metrics."""
    for verb in ("PROPFIND", "MKCOL", "REPORT"):
        api.request(verb, f"/made/up/{verb}")
    figures = api.get("/metrics").text
    assert "PROPFIND" not in figures
    assert "made/up" not in figures
    counted = 'stoflow_http_request_seconds_count{method="other",route="unknown",status="404"}'
    assert f"{counted} 3.0" in figures


def test_the_service_says_whether_it_lives_and_whether_it_can_serve(
    api: httpx.Client, container: Container
) -> None:
    """K71, F22."""
    assert api.get("/health/live").json() == {"status": "alive"}
    answer = api.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json() == {"ready": True, "database": True, "migrated": True}


def test_without_its_database_it_lives_and_is_not_ready(
    settings: Settings, stage: Stage, clock: MovableClock
) -> None:
    """K71: nothing of the address is said."""
    nowhere = Database(create_database_engine("postgresql://nobody@127.0.0.1:1/nothing"))
    stage.app = create_app(build_container(settings, database=nowhere, clock=clock))
    with client(stage.url) as api:
        assert api.get("/health/live").status_code == 200
        answer = api.get("/health/ready")
        assert answer.status_code == 503
        assert answer.json() == {"ready": False, "database": False, "migrated": False}
