-- A day at the shop: a handful of changes beside hundreds of thousands of rows that stay as they are.
UPDATE orders SET status = 'sent' WHERE id BETWEEN 100000 AND 100499;
UPDATE products SET price = price * 0.9 WHERE sku IN ('QX-00016', 'RX-00017', 'SX-00018');
CALL place_order(17, 'BX-00001', 'CX-00002');
CALL place_order(4711, 'DX-00003', NULL);
DELETE FROM orders WHERE id = 5000;
