-- The roles and databases of an installation, on two servers. Run it as a superuser, or as the administrator that your
-- cloud gives you, before the first `headshots migrate`; a second run sets the passwords anew and changes nothing else.
--
--   export HEADSHOTS_OWNER_PASSWORD=… HEADSHOTS_APP_PASSWORD=… HEADSHOTS_BACKUP_PASSWORD=…
--   psql -v ON_ERROR_STOP=1 -v server=main -f roles.sql "host=db.internal user=postgres"
--   psql -v ON_ERROR_STOP=1 -v server=keys -f roles.sql "host=keys.internal user=postgres"
--
-- server=both puts the two databases on one server: fine for a trial; in production one stolen server must not hold both.
-- main and keys name the databases: -v main=headshots -v keys=headshots_keys.
--
-- headshots_owner   owns the tables; `headshots migrate` and `headshots restore` alone use it
-- headshots_app     what every process signs in as; row-level security binds it, and it cannot lift that
-- headshots_lookup  nobody signs in as it; it owns the few functions that look something up before a company is known
-- headshots_backup  reads everything and writes nothing. It must be exempt from row-level security: whoever is not dumps
--                   tables of all companies as empty, or not at all

\set ON_ERROR_STOP on
\set VERBOSITY terse
\if :{?server}
\else
  \set server ''
\endif
\if :{?main}
\else
  \set main headshots
\endif
\if :{?keys}
\else
  \set keys headshots_keys
\endif

-- Nothing has been changed where one of these stops.
SELECT :'server' IN ('main', 'both') AS on_main, :'server' IN ('keys', 'both') AS on_keys,
  :'server' NOT IN ('main', 'keys', 'both') AS no_server, :VERSION_NUM < 150000 AS old_psql,
  current_setting('server_version_num')::int < 160000 AS old_server \gset
\if :no_server
  DO $$ BEGIN RAISE 'Say which server this is: -v server=main, -v server=keys, or -v server=both for a trial.'; END $$;
\endif
\if :old_server
  DO $$ BEGIN RAISE 'This server is PostgreSQL %, and 16 or newer is needed. Take PostgreSQL''s own packages.',
    current_setting('server_version'); END $$;
\endif
\if :old_psql
  DO $$ BEGIN RAISE 'This psql is older than 15 and cannot read passwords from the environment. Use that of the server.'; END $$;
\endif
\set owner_password ''
\set app_password ''
\set backup_password ''
\getenv owner_password HEADSHOTS_OWNER_PASSWORD
\getenv app_password HEADSHOTS_APP_PASSWORD
\getenv backup_password HEADSHOTS_BACKUP_PASSWORD
SELECT :'app_password' = '' OR :'backup_password' = '' OR (:'on_main' AND :'owner_password' = '') AS no_password \gset
\if :no_password
  DO $$ BEGIN RAISE 'Export HEADSHOTS_APP_PASSWORD and HEADSHOTS_BACKUP_PASSWORD, and HEADSHOTS_OWNER_PASSWORD for the main database, first.';
  END $$;
\endif

SELECT format('CREATE ROLE %I', name) FROM unnest(ARRAY['headshots_app', 'headshots_backup']) AS name
  WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
ALTER ROLE headshots_app LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD :'app_password';
ALTER ROLE headshots_backup LOGIN NOSUPERUSER BYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD :'backup_password';
GRANT pg_read_all_data TO headshots_backup;
ALTER ROLE headshots_backup SET default_transaction_read_only = on;

\if :on_main
  SELECT format('CREATE ROLE %I', name) FROM unnest(ARRAY['headshots_owner', 'headshots_lookup']) AS name
    WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
  ALTER ROLE headshots_owner LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD :'owner_password';
  ALTER ROLE headshots_lookup NOLOGIN NOSUPERUSER NOBYPASSRLS;
  -- Migrations make it the owner of functions; nobody has its rights in passing.
  GRANT headshots_lookup TO headshots_owner WITH INHERIT FALSE, SET TRUE;
  -- Where the administrator is no superuser, it may give a database only to a role that it can become.
  GRANT headshots_owner TO CURRENT_USER WITH INHERIT FALSE, SET TRUE;
  SELECT format('CREATE DATABASE %I OWNER headshots_owner TEMPLATE template0 ENCODING ''UTF8''', :'main')
    WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'main') \gexec
  REVOKE ALL ON DATABASE :"main" FROM PUBLIC;
  GRANT CONNECT ON DATABASE :"main" TO headshots_app, headshots_backup;
\endif

\if :on_keys
  GRANT headshots_app TO CURRENT_USER WITH INHERIT FALSE, SET TRUE;
  SELECT format('CREATE DATABASE %I OWNER headshots_app TEMPLATE template0 ENCODING ''UTF8''', :'keys')
    WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'keys') \gexec
  REVOKE ALL ON DATABASE :"keys" FROM PUBLIC;
  GRANT CONNECT ON DATABASE :"keys" TO headshots_backup;
\endif
