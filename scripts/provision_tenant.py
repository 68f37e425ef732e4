"""The admin script: give an account its shop, opening the account when there is none.

    python scripts/provision_tenant.py seller@example.com --full-name "Mina Rossi"

The same as `stoflow tenants provision`.
"""

import typer

from backend.cli.tenants.opening import provision

if __name__ == "__main__":
    typer.run(provision)
