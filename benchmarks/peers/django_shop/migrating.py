"""Migrates all shops as django-tenants does, and prints how many seconds that took.

python -m django_shop.migrating standard 0002
"""

import sys
import time

import django

django.setup()

from django.core.management import call_command  # noqa: E402 - needs the setup above

executor, to = sys.argv[1:]
began = time.perf_counter()
call_command("migrate_schemas", "shop", to, tenant=True, executor=executor, verbosity=0)
print(time.perf_counter() - began)
