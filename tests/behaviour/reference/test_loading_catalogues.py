"""Catalogues hold exactly what the data files say."""

from pathlib import Path

import pytest
from sqlalchemy import func, select

from models.reference.attributes import Category, Department, LoadedFile
from models.reference.marketplace_mappings import PlatformValue
from repositories.reference.attributes import CatalogueRepository
from services.reference.attributes.files import FILES, CatalogueFile
from services.reference.attributes.loading import CatalogueLoading
from shared.clock import MovableClock
from shared.database import PlatformSession


def departments(session: PlatformSession) -> dict[str, str]:
    return dict(session.execute(select(Department.code, Department.name_en)).tuples().all())


@pytest.fixture
def file(tmp_path: Path) -> CatalogueFile:
    path = tmp_path / "attributes" / "data" / "departments.csv"
    path.parent.mkdir(parents=True)
    path.write_text("code,name_en,name_fr\nwomen,Women,Femmes\nmen,Men,Hommes\n", "utf-8")
    return CatalogueFile(path, Department)


def test_every_file_is_in_its_table(session: PlatformSession) -> None:
    """ST10."""
    for file in FILES:
        part = [file.model.__table__.c[name] == value for name, value in file.part.items()]
        stored = session.scalar(select(func.count()).select_from(file.model).where(*part))
        assert stored == sum(1 for _row in file.rows()), file.name


def test_a_second_load_does_nothing(session: PlatformSession, clock: MovableClock) -> None:
    """ST10."""
    steps: list[str] = []
    report = CatalogueLoading(clock).load(session, lambda name, *_: steps.append(name))
    assert (report.loaded, report.rows, steps) == ((), 0, [])
    assert CatalogueLoading(clock).is_complete(session)


def test_a_changed_file_is_followed_to_the_letter(
    session: PlatformSession, clock: MovableClock, file: CatalogueFile
) -> None:
    """ST10: rows are added, changed and removed."""
    steps: list[tuple[str, int, int]] = []
    loading = CatalogueLoading(clock, [file])
    assert not loading.is_complete(session)
    loading.load(session, lambda *step: steps.append(step))
    assert departments(session) == {"women": "Women", "men": "Men"}
    assert steps == [("attributes/departments.csv", 0, 1)]

    file.path.write_text("code,name_en,name_fr\nmen,Gentlemen,Hommes\npets,Pets,Animaux\n", "utf-8")
    report = loading.load(session)
    assert departments(session) == {"men": "Gentlemen", "pets": "Pets"}
    assert (report.loaded, report.rows) == (("attributes/departments.csv",), 2)
    recorded = session.get(LoadedFile, "attributes/departments.csv")
    assert recorded is not None
    assert (recorded.row_count, recorded.content_hash) == (2, file.content_hash())


@pytest.mark.parametrize(
    "content",
    [
        "code,name_en,name_fr\nwomen,Women,Femmes,too many\n",
        "code,name_en,name_fr\nwomen,Women\n",
    ],
)
def test_a_malformed_line_is_named_and_changes_nothing(
    session: PlatformSession, clock: MovableClock, file: CatalogueFile, content: str
) -> None:
    """ST10."""
    before = departments(session)
    file.path.write_text(content, "utf-8")
    with pytest.raises(ValueError, match=r"attributes/departments\.csv, line 2"):
        CatalogueLoading(clock, [file]).load(session)
    assert departments(session) == before


def test_a_file_that_fills_a_part_leaves_the_others_alone(
    session: PlatformSession, clock: MovableClock, tmp_path: Path
) -> None:
    """ST10, C9: a changed mapping to one marketplace is none to another."""
    path = tmp_path / "marketplace_mappings" / "data" / "etsy_decades.csv"
    path.parent.mkdir(parents=True)
    path.write_text("scope,code,remote_id,remote_name\n,1990s,1990s,1990s\n", "utf-8")
    part = {"platform": "etsy", "attribute": "decade"}
    others = select(func.count()).where(PlatformValue.platform == "vinted")
    before = session.scalar(others)
    CatalogueLoading(clock, [CatalogueFile(path, PlatformValue, part=part)]).load(session)
    etsys = select(PlatformValue.code).where(PlatformValue.platform == "etsy")
    assert session.scalars(etsys).all() == ["1990s"]
    assert session.scalar(others) == before


def test_a_cell_that_is_no_number_is_named(tmp_path: Path) -> None:
    """ST10."""
    path = tmp_path / "attributes" / "data" / "categories.csv"
    path.parent.mkdir(parents=True)
    header = "code,parent_code,level,name_en,full_path,google_category_id,is_leaf\n"
    path.write_text(f"{header}aa,,zero,Apparel,Apparel,166,0\n", "utf-8")
    shipped = next(file for file in FILES if file.model is Category)
    file = CatalogueFile(path, Category, shipped.cells, shipped.derived)
    with pytest.raises(ValueError, match=r"attributes/categories\.csv, line 2"):
        list(file.rows())


def test_hashes_are_kept_by_room_and_file(session: PlatformSession) -> None:
    """ST10."""
    hashes = CatalogueRepository(session).loaded_hashes()
    assert {file.name: file.content_hash() for file in FILES}.items() <= hashes.items()
