from importlib import import_module

Migration = import_module("django_shop.shop.migrations.0001_initial").Migration
