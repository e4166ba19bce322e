-- A small shop, about 80 MB: every run makes the same rows, from hashes of their numbers.
-- For the mariadb client, into an empty database.
SET NAMES utf8mb4, time_zone = '+00:00';

CREATE TABLE customers (
    id      BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY,
    name    VARCHAR(100) NOT NULL,
    mail    VARCHAR(200) NOT NULL UNIQUE CHECK (mail RLIKE '^[^@[:space:]]+@[^@[:space:]]+$'),
    home    POINT NOT NULL COMMENT 'Where the customer''s parcels go',
    wishes  JSON NOT NULL DEFAULT '{}' COMMENT 'What the customer told us: newsletter, language, sizes',
    joined  TIMESTAMP NOT NULL DEFAULT current_timestamp(),
    KEY customers_name (name),
    SPATIAL KEY customers_home (home)
);

CREATE TABLE products (
    sku      CHAR(8) CHARACTER SET ascii PRIMARY KEY CHECK (sku RLIKE '^[A-Z]{2}-[0-9]{5}$'),
    name     VARCHAR(100) NOT NULL,
    price    DECIMAL(10,2) NOT NULL CHECK (price > 0),
    tags     SET('rood', 'groen', 'blauw', 'café-bruin', 'aanbieding') NOT NULL DEFAULT '',
    details  JSON NOT NULL,
    stock    INT AS (json_value(details, '$.stock.Utrecht') + json_value(details, '$.stock.Gent')) STORED,
    picture  BLOB,
    FULLTEXT KEY products_words (name)
);

CREATE SEQUENCE order_number START WITH 1000;

CREATE TABLE orders (
    id        BIGINT PRIMARY KEY DEFAULT nextval(order_number),
    customer  BIGINT UNSIGNED NOT NULL,
    status    ENUM('basket', 'paid', 'packed', 'sent', 'returned') NOT NULL DEFAULT 'basket',
    placed    DATETIME(3) NOT NULL DEFAULT current_timestamp(3),
    changed   DATETIME(6) ON UPDATE current_timestamp(6),
    note      TEXT,
    KEY orders_by_customer (customer, placed DESC),
    FOREIGN KEY (customer) REFERENCES customers (id) ON DELETE RESTRICT
);

CREATE TABLE order_items (
    order_id  BIGINT NOT NULL,
    line      TINYINT NOT NULL,
    sku       CHAR(8) CHARACTER SET ascii NOT NULL,
    quantity  INT NOT NULL DEFAULT 1 CHECK (quantity > 0),
    price     DECIMAL(10,2) NOT NULL,
    PRIMARY KEY (order_id, line),
    FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE,
    FOREIGN KEY (sku) REFERENCES products (sku)
);

CREATE TABLE events (
    at        DATETIME NOT NULL,
    customer  BIGINT UNSIGNED,
    payload   JSON NOT NULL,
    KEY events_at (at)
) PARTITION BY RANGE COLUMNS (at) (
    PARTITION spring VALUES LESS THAN ('2026-06-01'),
    PARTITION summer VALUES LESS THAN ('2026-09-01'),
    PARTITION later VALUES LESS THAN (MAXVALUE)
);

CREATE TABLE price_history (
    sku    CHAR(8) CHARACTER SET ascii NOT NULL,
    price  DECIMAL(10,2) NOT NULL,
    until  TIMESTAMP NOT NULL DEFAULT current_timestamp(),
    FOREIGN KEY (sku) REFERENCES products (sku) ON DELETE CASCADE
);

SET foreign_key_checks = 0; -- the rows are sound, and quicker in like this

INSERT INTO customers (name, mail, home, wishes, joined)
SELECT concat(first, ' ', last), concat('customer', seq, '@example.org'), point(3 + crc32(concat('x', seq)) % 40000 / 10000, 50 + crc32(concat('y', seq)) % 30000 / 10000),
       json_object('newsletter', crc32(concat('news', seq)) % 2, 'language', elt(crc32(concat('lang', seq)) % 3 + 1, 'nl', 'de', 'fr'),
                   'sizes', json_array(crc32(concat('s1', seq)) % 12 + 36, crc32(concat('s2', seq)) % 4)),
       timestamp('2024-01-01') + INTERVAL crc32(concat('joined', seq)) % 60000000 SECOND
FROM (SELECT seq, elt(crc32(concat('first', seq)) % 8 + 1, 'Anna', 'Zoë', 'Bob', 'Jürgen', 'Chloé', 'Dirk', 'O''Neill', '😀 Eva') AS first,
             elt(crc32(concat('last', seq)) % 7 + 1, 'Jansen', 'de Vries', 'Çelik', 'Smit', 'Novák', 'Meyer', 'Bakker') AS last
      FROM seq_1_to_20000) AS people;

INSERT INTO products (sku, name, price, tags, details, picture)
SELECT concat(char(65 + seq % 26), 'X-', lpad(seq, 5, '0')), concat(colour, ' ', thing), (crc32(concat('price', seq)) % 20000 + 99) / 100, colour,
       json_object('weight', crc32(concat('weight', seq)) % 5000, 'text', repeat(concat(md5(seq), '\tper stuk\n'), 8),
                   'stock', json_object('Utrecht', crc32(concat('u', seq)) % 50, 'Gent', crc32(concat('g', seq)) % 50)), unhex(repeat(md5(seq), 16))
FROM (SELECT seq, elt(crc32(concat('colour', seq)) % 4 + 1, 'rood', 'groen', 'blauw', 'café-bruin') AS colour,
             elt(crc32(concat('thing', seq)) % 5 + 1, 'stoel', 'lamp', 'fiets', 'kast', 'tafel') AS thing
      FROM seq_1_to_2000) AS things;

INSERT INTO orders (id, customer, status, placed, note)
SELECT nextval(order_number), crc32(concat('customer', seq)) % 20000 + 1, crc32(concat('status', seq)) % 5 + 1, timestamp('2025-01-01') + INTERVAL 5 * seq MINUTE,
       if(seq % 7 = 0, concat('Bellen bij de achterdeur, niet \\ aan de voorkant. ', md5(seq)), NULL)
FROM seq_1_to_120000;

INSERT INTO order_items (order_id, line, sku, quantity, price)
SELECT o.id, l.seq, p.sku, crc32(concat('quantity', l.seq, o.id)) % 4 + 1, p.price
FROM orders o JOIN seq_1_to_3 l
     JOIN products p ON p.sku = concat(char(65 + (crc32(concat('product', l.seq, o.id)) % 2000 + 1) % 26), 'X-', lpad(crc32(concat('product', l.seq, o.id)) % 2000 + 1, 5, '0'))
ORDER BY o.id, l.seq;

INSERT INTO events (at, customer, payload)
SELECT timestamp('2026-03-01') + INTERVAL 3 * seq MINUTE, nullif(crc32(concat('visitor', seq)) % 20000, 0),
       json_object('page', concat('/p/', crc32(concat('page', seq)) % 2000), 'from', elt(crc32(concat('from', seq)) % 3 + 1, 'mail', 'search'),
                   'session', md5(concat('session', seq DIV 9)), 'agent', concat('Mozilla/5.0 (', md5(seq), ')'), 'ms', crc32(concat('ms', seq)) % 900)
FROM seq_1_to_120000;

SET foreign_key_checks = 1;

CREATE FUNCTION order_total(which BIGINT) RETURNS DECIMAL(12,2) READS SQL DATA
    RETURN (SELECT ifnull(sum(quantity * price), 0) FROM order_items WHERE order_id = which);

CREATE VIEW order_totals AS
    SELECT o.id, o.customer, o.status, o.placed, sum(i.quantity * i.price) AS total
    FROM orders o JOIN order_items i ON i.order_id = o.id GROUP BY o.id;

CREATE VIEW best_customers AS
    SELECT c.name, count(*) AS orders, sum(t.total) AS spent
    FROM customers c JOIN order_totals t ON t.customer = c.id WHERE t.status <> 'returned'
    GROUP BY c.id ORDER BY spent DESC LIMIT 100;

DELIMITER //
CREATE TRIGGER products_price AFTER UPDATE ON products FOR EACH ROW
BEGIN
    IF OLD.price <> NEW.price THEN
        INSERT INTO price_history (sku, price) VALUES (OLD.sku, OLD.price);
    END IF;
END//

CREATE PROCEDURE place_order(buyer BIGINT UNSIGNED, one CHAR(8), another CHAR(8))
    MODIFIES SQL DATA COMMENT 'An order of one of each of these'
BEGIN
    DECLARE number BIGINT DEFAULT nextval(order_number);
    INSERT INTO orders (id, customer, status) VALUES (number, buyer, 'paid');
    INSERT INTO order_items SELECT number, row_number() OVER (ORDER BY sku), sku, 1, price FROM products WHERE sku IN (one, another);
END//

CREATE EVENT forget_prices ON SCHEDULE EVERY 1 DAY STARTS '2026-01-01 03:00:00' DO
    DELETE FROM price_history WHERE until < now() - INTERVAL 5 YEAR//
DELIMITER ;

ANALYZE TABLE customers, products, orders, order_items, events;
