"""`stoflow openapi`."""

from pathlib import Path
from tempfile import TemporaryDirectory

from backend.app import create_app
from backend.cli.terminal import say_json
from backend.container import build_container
from backend.settings import Settings
from shared.database import Database, create_database_engine


def openapi() -> None:
    """Print the API's OpenAPI document. Needs no database."""
    never_connected = Database(create_database_engine("postgresql://localhost/stoflow"))
    with TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder))
        say_json(create_app(build_container(settings, database=never_connected)).openapi())
