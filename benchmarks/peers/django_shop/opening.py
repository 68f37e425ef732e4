"""Opens shops: a name a line on standard input, its host name a line on standard output."""

import sys

import django

django.setup()

from django_shop.directory.models import Client, Domain  # noqa: E402 - needs the setup above

for line in sys.stdin:
    name = line.strip()
    host = f"{name}.example.com"
    shop = Client(schema_name=name)
    shop.save(verbosity=0)
    Domain.objects.create(domain=host, tenant=shop, is_primary=True)
    print(host, flush=True)
