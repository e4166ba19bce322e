-- One line for each table and materialized view of the shop: its name, its rows, and a sum of hashes of them that does
-- not depend on their order. At the end the order number that comes next.
\set ON_ERROR_STOP on
\pset format unaligned
\pset tuples_only on
\pset fieldsep ' '
SET TimeZone = 'UTC';
SELECT string_agg(format($$SELECT %L, count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) FROM %s t$$, oid::regclass, oid::regclass),
                  ' UNION ALL ') || ' ORDER BY 1'
FROM pg_class WHERE relnamespace = 'shop'::regnamespace AND relkind IN ('r', 'm') \gexec
SELECT 'shop.order_number', last_value + is_called::int, '-' FROM shop.order_number;
