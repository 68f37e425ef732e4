"""Settings: every one is documented, and production refuses what is unsafe."""

import re
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from backend.settings import Environment, Settings
from shared.errors import Misconfigured

ROOT = Path(__file__).parents[2]
SAFE = {
    "STOFLOW_ENVIRONMENT": "production",
    "STOFLOW_PUBLIC_URL": "https://api.example.com",
    "DATABASE_URL": "postgresql://db.example.com/stoflow",
    "STOFLOW_TOKEN_PRIVATE_KEY": "pem",
    "STOFLOW_ENCRYPTION_KEY": "fernet",
    "STOFLOW_STORAGE_BUCKET": "photos",
}


def variables(settings: type[BaseSettings]) -> set[str]:
    """Names of the environment variables that a settings class and its sections read."""
    found: set[str] = set()
    for name, field in settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseSettings):
            found |= variables(field.annotation)
        elif isinstance(field.validation_alias, str):
            found.add(field.validation_alias)
        else:
            found.add((settings.model_config.get("env_prefix", "") + name).upper())
    return found


def test_the_example_names_every_setting_and_no_other() -> None:
    """ST52: .env.example is the whole list."""
    text = (ROOT / ".env.example").read_text()
    named = set(re.findall(r"^(?:# )?([A-Z][A-Z_]+)=", text, flags=re.MULTILINE))
    assert named == variables(Settings)


def test_the_example_states_the_defaults(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """ST52: copying it changes nothing."""
    for name in ("DATABASE_URL", "REDIS_URL", "STOFLOW_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    without = Settings()
    (tmp_path / ".env").write_text((ROOT / ".env.example").read_text())
    assert Settings() == without


@pytest.mark.parametrize("missing", [name for name in SAFE if name.isupper()][1:])
def test_production_refuses_to_start_without_a_secret(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, missing: str
) -> None:
    """E6: nothing generated, nothing default; the sentence names what is missing."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    for name, value in SAFE.items():
        if name != missing:
            monkeypatch.setenv(name, value)
    with pytest.raises(Misconfigured, match=missing):
        Settings().refuse_unsafe_production()


def test_production_starts_with_everything_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """E6."""
    monkeypatch.chdir(tmp_path)
    for name, value in SAFE.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    settings.refuse_unsafe_production()
    assert settings.environment is Environment.PRODUCTION


def test_secrets_do_not_show_in_a_printed_configuration(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """E6: a settings object in a log line gives nothing away."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STOFLOW_ENCRYPTION_KEY", "very-secret")
    monkeypatch.setenv("STOFLOW_EBAY_CLIENT_SECRET", "very-secret")
    monkeypatch.setenv("DATABASE_URL", "postgresql://shop:very-secret@db/shop")
    monkeypatch.setenv("REDIS_URL", "redis://:very-secret@redis")
    assert "very-secret" not in repr(Settings())
