-- A small shop, about 50 MB: every run makes the same rows, from hashes of their numbers.
-- For psql, into an empty database.
\set ON_ERROR_STOP on
\set customers 20000
\set products 2000
\set orders 120000
\set events 120000

SET client_min_messages = warning;

CREATE SCHEMA shop;
COMMENT ON SCHEMA shop IS 'Everything the shop sells, and to whom';
SET search_path = shop, public;

-- A hash of n in 0 .. below-1, another for each seed.
CREATE FUNCTION spread(n bigint, seed text, below bigint) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT (hashint8extended(n, hashtext(seed)) & 9223372036854775807) % below $$;

CREATE TYPE order_status AS ENUM ('basket', 'paid', 'packed', 'sent', 'returned');
CREATE TYPE address AS (street text, number int, city text, country char(2));
CREATE DOMAIN email AS text CHECK (VALUE ~ '^[^@[:space:]]+@[^@[:space:]]+$');

CREATE TABLE customers (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name    text NOT NULL,
    mail    email NOT NULL UNIQUE,
    home    address,
    wishes  jsonb NOT NULL DEFAULT '{}',
    joined  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN customers.wishes IS 'What the customer told us: newsletter, language, sizes';

CREATE TABLE products (
    sku      text PRIMARY KEY CHECK (sku ~ '^[A-Z]{2}-[0-9]{5}$'),
    name     text NOT NULL,
    price    numeric(10,2) NOT NULL CHECK (price > 0),
    tags     text[] NOT NULL DEFAULT '{}',
    details  jsonb NOT NULL,
    words    tsvector GENERATED ALWAYS AS (to_tsvector('simple', name || ' ' || (details ->> 'text'))) STORED
);

CREATE SEQUENCE order_number START 1000 INCREMENT 1;

CREATE TABLE orders (
    id        bigint PRIMARY KEY DEFAULT nextval('order_number'),
    customer  bigint NOT NULL,
    status    order_status NOT NULL DEFAULT 'basket',
    placed    timestamptz NOT NULL DEFAULT now(),
    changed   timestamptz,
    note      text
);
ALTER SEQUENCE order_number OWNED BY orders.id;

CREATE TABLE order_items (
    order_id  bigint NOT NULL,
    line      smallint NOT NULL,
    sku       text NOT NULL,
    quantity  int NOT NULL DEFAULT 1 CHECK (quantity > 0),
    price     numeric(10,2) NOT NULL,
    PRIMARY KEY (order_id, line)
);

CREATE TABLE events (
    at        timestamptz NOT NULL,
    customer  bigint,
    payload   jsonb NOT NULL
) PARTITION BY RANGE (at);
CREATE TABLE events_spring PARTITION OF events FOR VALUES FROM ('2026-03-01 UTC') TO ('2026-06-01 UTC');
CREATE TABLE events_summer PARTITION OF events FOR VALUES FROM ('2026-06-01 UTC') TO ('2026-09-01 UTC');
CREATE TABLE events_other PARTITION OF events DEFAULT;

CREATE TABLE price_history (
    sku    text NOT NULL REFERENCES products ON DELETE CASCADE,
    price  numeric(10,2) NOT NULL,
    until  timestamptz NOT NULL
);

INSERT INTO customers (name, mail, home, wishes, joined)
SELECT first || ' ' || last, lower(translate(first || '.' || last, ' ''', '') || n || '@example.org'),
       ROW('Kerk"straat', spread(n, 'no', 300) + 1, city, 'NL')::address,
       jsonb_build_object('newsletter', spread(n, 'news', 2) = 0, 'language', (ARRAY['nl', 'de', 'fr'])[spread(n, 'lang', 3) + 1],
                          'sizes', jsonb_build_array(spread(n, 's1', 12) + 36, spread(n, 's2', 4))),
       timestamptz '2024-01-01 UTC' + spread(n, 'joined', 60000000) * interval '1 second'
FROM generate_series(1, :customers) n,
     LATERAL (SELECT (ARRAY['Anna', 'Zoë', 'Bob', 'Jürgen', 'Chloé', 'Dirk', 'O''Neill', 'Eva'])[spread(n, 'first', 8) + 1],
                     (ARRAY['Jansen', 'de Vries', 'Çelik', 'Smit', 'Novák', 'Meyer', 'Bakker'])[spread(n, 'last', 7) + 1],
                     (ARRAY['Utrecht', 'Gent', 'Köln', '''s-Hertogenbosch', 'Lille'])[spread(n, 'city', 5) + 1]) AS p(first, last, city);

INSERT INTO products (sku, name, price, tags, details)
SELECT chr((65 + n % 26)::int) || 'X-' || lpad(n::text, 5, '0'), colour || ' ' || thing, (spread(n, 'price', 20000) + 99) / 100.0,
       ARRAY[colour, thing, 'a "quoted", tag'],
       jsonb_build_object('weight', spread(n, 'weight', 5000), 'text', repeat(md5(n::text) || E'\tper stuk\n', 8), 'stock', jsonb_build_object('Utrecht', spread(n, 'u', 50), 'Gent', spread(n, 'g', 50)))
FROM generate_series(1, :products) n,
     LATERAL (SELECT (ARRAY['rood', 'groen', 'blauw', 'café-bruin'])[spread(n, 'colour', 4) + 1],
                     (ARRAY['stoel', 'lamp', 'fiets', 'kast', 'tafel'])[spread(n, 'thing', 5) + 1]) AS p(colour, thing);

INSERT INTO orders (customer, status, placed, note)
SELECT spread(n, 'customer', :customers) + 1, (enum_range(NULL::order_status))[spread(n, 'status', 5) + 1],
       timestamptz '2025-01-01 UTC' + n * interval '5 minutes',
       CASE WHEN n % 7 = 0 THEN E'Bellen bij de achterdeur, niet \\ aan de voorkant. ' || md5(n::text) END
FROM generate_series(1, :orders) n;

INSERT INTO order_items (order_id, line, sku, quantity, price)
SELECT o.id, line, p.sku, spread(o.id, 'quantity' || line, 4) + 1, p.price
FROM orders o, generate_series(1, 3) line,
     LATERAL (SELECT spread(o.id, 'product' || line, :products) + 1 AS number) AS pick,
     LATERAL (SELECT chr((65 + number % 26)::int) || 'X-' || lpad(number::text, 5, '0') AS sku) AS code
     JOIN products p USING (sku)
ORDER BY o.id, line;

INSERT INTO events (at, customer, payload)
SELECT timestamptz '2026-02-01 UTC' + n * interval '3 minutes', nullif(spread(n, 'visitor', :customers), 0),
       jsonb_build_object('page', '/p/' || spread(n, 'page', :products), 'from', (ARRAY['mail', 'search', NULL])[spread(n, 'from', 3) + 1],
                          'session', md5('session' || n / 9), 'agent', 'Mozilla/5.0 (' || md5(n::text) || ')', 'ms', spread(n, 'ms', 900))
FROM generate_series(1, :events) n;

ALTER TABLE orders ADD FOREIGN KEY (customer) REFERENCES customers ON DELETE RESTRICT;
ALTER TABLE order_items ADD FOREIGN KEY (order_id) REFERENCES orders ON DELETE CASCADE;
ALTER TABLE order_items ADD FOREIGN KEY (sku) REFERENCES products;
CREATE INDEX orders_by_customer ON orders (customer, placed DESC);
CREATE INDEX orders_open ON orders (placed) WHERE status IN ('paid', 'packed');
CREATE INDEX products_words ON products USING gin (words);
CREATE INDEX customers_name ON customers (lower(name));
CREATE INDEX events_at ON events (at);

CREATE FUNCTION order_total(which bigint) RETURNS numeric
    LANGUAGE sql STABLE STRICT
    AS $$ SELECT coalesce(sum(quantity * price), 0) FROM shop.order_items WHERE order_id = which $$;

CREATE VIEW order_totals AS
    SELECT o.id, o.customer, o.status, o.placed, sum(i.quantity * i.price) AS total
    FROM orders o JOIN order_items i ON i.order_id = o.id GROUP BY o.id;

CREATE VIEW best_customers AS
    SELECT c.name, count(*) AS orders, sum(t.total) AS spent
    FROM customers c JOIN order_totals t ON t.customer = c.id WHERE t.status <> 'returned'
    GROUP BY c.id ORDER BY spent DESC LIMIT 100;

CREATE MATERIALIZED VIEW sales_by_month AS
    SELECT date_trunc('month', placed AT TIME ZONE 'UTC')::date AS month, count(*) AS orders, sum(total) AS total
    FROM order_totals GROUP BY 1;
CREATE UNIQUE INDEX sales_by_month_key ON sales_by_month (month);

CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.changed := now();
    RETURN NEW;
END $$;
CREATE TRIGGER orders_stamp BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION stamp();

CREATE FUNCTION keep_price() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO shop.price_history VALUES (OLD.sku, OLD.price, now());
    RETURN NULL;
END $$;
CREATE TRIGGER products_price AFTER UPDATE OF price ON products FOR EACH ROW
    WHEN (OLD.price IS DISTINCT FROM NEW.price) EXECUTE FUNCTION keep_price();

CREATE PROCEDURE place_order(buyer bigint, wanted text[]) LANGUAGE plpgsql AS $$
DECLARE
    number bigint;
BEGIN
    INSERT INTO shop.orders (customer, status) VALUES (buyer, 'paid') RETURNING id INTO number;
    INSERT INTO shop.order_items SELECT number, line, sku, 1, price
        FROM unnest(wanted) WITH ORDINALITY AS w(sku, line) JOIN shop.products USING (sku);
END $$;
COMMENT ON PROCEDURE place_order IS 'An order of one of each of these';

-- Roles belong to the server, not to the database: the one that reads may be there already.
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'shop_reader') THEN CREATE ROLE shop_reader; END IF;
END $$;
GRANT USAGE ON SCHEMA shop TO shop_reader;
GRANT SELECT ON customers, orders, best_customers TO shop_reader;

ANALYZE;
