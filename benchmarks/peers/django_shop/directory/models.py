"""Shops and their host names."""

from django_tenants.models import DomainMixin, TenantMixin


class Client(TenantMixin):
    """A shop; saving one makes its schema."""

    auto_create_schema = True


class Domain(DomainMixin):
    """Where a shop is reached."""
