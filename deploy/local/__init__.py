"""What only one machine needs: embedded Postgres and Redis, a mailbox, processes, the demo company."""
