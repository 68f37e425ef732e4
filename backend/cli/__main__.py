"""`python -m backend.cli`, the same as `stoflow`."""

from backend.cli import main

main()
