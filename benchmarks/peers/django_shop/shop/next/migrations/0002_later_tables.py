from importlib import import_module

Migration = import_module("django_shop.shop.migrations.0002_later_tables").Migration
