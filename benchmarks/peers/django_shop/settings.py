"""What django-tenants' and REST framework's guides say, and nothing beside."""

import os

from psycopg2.extensions import parse_dsn

_dsn = parse_dsn(os.environ["BENCH_DATABASE_URL"])

DATABASES = {
    "default": {
        "ENGINE": "django_tenants.postgresql_backend",
        "NAME": _dsn["dbname"],
        "USER": _dsn.get("user", ""),
        "PASSWORD": _dsn.get("password", ""),
        "HOST": _dsn.get("host", ""),
        "PORT": _dsn.get("port", ""),
        "CONN_MAX_AGE": None,
    }
}
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]

SHARED_APPS = ["django_tenants", "django_shop.directory", "django.contrib.contenttypes"]
TENANT_APPS = ["django_shop.shop"]
MIGRATION_MODULES = {"shop": os.environ.get("BENCH_MIGRATIONS", "django_shop.shop.migrations")}
TENANT_MULTIPROCESSING_MAX_PROCESSES = os.cpu_count()
TENANT_MULTIPROCESSING_CHUNKS = 2
INSTALLED_APPS = [*SHARED_APPS, *TENANT_APPS, "rest_framework"]
TENANT_MODEL = "directory.Client"
TENANT_DOMAIN_MODEL = "directory.Domain"

MIDDLEWARE = [
    "django_tenants.middleware.main.TenantMainMiddleware",
    "django.middleware.common.CommonMiddleware",
]
ROOT_URLCONF = "django_shop.urls"
WSGI_APPLICATION = "django_shop.wsgi.application"
ALLOWED_HOSTS = ["*"]
SECRET_KEY = "signs nothing here"
DEBUG = False
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "UNAUTHENTICATED_USER": None,
}
