package postgres

// userSchemas selects the schemas that are neither the system's nor an extension's.
const userSchemas = `
	SELECT n.oid, n.nspname FROM pg_catalog.pg_namespace n
	WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
	  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend WHERE classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND objid = n.oid AND deptype = 'e')`

// A finding is something that users made in a database: a schema, a relation or
// another object in one, of which one counts for all, or something outside of schemas.
type finding struct {
	What   string // schema, relation, rows, other; rows are relations with data of their own
	Schema string // empty: outside
	Name   string // of a relation
}
