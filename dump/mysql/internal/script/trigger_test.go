package script

import "testing"

func TestUnqualifiedTrigger(t *testing.T) {
	for definition, want := range map[string]string{
		"CREATE DEFINER=`a.b`@`%` TRIGGER app.tr BEFORE INSERT ON `app` . `t` FOR EACH ROW SET @a = app.f()": "CREATE DEFINER=`a.b`@`%` TRIGGER `tr` BEFORE INSERT ON `t` FOR EACH ROW SET @a = app.f()",
		"CREATE TRIGGER tr AFTER DELETE ON app.app FOR EACH ROW BEGIN END":                                   "CREATE TRIGGER tr AFTER DELETE ON `app` FOR EACH ROW BEGIN END",
		"CREATE TRIGGER \"app\".tr AFTER DELETE ON other.t FOR EACH ROW BEGIN END":                           "CREATE TRIGGER `tr` AFTER DELETE ON other.t FOR EACH ROW BEGIN END",
		"CREATE TRIGGER /* app.x */ tr AFTER DELETE ON t FOR EACH ROW BEGIN END":                             "CREATE TRIGGER /* app.x */ tr AFTER DELETE ON t FOR EACH ROW BEGIN END",
	} {
		if got := UnqualifiedTrigger(definition, "app"); got != want {
			t.Errorf("%s\nbecomes %s\nwant    %s", definition, got, want)
		}
	}
}
