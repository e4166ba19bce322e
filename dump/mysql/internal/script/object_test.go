package script

import "testing"

func TestObjectOf(t *testing.T) {
	for sql, want := range map[string]Object{
		"CREATE TABLE `a``b` (`x` INT)":                        {Verb: "create", Kind: "table", Name: "a`b"},
		"CREATE TABLE IF NOT EXISTS t (x INT)":                 {Verb: "create", Kind: "table", Name: "t"},
		"CREATE TEMPORARY TABLE `d`.`t` (x INT)":               {Verb: "create", Kind: "table", Database: "d", Name: "t"},
		"ALTER TABLE `t`\n  ADD KEY `k` (`a`)":                 {Verb: "alter", Kind: "table", Name: "t"},
		"/*!40000 ALTER TABLE `t` DISABLE KEYS */":             {Verb: "alter", Kind: "table", Name: "t"},
		"DROP TABLE IF EXISTS `t`":                             {Verb: "drop", Kind: "table", Name: "t"},
		"LOCK TABLES `t` WRITE":                                {Verb: "lock", Kind: "table", Name: "t"},
		"CREATE SEQUENCE `s` start with 1":                     {Verb: "create", Kind: "sequence", Name: "s"},
		"DO SETVAL(`s`, 5, 0, 1)":                              {Verb: "set", Kind: "sequence", Name: "s"},
		"SELECT SETVAL(`d`.`s`, 5, 0)":                         {Verb: "set", Kind: "sequence", Database: "d", Name: "s"},
		"SELECT 1":                                             {},
		"INSERT INTO `t` VALUES (1)":                           {},
		"START TRANSACTION":                                    {},
		"GRANT SELECT ON `d`.* TO `u`@`%`":                     {},
		"CREATE VIEW `v` AS SELECT 1 AS `a`":                   {Verb: "create", Kind: "view", Name: "v"},
		"CREATE DATABASE /*!32312 IF NOT EXISTS*/ `d`":         {Verb: "create", Kind: "database", Name: "d"},
		"ALTER DATABASE `d` COLLATE latin1_bin":                {Verb: "alter", Kind: "database", Name: "d"},
		"/*!50001 DROP VIEW IF EXISTS `v`*/":                   {Verb: "drop", Kind: "view", Name: "v"},
		"CREATE USER IF NOT EXISTS `u`@`%`":                    {Verb: "create", Kind: "user", Name: "u"},
		"CREATE PACKAGE BODY `p` AS END":                       {Verb: "create", Kind: "package", Name: "p"},
		"CREATE DEFINER=CURRENT_USER FUNCTION f() RETURNS INT": {Verb: "create", Kind: "function", Name: "f"},
		"CREATE OR REPLACE ALGORITHM=MERGE DEFINER=`view`@`table` SQL SECURITY DEFINER VIEW `d`.`v` AS select 1":                                {Verb: "create", Kind: "view", Database: "d", Name: "v"},
		"/*!50001 CREATE ALGORITHM=UNDEFINED */\n/*!50013 DEFINER=`root`@`localhost` SQL SECURITY INVOKER */\n/*!50001 VIEW `v` AS select 1 */": {Verb: "create", Kind: "view", Name: "v"},
		"CREATE DEFINER=`r`@`%` TRIGGER `tr` BEFORE UPDATE ON `t` FOR EACH ROW SET @a = 1":                                                      {Verb: "create", Kind: "trigger", Name: "tr", Table: "t"},
		"/*!50003 CREATE*/ /*!50017 DEFINER=`r`@`%`*/ /*!50003 TRIGGER tr /* on `x` */ AFTER DELETE\nON d . `on` FOR EACH ROW SET @a = 1 */":    {Verb: "create", Kind: "trigger", Database: "d", Name: "tr", Table: "on"},
		"CREATE JSON RELATIONAL DUALITY VIEW `j` AS SELECT":                                                                                     {Verb: "create", Kind: "view", Name: "j"},
		"CREATE TRIGGER": {Verb: "create", Kind: "trigger"},
		"CREATE":         {},
	} {
		got := ObjectOf([]byte(sql))
		got.Behind = 0
		if got != want {
			t.Errorf("%s\nis  %+v\nnot %+v", sql, got, want)
		}
	}
	const altered = "ALTER DATABASE `d` COLLATE x"
	if got := altered[ObjectOf([]byte(altered)).Behind:]; got != " COLLATE x" {
		t.Errorf("behind the name stands %q", got)
	}
}

func TestIsGlobal(t *testing.T) {
	for sql, want := range map[string]bool{
		"SET @@GLOBAL.gtid_purged=/*!80000 '+'*/ ''": true, "SET GLOBAL gtid_slave_pos=''": true, "SET @@SESSION.sql_log_bin= 0": false, "SET NAMES utf8": false,
		"/*!80000 SET PERSIST x = 1 */": true, "SET @global = 1": false, "INSERT INTO t VALUES (1)": false,
	} {
		if got := IsGlobal([]byte(sql)); got != want {
			t.Errorf("%s: %t", sql, got)
		}
	}
}

// A statement is read to its end at most, whatever it is.
func FuzzObjectOf(f *testing.F) {
	for _, sql := range []string{"CREATE DEFINER=`r`@`%` TRIGGER `tr` BEFORE UPDATE ON `d`.`t`", "ALTER DATABASE `d` COLLATE x", "LOCK TABLES", "DO SETVAL(`", "/*!50003 CREATE*/ /*", "SET @@GLOBAL.x"} {
		f.Add(sql)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		if o := ObjectOf([]byte(sql)); o.Behind < 0 || o.Behind > len(sql) {
			t.Errorf("%q: the name ends at %d", sql, o.Behind)
		}
		IsGlobal([]byte(sql))
	})
}
