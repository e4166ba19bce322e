-- Names that are words of SQL, above all those that psql counts to find the end of a function: BEGIN, CASE and END.
SELECT least(current_setting('server_version_num')::int / 10000, current_setting('fill.version', true)::int) >= 14 AS has14 \gset
CREATE SCHEMA "begin";
CREATE TYPE "begin"."begin" AS ENUM ('begin');
CREATE TABLE public."table" ("begin" integer, "end" integer, "case" integer, "select" integer DEFAULT 1, "user" name);
INSERT INTO public."table" VALUES (1, 2, 3);
CREATE FUNCTION public."begin"() RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION public."end"() RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION public."case"("begin" integer DEFAULT 1) RETURNS TABLE ("end" integer) LANGUAGE sql AS 'SELECT 1';
CREATE PROCEDURE "begin"."begin"("begin" integer) LANGUAGE sql SET search_path TO "begin", "end" SET work_mem TO '1MB' AS 'SELECT 1';
CREATE FUNCTION public.returns() RETURNS SETOF "begin"."begin" LANGUAGE sql AS $$ SELECT 'begin'::"begin"."begin" $$;
\if :has14
CREATE FUNCTION public.body(OUT "atomic" integer) LANGUAGE sql
BEGIN ATOMIC
	SELECT "begin" FROM public."table" "begin";
	SELECT CASE WHEN "begin"."begin" > 1 THEN "end" ELSE "case" END FROM public."table" "begin";
END;
CREATE FUNCTION public.returned("begin" integer, "end" integer) RETURNS integer LANGUAGE sql RETURN "begin" + CASE "end" WHEN 1 THEN "begin" END;
\endif
CREATE AGGREGATE public."when"(integer) (SFUNC = int4pl, STYPE = integer);
CREATE VIEW public."view" AS SELECT "begin", "end" AS "begin ", "case" AS "create", public."begin"() AS "function", (public.returns())::text AS "as" FROM public."table";
CREATE FUNCTION public."create"() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN CASE WHEN true THEN NEW END; END $$;
CREATE TRIGGER "begin" BEFORE INSERT ON public."table" FOR EACH ROW EXECUTE FUNCTION public."create"('begin', 'end');
CREATE RULE "begin" AS ON DELETE TO public."table" DO INSTEAD (UPDATE public."table" SET "begin" = 1; DELETE FROM public."table" WHERE "end" = 1);
CREATE DOMAIN public."check" AS integer CONSTRAINT "begin" CHECK (VALUE > 0);
CREATE COLLATION public."begin" (provider = icu, locale = 'de');
CREATE SEQUENCE public."sequence" OWNED BY public."table"."end";
CREATE FUNCTION public.zz_after() RETURNS integer LANGUAGE sql AS 'SELECT 2';
