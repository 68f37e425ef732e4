"""Signing in and out of the sandbox Vinted, and what its guard lets pass."""

import httpx
import jwt
import pytest

from tests.contracts.vinted_site import API, VintedBrowser, VintedSite

REFUSED = {
    "code": 100,
    "message": "Jeton d'authentification invalide",
    "message_code": "invalid_authentication_token",
}


def refused(answer: httpx.Response) -> tuple[int, int]:
    return answer.status_code, answer.json()["code"]


def test_a_person_signs_in_with_the_form_and_has_the_cookies(vinted_sandbox: VintedSite) -> None:
    """D5: the tokens are cookies, and tell who it is."""
    browser = vinted_sandbox.member("camille")
    cookies = dict(browser.http.cookies)
    assert set(cookies) == {
        "access_token_web", "refresh_token_web", "_vinted_fr_session",
        "anon_id", "v_uid", "v_sid", "datadome",
    }  # fmt: skip
    claims = jwt.decode(cookies["access_token_web"], options={"verify_signature": False})
    user = browser.get("/users/current").json()["user"]
    assert (user["login"], str(user["id"])) == ("camille", claims["sub"])
    assert claims["account_id"] == user["id"]


def test_a_wrong_password_is_told_on_the_page(vinted_sandbox: VintedSite) -> None:
    """ST59: and nobody is signed in."""
    browser = vinted_sandbox.visitor()
    answer = browser.sign_in("camille", "guessed")
    assert answer.status_code == 422
    assert "incorrect" in answer.text
    assert browser.get("/users/current").status_code == 403


def test_a_new_name_is_enrolled_with_the_password_typed(vinted_sandbox: VintedSite) -> None:
    """D5: and only that password is its own from then on."""
    assert vinted_sandbox.visitor().sign_in("odile", "first").status_code == 303
    assert vinted_sandbox.visitor().sign_in("odile", "second").status_code == 422
    assert vinted_sandbox.visitor().sign_in("no name!", "first").status_code == 422


def test_nobody_is_led_elsewhere_after_signing_in(vinted_sandbox: VintedSite) -> None:
    """ST59."""
    browser = vinted_sandbox.visitor()
    assert browser.sign_in("camille", ref_url="/items/new").headers["location"] == "/items/new"
    for elsewhere in ("//example.org", "https://example.org"):
        answer = vinted_sandbox.visitor().sign_in("camille", ref_url=elsewhere)
        assert answer.headers["location"] == "/"


def test_without_a_cookie_all_is_401_and_a_visitor_is_nobody(vinted_sandbox: VintedSite) -> None:
    """D5: 401 code 100; who it is, asked by a visitor with cookies, is 403."""
    browser = vinted_sandbox.visitor()
    for path in ("/users/current", "/item_upload/colors"):
        answer = browser.get(path)
        assert (answer.status_code, answer.json()) == (401, REFUSED)
    browser.http.get("/")
    assert refused(browser.get("/users/current")) == (403, 106)
    assert refused(browser.get("/item_upload/colors")) == (401, 100)


def test_signing_out_ends_the_session(vinted_sandbox: VintedSite) -> None:
    """D5: with the token of the page only, so no other site can do it."""
    browser = vinted_sandbox.member()
    old = dict(browser.http.cookies)
    browser.http.post("/member/logout")
    assert browser.get("/users/current").status_code == 200
    browser.http.post("/member/logout", data={"csrf_token": browser.csrf("/")})
    assert browser.get("/users/current").status_code == 403
    assert "refresh_token_web" not in browser.http.cookies
    with httpx.Client(base_url=vinted_sandbox.http.base_url, cookies=old) as late:
        assert late.get(f"{API}/users/current").status_code == 401


def test_an_access_token_ends_and_the_page_refreshes_it(vinted_sandbox: VintedSite) -> None:
    """D5: a page does it by itself, an API call has to be preceded by one."""
    browser = vinted_sandbox.member()
    vinted_sandbox.control("clock/advance", {"seconds": 2 * 3600 + 1})
    assert refused(browser.get("/users/current")) == (401, 100)
    page = browser.http.get("/items/new", follow_redirects=True)
    assert page.status_code == 200
    assert [one.status_code for one in page.history] == [307, 303]
    assert browser.get("/users/current").status_code == 200
    vinted_sandbox.control("members/camille/expire")
    assert refused(browser.get("/users/current")) == (401, 100)
    assert browser.http.post("/web/api/auth/refresh", json={}).status_code == 200
    assert browser.get("/users/current").status_code == 200


def test_a_refresh_token_ends_too(vinted_sandbox: VintedSite) -> None:
    """D5: then a person has to sign in again."""
    browser = vinted_sandbox.member()
    vinted_sandbox.control("clock/advance", {"seconds": 8 * 24 * 3600})
    assert refused(browser.http.post("/web/api/auth/refresh", json={})) == (401, 100)
    page = browser.http.get("/items/new")
    assert page.headers["location"] == "/member/login?ref_url=/items/new"


def test_a_changed_password_signs_out_everywhere(vinted_sandbox: VintedSite) -> None:
    """D5."""
    one, other = vinted_sandbox.member(), vinted_sandbox.member()
    vinted_sandbox.control("members/camille/sign-out")
    for browser in (one, other):
        assert refused(browser.get("/users/current")) == (401, 100)
    assert vinted_sandbox.member("jonas").get("/users/current").status_code == 200


@pytest.mark.parametrize("escaped", [False, True])
@pytest.mark.parametrize("page", ["/", "/items/new"])
def test_pages_carry_the_token_that_writes_need(
    vinted_sandbox: VintedSite, page: str, escaped: bool
) -> None:
    """D5: without it, or with another's, 403 code 106 and nothing is done."""
    vinted_sandbox.control("site", {"escaped_csrf": escaped})
    browser, other = vinted_sandbox.member(), vinted_sandbox.member("jonas")
    assert ('\\"CSRF_TOKEN\\"' in browser.http.get(page).text) is escaped
    body = {"draft": {"title": "A shirt"}}
    for headers in ({}, {"X-CSRF-Token": other.csrf(page)}):
        answer = browser.http.post(f"{API}/item_upload/drafts", json=body, headers=headers)
        assert refused(answer) == (403, 106)
    assert vinted_sandbox.items() == []
    headers = {"X-CSRF-Token": browser.csrf(page)}
    answer = browser.http.post(f"{API}/item_upload/drafts", json=body, headers=headers)
    assert answer.status_code == 200


def solve(browser: VintedBrowser) -> httpx.Response:
    """Type the word, as a person does."""
    page = browser.http.get("/items/new")
    assert page.status_code == 403
    word = page.text.partition('<strong id="word">')[2].partition("<")[0]
    form = {"answer": f" {word.upper()} ", "back_to": "/items/new"}
    return browser.http.post("/geo.captcha-delivery.com/captcha/check", data=form)


def test_a_challenge_stands_until_a_person_has_solved_it(vinted_sandbox: VintedSite) -> None:
    """D4: for every browser of the member, reads, writes and pages; for nobody else."""
    browser, same = vinted_sandbox.member(), vinted_sandbox.member()
    datadome = browser.http.cookies["datadome"]
    vinted_sandbox.fault("getColors", "challenge", after=1)
    assert browser.get("/item_upload/colors").status_code == 200
    answers = [browser.get("/item_upload/colors"), same.get("/users/current")]
    for answer in answers:
        assert (answer.status_code, answer.headers["x-datadome"]) == (403, "protected")
        assert set(answer.json()) == {"url"}
        assert "geo.captcha-delivery.com/captcha/?initialCid=" in answer.json()["url"]
    assert browser.http.get(answers[0].json()["url"]).status_code == 403
    assert browser.http.get("/").headers["x-datadome"] == "protected"
    assert vinted_sandbox.member("jonas").get("/users/current").status_code == 200
    wrong = browser.http.post("/geo.captcha-delivery.com/captcha/check", data={"answer": "?"})
    assert (wrong.status_code, browser.get("/users/current").status_code) == (403, 403)
    assert solve(browser).headers["location"] == "/items/new"
    assert browser.get("/item_upload/colors").status_code == 200
    assert browser.http.cookies["datadome"] != datadome
    assert browser.http.get(answers[0].json()["url"]).headers["location"] == "/"


def test_a_challenge_can_be_asked_for(vinted_sandbox: VintedSite) -> None:
    """D4."""
    browser = vinted_sandbox.member()
    word = vinted_sandbox.control("members/camille/challenge")["challenge"]
    assert vinted_sandbox.control("members/camille/challenge")["challenge"] == word
    assert browser.get("/users/current").status_code == 403
    solve(browser)
    assert browser.get("/users/current").status_code == 200
