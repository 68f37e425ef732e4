"""An httpx transport through which nothing passes that a marketplace's documents do not allow."""

from collections import Counter
from typing import Protocol

import httpx

from tests.contracts.openapi_documents import ContractViolation, DocumentedOperation


class Documents(Protocol):
    """One marketplace's documents."""

    def find(self, method: str, path: str) -> DocumentedOperation | None:
        """The operation a request is meant for."""

    def check_request(self, operation: DocumentedOperation, request: httpx.Request) -> None:
        """Raise ContractViolation where the document does not allow `request`."""

    def check_response(
        self, operation: DocumentedOperation, request: httpx.Request, response: httpx.Response
    ) -> None:
        """Raise ContractViolation where the document does not allow `response` to `request`."""


class ContractCheckingTransport(httpx.BaseTransport):
    """Checks every request that leaves and every answer that comes back.

    A violation is raised and also kept in `violations`, for clients that catch every exception;
    end the test with `assert_clean()`. Addresses that no document describes (OAuth, the sandbox's
    control) pass unchecked and are counted in `unchecked`. With `check_requests=False` only
    answers are held to the documents, for tests that send wrong requests on purpose.
    """

    def __init__(
        self,
        inner: httpx.BaseTransport,
        documents: Documents,
        *,
        check_requests: bool = True,
    ) -> None:
        self.inner = inner
        self.documents = documents
        self.check_requests = check_requests
        self.operations: Counter[str] = Counter()
        self.unchecked: Counter[str] = Counter()
        self.violations: list[ContractViolation] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass `request` on. Raises ContractViolation where the documents do not allow it."""
        operation = self.documents.find(request.method, request.url.path)
        if operation is None:
            self.unchecked[f"{request.method} {request.url.path}"] += 1
            return self.inner.handle_request(request)
        self.operations[operation.operation_id] += 1
        try:
            if self.check_requests:
                self.documents.check_request(operation, request)
            response = self.inner.handle_request(request)
            self.documents.check_response(operation, request, response)
        except ContractViolation as violation:
            self.violations.append(violation)
            raise
        return response

    def assert_clean(self) -> None:
        """Fail when anything was violated, and when nothing was checked at all."""
        assert not self.violations, [str(violation) for violation in self.violations]
        assert self.operations, "no request of a documented operation passed"

    def close(self) -> None:
        """Close the transport behind."""
        self.inner.close()
