package catalog

// UserSchemas selects the schemas that are neither the system's nor an extension's.
const UserSchemas = `
	SELECT n.oid, n.nspname FROM pg_catalog.pg_namespace n
	WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
	  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend WHERE classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND objid = n.oid AND deptype = 'e')`
