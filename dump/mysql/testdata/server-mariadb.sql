-- What a whole MariaDB server has besides databases.
CREATE USER 'app'@'%' IDENTIFIED BY 'secret' REQUIRE SSL WITH MAX_USER_CONNECTIONS 5 PASSWORD EXPIRE INTERVAL 30 DAY;
CREATE USER 'two ways'@'localhost' IDENTIFIED VIA unix_socket OR mysql_native_password USING PASSWORD('x') ACCOUNT LOCK;
CREATE USER 'o''dd `"x'@'10.%', ''@'localhost', 'a DEFAULT ROLE x REQUIRE b'@'%', late@'%';
CREATE ROLE reader; CREATE ROLE `odd ``role`; CREATE ROLE app_admin WITH ADMIN app@'%'; CREATE ROLE by_reader WITH ADMIN reader;
GRANT reader TO `odd ``role`; GRANT reader TO app@'%' WITH ADMIN OPTION; GRANT `odd ``role` TO 'two ways'@localhost;
SET DEFAULT ROLE reader FOR app@'%';
CREATE DATABASE shop CHARACTER SET latin1 COLLATE latin1_bin COMMENT 'it''s'; CREATE DATABASE `odd ``db ünï`; CREATE DATABASE `empty`;
CREATE TABLE shop.orders (id INT DEFAULT 1 PRIMARY KEY, name VARCHAR(20)); INSERT INTO shop.orders VALUES (1, 'é');
CREATE SEQUENCE shop.counter; ALTER TABLE shop.orders ALTER id SET DEFAULT NEXTVAL(shop.counter);
CREATE TABLE `odd ``db ünï`.`t` (a INT, KEY (a), FOREIGN KEY (a) REFERENCES shop.orders (id)); INSERT INTO `odd ``db ünï`.t VALUES (1);
CREATE VIEW shop.across AS SELECT t.a FROM `odd ``db ünï`.t; CREATE VIEW `odd ``db ünï`.back AS SELECT a FROM shop.across;
CREATE DEFINER = app@'%' PROCEDURE shop.p() SELECT 1;
CREATE DEFINER = app@'%' TRIGGER shop.tr BEFORE INSERT ON shop.orders FOR EACH ROW SET NEW.name = 'x';
GRANT SELECT ON *.* TO reader; GRANT SELECT, INSERT (name), UPDATE (name) ON shop.orders TO app@'%' WITH GRANT OPTION; GRANT ALL ON `sho\_%`.* TO 'two ways'@localhost;
GRANT EXECUTE ON PROCEDURE shop.p TO app@'%'; GRANT PROXY ON app@'%' TO 'two ways'@localhost WITH GRANT OPTION; GRANT SELECT ON `odd ``db ünï`.* TO `odd ``role`;
GRANT CREATE ON shop.not_yet TO late@'%';
CREATE SERVER elsewhere FOREIGN DATA WRAPPER mysql OPTIONS (HOST 'h''x', PORT 33, USER 'u', PASSWORD 'p', DATABASE 'd');
