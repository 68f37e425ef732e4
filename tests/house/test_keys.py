"""Key material: made once and kept to oneself in development, demanded in production."""

import stat
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from backend.keys import Keys, load_keys, new_token_key
from backend.settings import Settings
from services.accounts.identity.access_tokens import key_id
from shared.encryption import new_key
from shared.errors import Misconfigured


def pem_of(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def public_pem_of(key: rsa.RSAPrivateKey) -> str:
    return (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


def test_development_keys_are_made_once_and_readable_by_their_owner_only(tmp_path: Path) -> None:
    """ST16, E6: no key in the repository, no world-readable secret."""
    settings = Settings(data_dir=tmp_path)
    first, second = load_keys(settings), load_keys(settings)
    assert key_id(first.token_key.public_key()) == key_id(second.token_key.public_key())
    assert second.secret_box.open(first.secret_box.seal("a secret")) == "a secret"
    files = sorted((tmp_path / "keys").iterdir())
    assert [file.name for file in files] == ["encryption.key", "token.pem"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700


def test_processes_that_start_together_end_up_with_the_same_keys(tmp_path: Path) -> None:
    """E6: API and worker on a fresh machine."""
    settings = Settings(data_dir=tmp_path)
    found: list[Keys] = []
    threads = [threading.Thread(target=lambda: found.append(load_keys(settings))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({key_id(keys.token_key.public_key()) for keys in found}) == 1
    assert len({keys.secret_box.current_key_id for keys in found}) == 1
    assert len(list((tmp_path / "keys").iterdir())) == 2


def test_production_makes_no_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """E6."""
    monkeypatch.setenv("STOFLOW_ENVIRONMENT", "production")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with pytest.raises(Misconfigured) as refusal:
        load_keys(Settings(data_dir=tmp_path))
    for name in ("DATABASE_URL", "STOFLOW_TOKEN_PRIVATE_KEY", "STOFLOW_ENCRYPTION_KEY"):
        assert name in refusal.value.detail
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STOFLOW_TOKEN_PRIVATE_KEY", "secret-in-clear"),
        (
            "STOFLOW_TOKEN_PRIVATE_KEY",
            pem_of(rsa.generate_private_key(public_exponent=65537, key_size=1024)),  # noqa: S505
        ),
        ("STOFLOW_TOKEN_PRIVATE_KEY", pem_of(ec.generate_private_key(ec.SECP256R1()))),
        ("STOFLOW_TOKEN_PREVIOUS_PUBLIC_KEYS", "secret-in-clear"),
        ("STOFLOW_ENCRYPTION_KEY", "secret-in-clear"),
        pytest.param(
            "STOFLOW_ENCRYPTION_PREVIOUS_KEYS", f"{new_key()},secret-in-clear", id="second-of-two"
        ),
    ],
)
def test_an_unusable_key_is_named_and_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """E6."""
    monkeypatch.setenv(name, value)
    with pytest.raises(Misconfigured, match=name) as refusal:
        load_keys(Settings(data_dir=tmp_path))
    assert "secret-in-clear" not in refusal.value.detail


def test_keys_survive_a_dashboard_that_keeps_everything_on_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hosting dashboards store line ends as two characters."""
    monkeypatch.setenv("STOFLOW_TOKEN_PRIVATE_KEY", new_token_key().replace("\n", "\\n"))
    assert load_keys(Settings(data_dir=tmp_path)).token_key.key_size == 2048


def test_several_previous_public_keys_are_honoured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ST16: one after the other in one setting."""
    older = [rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2)]
    monkeypatch.setenv(
        "STOFLOW_TOKEN_PREVIOUS_PUBLIC_KEYS", "\n".join(public_pem_of(key) for key in older)
    )
    keys = load_keys(Settings(data_dir=tmp_path))
    assert [key_id(public) for public in keys.previous_token_keys] == [
        key_id(key.public_key()) for key in older
    ]
