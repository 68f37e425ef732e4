"""The product list: one query, a serializer, cursor pages."""

from typing import Any

from django.db.models import Max, Min, OuterRef, QuerySet, Subquery, Sum
from django_shop.shop.models import Product, ProductImage, ProductVariant
from rest_framework.generics import ListAPIView
from rest_framework.pagination import CursorPagination
from rest_framework.response import Response
from rest_framework.serializers import IntegerField, ModelSerializer, SerializerMethodField

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


class ProductLine(ModelSerializer):
    """A line of the list."""

    price_from = SerializerMethodField()
    price_to = SerializerMethodField()
    quantity = IntegerField()
    sku = SerializerMethodField()
    image_url = SerializerMethodField()

    class Meta:
        model = Product
        fields = (*FIELDS, "price_from", "price_to", "quantity", "sku", "image_url")

    def get_price_from(self, product: Product) -> dict[str, str]:
        """Of the cheapest variant."""
        return _money(product.lowest, product.currency)

    def get_price_to(self, product: Product) -> dict[str, str]:
        """Of the dearest variant."""
        return _money(product.highest, product.currency)

    def get_sku(self, product: Product) -> str | None:
        """Of the first variant."""
        return product.first_sku

    def get_image_url(self, product: Product) -> str | None:
        """The main photo."""
        image = product.main_image
        return image and f"/api/v1/products/{product.id}/images/{image}"


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
