-- What a whole MySQL server has besides databases.
CREATE USER 'app'@'%' IDENTIFIED BY 'secret' REQUIRE SSL WITH MAX_USER_CONNECTIONS 5 PASSWORD EXPIRE INTERVAL 30 DAY COMMENT 'it''s "\\ odd';
CREATE USER 'locked'@'localhost' IDENTIFIED BY 'x' ACCOUNT LOCK;
CREATE USER 'o''dd `"x'@'10.%', ''@'localhost', 'a DEFAULT ROLE x REQUIRE b'@'%', late@'%', partly@'%';
CREATE ROLE reader, `odd ``role`, app_admin;
GRANT reader TO `odd ``role`; GRANT reader, app_admin TO app@'%' WITH ADMIN OPTION; GRANT `odd ``role` TO locked@localhost;
SET DEFAULT ROLE reader, app_admin TO app@'%';
CREATE DATABASE shop CHARACTER SET latin1 COLLATE latin1_bin; CREATE DATABASE `odd ``db ünï`; CREATE DATABASE `empty`;
CREATE TABLE shop.orders (id INT PRIMARY KEY, name VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_bin); INSERT INTO shop.orders VALUES (1, 'é');
CREATE TABLE `odd ``db ünï`.`t` (a INT, KEY (a), FOREIGN KEY (a) REFERENCES shop.orders (id)); INSERT INTO `odd ``db ünï`.t VALUES (1);
CREATE VIEW shop.across AS SELECT t.a FROM `odd ``db ünï`.t; CREATE VIEW `odd ``db ünï`.back AS SELECT a FROM shop.across;
CREATE DEFINER = app@'%' PROCEDURE shop.p() SELECT 1;
CREATE DEFINER = app@'%' TRIGGER shop.tr BEFORE INSERT ON shop.orders FOR EACH ROW SET NEW.name = 'x';
GRANT SELECT ON *.* TO reader; GRANT BACKUP_ADMIN ON *.* TO app_admin WITH GRANT OPTION; GRANT SELECT, INSERT (name), UPDATE (name) ON shop.orders TO app@'%' WITH GRANT OPTION; GRANT ALL ON `sho\_%`.* TO locked@localhost;
GRANT EXECUTE ON PROCEDURE shop.p TO app@'%'; GRANT PROXY ON app@'%' TO locked@localhost WITH GRANT OPTION; GRANT SELECT ON `odd ``db ünï`.* TO `odd ``role`;
GRANT CREATE ON shop.not_yet TO late@'%';
SET GLOBAL partial_revokes = ON; GRANT SELECT ON *.* TO partly@'%'; REVOKE SELECT ON mysql.* FROM partly@'%';
CREATE SERVER elsewhere FOREIGN DATA WRAPPER mysql OPTIONS (HOST 'h''x', PORT 33, USER 'u', PASSWORD 'p', DATABASE 'd');
