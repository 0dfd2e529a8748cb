#!/bin/sh
# What the Postgres images run once, on an empty data folder: the roles and databases of one of the two servers.
set -eu
psql -v ON_ERROR_STOP=1 -v server="$HEADSHOTS_SERVER" -U postgres -f /roles/roles.sql
