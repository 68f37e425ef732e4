"""The product list: one query, a serializer, cursor pages."""

from typing import Any

from django.db.models import Max, Min, OuterRef, QuerySet, Subquery, Sum
from django_shop.shop.models import Product, ProductImage, ProductVariant
from rest_framework.generics import ListAPIView
from rest_framework.pagination import CursorPagination
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

FIELDS = (
    "id",
    "handle",
    "title",
    "status",
    "brand",
    "currency",
    "version",
    "created_at",
    "updated_at",
)


class ProductLine(BaseSerializer):
    """A line of the list, read-only: REST framework's quickest kind of serializer."""

    def to_representation(self, product: Product) -> dict[str, Any]:
        """Plain values."""
        image = product.main_image
        return {
            **{name: getattr(product, name) for name in FIELDS},
            "price_from": _money(product.lowest, product.currency),
            "price_to": _money(product.highest, product.currency),
            "quantity": product.quantity,
            "sku": product.first_sku,
            "image_url": image and f"/api/v1/products/{product.id}/images/{image}",
        }


class Pages(CursorPagination):
    """Newest first."""

    ordering = ("-created_at", "-id")
    page_size = 50
    page_size_query_param = "limit"

    def get_paginated_response(self, data: list[dict[str, Any]]) -> Response:
        """In the shape of StoFlow's lists."""
        return Response({"items": data, "next_cursor": self.get_next_link()})


class ProductList(ListAPIView):
    """Products that are not deleted."""

    serializer_class = ProductLine
    pagination_class = Pages

    def get_queryset(self) -> QuerySet:
        """Plain columns and what is known of variants and photos."""
        first_variant = ProductVariant.objects.filter(product=OuterRef("pk")).order_by("position")
        first_image = ProductImage.objects.filter(product=OuterRef("pk")).order_by("position")
        return (
            Product.objects.filter(deleted_at=None)
            .only(*FIELDS)
            .annotate(
                lowest=Min("variants__price_minor"),
                highest=Max("variants__price_minor"),
                quantity=Sum("variants__quantity"),
                first_sku=Subquery(first_variant.values("sku")[:1]),
                main_image=Subquery(first_image.values("id")[:1]),
            )
        )


def _money(minor: int, currency: str) -> dict[str, str]:
    units, rest = divmod(minor, 100)
    return {"amount": f"{units}.{rest:02d}", "currency": currency}
