"""Photos are fetched from the public internet and from nowhere else."""

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from services.gateways.image_fetch import HttpImageFetcher, ImageUnavailable, is_public
from tests.factories.catalog import photo

PHOTO = photo()
Answer = Callable[[BaseHTTPRequestHandler], None]


class Site:
    """A web site on a real port; `answers` by path, `asked` remembers host and path."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[tuple[str, str]] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append((self.headers["Host"], self.path))
                site.answers[self.path](self)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    site.thread.start()
    yield site
    site.server.shutdown()
    site.thread.join()
    site.server.server_close()


def send(body: bytes, status: int = 200, **headers: str) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(body)

    return answer


def fetcher(
    *addresses: str, allow_private: bool = True, max_bytes: int = 1_000_000, seconds: float = 5
) -> HttpImageFetcher:
    """Fetches as if every name resolved to `addresses`."""

    def resolve(host: str, port: int) -> Sequence[str]:
        return addresses or [host]

    return HttpImageFetcher(
        allow_private=allow_private,
        max_bytes=max_bytes,
        timeout=timedelta(seconds=seconds),
        resolve=resolve,
    )


def test_bytes_come_as_they_are(site: Site) -> None:
    """B18, C2."""
    site.answers["/a.jpg"] = send(PHOTO)
    assert fetcher().fetch(site.url("/a.jpg")) == PHOTO


def test_the_connection_goes_to_the_address_that_was_checked(site: Site) -> None:
    """ST48: the name is asked once; the server still hears the name."""
    site.answers["/a.jpg"] = send(PHOTO)
    url = site.url("/a.jpg", host="photos.example.com")
    assert fetcher("127.0.0.1").fetch(url) == PHOTO
    assert site.asked == [(f"photos.example.com:{site.port}", "/a.jpg")]


def test_a_second_address_is_tried_when_the_first_is_down(site: Site) -> None:
    """B18."""
    site.answers["/a.jpg"] = send(PHOTO)
    assert fetcher("127.0.0.2", "127.0.0.1").fetch(site.url("/a.jpg")) == PHOTO


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 - refused here, not bound
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fd00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001:0:53aa:64c:0:fbff:f5ff:fffe",
        "nonsense",
    ],
)
def test_addresses_that_are_not_public_are_refused(address: str) -> None:
    """ST48."""
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"])
def test_public_addresses_are_public(address: str) -> None:
    """ST48."""
    assert is_public(address)


def test_a_name_with_one_private_address_is_refused_and_nobody_is_asked(site: Site) -> None:
    """ST48."""
    site.answers["/a.jpg"] = send(PHOTO)
    picky = fetcher("93.184.216.34", "127.0.0.1", allow_private=False)
    with pytest.raises(ImageUnavailable, match="not on the public internet"):
        picky.fetch(site.url("/a.jpg", host="photos.example.com"))
    assert site.asked == []


def test_a_redirect_into_the_private_network_is_refused(site: Site) -> None:
    """ST48."""
    site.answers["/a.jpg"] = send(b"", 302, Location="http://inside.example.com/secret")
    answers = {"photos.example.com": "127.0.0.1", "inside.example.com": "10.0.0.5"}
    public = {"127.0.0.1"}
    careful = HttpImageFetcher(allow_private=False, resolve=lambda host, _port: [answers[host]])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("services.gateways.image_fetch.is_public", public.__contains__)
        with pytest.raises(ImageUnavailable, match="not on the public internet"):
            careful.fetch(site.url("/a.jpg", host="photos.example.com"))
    assert len(site.asked) == 1


def test_redirects_are_followed_but_not_for_ever(site: Site) -> None:
    """B18."""
    site.answers["/once"] = send(b"", 301, Location="/a.jpg")
    site.answers["/a.jpg"] = send(PHOTO)
    site.answers["/round"] = send(b"", 302, Location="/round")
    assert fetcher().fetch(site.url("/once")) == PHOTO
    with pytest.raises(ImageUnavailable, match="redirects more than 5 times"):
        fetcher().fetch(site.url("/round"))


@pytest.mark.parametrize("location", ["http://[::1", "http://a:b:c/", "\\\\x y:z", "//[", "\xff"])
def test_a_redirect_to_no_address_is_a_photo_that_is_missing(site: Site, location: str) -> None:
    """B18: whatever a stranger's server answers."""
    site.answers["/a.jpg"] = send(b"", 302, Location=location)
    site.answers["/%5C%5Cx%20y:z"] = site.answers["/%C3%BF"] = send(b"", 404)
    with pytest.raises(ImageUnavailable):
        fetcher().fetch(site.url("/a.jpg"))


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("file:///etc/passwd", "http and https"),
        ("ftp://example.com/a.jpg", "http and https"),
        ("gopher://example.com", "http and https"),
        ("https://", "http and https"),
        ("http://user:secret@example.com/a.jpg", "user name"),
        ("http://[::1", "not an address"),
        ("http://exa mple.com/a.jpg", "public internet|not an address"),
        ("", "http and https"),
    ],
)
def test_other_kinds_of_address_are_refused(url: str, why: str) -> None:
    """ST48."""
    with pytest.raises(ImageUnavailable, match=why):
        fetcher(allow_private=False).fetch(url)


def test_a_large_answer_is_broken_off(site: Site) -> None:
    """ST48."""
    site.answers["/big"] = send(b"x" * 200_000)
    with pytest.raises(ImageUnavailable, match="larger than"):
        fetcher(max_bytes=100_000).fetch(site.url("/big"))


def test_a_compressed_answer_is_refused(site: Site) -> None:
    """ST48: a few kilobytes may unpack to gigabytes."""
    site.answers["/a.jpg"] = send(PHOTO, Content_Encoding="gzip")
    with pytest.raises(ImageUnavailable, match="compressed"):
        fetcher().fetch(site.url("/a.jpg"))


def test_an_answer_that_drips_is_broken_off(site: Site) -> None:
    """ST48: each byte comes in time, the whole does not."""
    stop = threading.Event()

    def drip(request: BaseHTTPRequestHandler) -> None:
        send(b"")(request)
        try:
            while not stop.wait(0.02):
                request.wfile.write(b"x")
        except OSError:
            return

    site.answers["/slow"] = drip
    try:
        with pytest.raises(ImageUnavailable, match="too long"):
            fetcher(seconds=0.3).fetch(site.url("/slow"))
    finally:
        stop.set()


@pytest.mark.parametrize("status", [204, 403, 404, 500])
def test_a_refusal_names_its_status(site: Site, status: int) -> None:
    """B18."""
    site.answers["/a.jpg"] = send(b"", status)
    with pytest.raises(ImageUnavailable, match=str(status)) as refusal:
        fetcher().fetch(site.url("/a.jpg"))
    assert not refusal.value.host_is_down


def test_a_host_that_is_down_is_told_from_a_photo_that_is_missing() -> None:
    """B18."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ImageUnavailable) as refusal:
        fetcher().fetch(f"http://127.0.0.1:{port}/a.jpg")
    assert refusal.value.host_is_down
    with pytest.raises(ImageUnavailable, match="no such host") as unknown:
        HttpImageFetcher().fetch("http://nobody.invalid/a.jpg")
    assert unknown.value.host_is_down
