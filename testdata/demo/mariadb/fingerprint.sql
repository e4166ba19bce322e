-- One line for each table of the shop: its name, its rows, and a checksum of them that does not depend on their order.
-- At the end the order number that comes next.
SET time_zone = '+00:00';
DELIMITER //
FOR t IN (SELECT table_name AS name FROM information_schema.tables WHERE table_schema = database() AND table_type = 'BASE TABLE' ORDER BY 1) DO
    SET @columns = (SELECT group_concat('ifnull(hex(`', column_name, '`), ''-'')' ORDER BY ordinal_position)
                    FROM information_schema.columns WHERE table_schema = database() AND table_name = t.name);
    EXECUTE IMMEDIATE concat('SELECT concat_ws('' '', ''', t.name, ''', count(*), ifnull(sum(cast(conv(left(md5(concat_ws('' '', ', @columns, ')), 14), 16, 10) AS UNSIGNED)), 0)) FROM `', t.name, '`');
END FOR//
DELIMITER ;
SELECT concat_ws(' ', 'order_number', next_not_cached_value, '-') FROM order_number;
