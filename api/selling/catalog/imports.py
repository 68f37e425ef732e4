"""What an import is asked and what it answers."""

from typing import Annotated

from fastapi import File, Form, UploadFile
from pydantic import BaseModel, Field

from services.selling.catalog.importing.report import ImportReport, Issue

CsvFile = Annotated[UploadFile, File(description="A product CSV in Shopify's format.")]
DryRun = Annotated[bool, Form(description="Only say what would happen.")]
Atomic = Annotated[bool, Form(description="All products or none.")]
FetchImages = Annotated[bool, Form(description="Fetch photos named by URL.")]
Currency = Annotated[str, Form(pattern=r"^[A-Z]{3}$", description="Of every price in the file.")]
DefaultCategory = Annotated[
    str, Form(max_length=255, description="For products whose category is not understood.")
]
DefaultCondition = Annotated[str, Form(max_length=255, description="Likewise.")]
DefaultDepartment = Annotated[str, Form(max_length=255, description="Likewise.")]


class IssueOut(BaseModel):
    """Something about one cell."""

    row: int = Field(description="The header is row 1.")
    column: str
    handle: str
    message: str
    code: str

    @classmethod
    def of(cls, issue: Issue) -> "IssueOut":
        """One issue."""
        return cls(
            row=issue.row,
            column=issue.column,
            handle=issue.handle,
            message=issue.message,
            code=issue.code,
        )


class ImportOut(BaseModel):
    """What became of a file, or, of a dry run, what would."""

    dry_run: bool
    encoding: str
    delimiter: str
    rows: int
    products: int
    created: int
    updated: int
    unchanged: int
    failed: int
    images_added: int
    images_missing: int
    product_ids: list[int]
    errors: list[IssueOut] = Field(description="Why products were left out.")
    warnings: list[IssueOut] = Field(description="What was left out of products that came in.")

    @classmethod
    def of(cls, report: ImportReport) -> "ImportOut":
        """A finished import."""
        return cls(
            dry_run=report.dry_run,
            encoding=report.encoding,
            delimiter=report.delimiter,
            rows=report.rows,
            products=report.products,
            created=report.created,
            updated=report.updated,
            unchanged=report.unchanged,
            failed=report.failed,
            images_added=report.images_added,
            images_missing=report.images_missing,
            product_ids=report.product_ids,
            errors=[IssueOut.of(issue) for issue in report.errors],
            warnings=[IssueOut.of(issue) for issue in report.warnings],
        )
