"""`python -m deploy.cli` does what `headshots` does."""

from deploy.cli import main

main()
