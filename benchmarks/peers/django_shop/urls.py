"""One address."""

from django.urls import path
from django_shop.shop.views import ProductList

urlpatterns = [path("api/v1/products", ProductList.as_view())]
