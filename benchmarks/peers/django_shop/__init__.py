"""A shop on django-tenants and Django REST framework."""
