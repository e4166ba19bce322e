package script

import (
	"fmt"
	"io"
	"strings"
	"testing"
)

func statements() string {
	var b strings.Builder
	for i := range 20000 {
		fmt.Fprintf(&b, "--\n-- Name: order_lines_%d; Type: TABLE; Schema: public; Owner: shop\n--\n\n", i)
		fmt.Fprintf(&b, "CREATE TABLE public.order_lines_%d (\n    id bigint NOT NULL,\n    \"order\" bigint,\n"+
			"    price numeric(12,2) DEFAULT 0.00,\n    note text DEFAULT 'it''s'::text,\n    CONSTRAINT positive CHECK ((price >= (0)::numeric))\n);\n\n\n", i)
		fmt.Fprintf(&b, "CREATE FUNCTION public.f_%d(a integer) RETURNS integer\n    LANGUAGE plpgsql\n    AS $_$\nbegin\n"+
			"  return $1 + a; -- a comment;\nend;\n$_$;\n\n\nINSERT INTO t VALUES (%d, 'a value of some length', E'\\\\x00ff', NULL);\n", i, i)
	}
	return b.String()
}

func rows(width int) string {
	line := strings.Repeat("x", width-3) + "\t\\N\n"
	return "COPY t FROM stdin;\n" + strings.Repeat(line, 64<<20/len(line)) + "\\.\n"
}

func benchmark(b *testing.B, script string) {
	b.SetBytes(int64(len(script)))
	b.ReportAllocs()
	for b.Loop() {
		r := NewReader(strings.NewReader(script))
		for {
			it, err := r.Next()
			if err == io.EOF {
				break
			} else if err != nil {
				b.Fatal(err)
			}
			if it.Kind == Copy {
				// Through Read, as pgconn's CopyFrom does it.
				if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{it.Data}, make([]byte, 64<<10)); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
}

func BenchmarkStatements(b *testing.B) { benchmark(b, statements()) }
func BenchmarkNarrowRows(b *testing.B) { benchmark(b, rows(10)) }
func BenchmarkRows(b *testing.B)       { benchmark(b, rows(100)) }
func BenchmarkWideRows(b *testing.B)   { benchmark(b, rows(10000)) }

func BenchmarkSingle(b *testing.B) {
	for _, bb := range []struct{ name, sql string }{
		{"comment", "COMMENT ON TABLE public.orders IS 'what customers ordered';"},
		{"body", "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$" + strings.Repeat("\n  perform 1; -- x", 1000) + "$$;"},
		{"view", "CREATE VIEW v AS\n SELECT " + strings.Repeat("\n    (orders.price * (orders.\"count\")::numeric),", 100000) + "1;"},
		{"literal", "INSERT INTO t VALUES ('" + strings.Repeat("0123456789abcdef", 1<<18) + "');"},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.SetBytes(int64(len(bb.sql)))
			b.ReportAllocs()
			for b.Loop() {
				if err := single(bb.sql); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
