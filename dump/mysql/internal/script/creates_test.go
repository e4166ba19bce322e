package script

import "testing"

func TestCreates(t *testing.T) {
	for _, tt := range []struct {
		definition, kind string
		want             bool
	}{
		{"CREATE DEFINER=`a``b`@`%` PROCEDURE `p`() SELECT 1", "PROCEDURE", true},
		{"CREATE DEFINER=\"a\"@\"%\" PROCEDURE \"p\"() SELECT 1", "PROCEDURE", true},
		{"CREATE DEFINER=root@localhost TRIGGER t BEFORE INSERT ON x FOR EACH ROW SET @a = 1", "TRIGGER", true},
		{"CREATE DEFINER=`role` AGGREGATE FUNCTION `f`() RETURNS int", "FUNCTION", true},
		{"CREATE ALGORITHM=UNDEFINED DEFINER=`a`@`%` SQL SECURITY DEFINER VIEW `v` AS select 1", "VIEW", true},
		{"CREATE ALGORITHM=UNDEFINED DEFINER=`a`@`%` SQL SECURITY DEFINER JSON RELATIONAL DUALITY VIEW `v` AS select 1", "JSON RELATIONAL DUALITY VIEW", true},
		{"CREATE ALGORITHM=UNDEFINED DEFINER=`a`@`%` SQL SECURITY DEFINER JSON RELATIONAL DUALITY VIEW `v` AS select 1", "VIEW", false},
		{"create package body x as end", "PACKAGE BODY", true},
		{"CREATE LIBRARY `l`\n    LANGUAGE JAVASCRIPT", "LIBRARY", true},
		{"DROP PROCEDURE p", "PROCEDURE", false},
		{"CREATE USER x; CREATE PROCEDURE p() SELECT 1", "PROCEDURE", false},
		{"CREATE DEFINER=`a`; DROP TABLE x; VIEW", "VIEW", false},
		{"CREATE EVENTUAL", "EVENT", false},
		{"", "VIEW", false},
	} {
		if got := Creates(tt.definition, tt.kind); got != tt.want {
			t.Errorf("%s as %s: %v", tt.definition, tt.kind, got)
		}
	}
}
