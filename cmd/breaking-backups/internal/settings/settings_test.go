package settings

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"testing"

	"github.com/caarlos0/env/v11"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/spf13/pflag"
)

type metres int

func (metres) Unit() string { return "metres" }

// garden is anybody's settings.
type garden struct {
	Beds struct {
		Width metres `env:"BED_WIDTH" default:"2" help:"of each"`
		Open  bool   `env:"BED_OPEN" flag:"open"`
	} `group:"beds"`
	Gate struct {
		Colour string `env:"GATE_COLOUR" choices:"red | green" default:"green"`
		Key    string `env:"GATE_KEY" secret:"true" required:"required"`
	} `group:"gate"`
	Weather string // follows from them
}

func gardenTable() Table { return Of(reflect.TypeFor[garden]()) }

func TestOf(t *testing.T) {
	want := []Setting{
		{Env: "BED_WIDTH", Flag: "bed-width", Group: "beds", Help: "of each", Initial: "2", Unit: "metres"},
		{Env: "BED_OPEN", Flag: "open", Group: "beds", Toggle: true},
		{Env: "GATE_COLOUR", Flag: "gate-colour", Group: "gate", Choices: []string{"red", "green"}, Initial: "green"},
		{Env: "GATE_KEY", Group: "gate", Required: "required", Secret: true},
	}
	if diff := cmp.Diff(want, gardenTable().Settings, cmpopts.IgnoreUnexported(Setting{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Flags go before variables, files stand for secrets, and each mistake bears the name that was
// given.
func TestLoader(t *testing.T) {
	parsers := map[reflect.Type]env.ParserFunc{reflect.TypeFor[metres](): func(s string) (any, error) {
		n, err := strconv.Atoi(s)
		if err != nil {
			return nil, errors.New("want metres")
		}
		return metres(n), nil
	}}
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte(" s3cret \r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name          string
		environ, args []string
		want          garden
		mistakes      []string
	}{
		{name: "defaults", want: gardenOf(2, false, "green", "")},
		{"flags and files", []string{"BED_WIDTH=3", "GATE_KEY_FILE=" + key}, []string{"--bed-width=4", "--open"}, gardenOf(4, true, "green", " s3cret "), nil},
		{
			"mistakes",
			[]string{"BED_WIDTH=wide", "GATE_KEY=s3cret", "GATE_KEY_FILE=" + key},
			[]string{"--gate-colour=blue"},
			gardenOf(0, false, "", "s3cret"),
			[]string{"GATE_KEY: set as well as GATE_KEY_FILE; want one of them", "BED_WIDTH: want metres", `--gate-colour: want red, green, got "blue"`},
		},
		{"no file", []string{"GATE_KEY_FILE=s3cret"}, nil, gardenOf(2, false, "green", ""), []string{"GATE_KEY_FILE: want the path of a file: no such file or directory"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			table, flags := gardenTable(), pflag.NewFlagSet("", pflag.ContinueOnError)
			table.AddFlags(flags, []string{"beds", "gate"})
			if err := flags.Parse(tt.args); err != nil {
				t.Fatal(err)
			}
			l := NewLoader(tt.environ, table.FlagValues(flags), Pipes{})
			l.ReadFiles([]string{"GATE_KEY"}, nil, func(text []byte) string { return string(text) })
			var got garden
			l.Parse(&got, table, parsers)
			l.CheckChoice(&got, table.Named("GATE_COLOUR"))
			var mistakes []string
			for _, err := range l.Mistakes {
				mistakes = append(mistakes, err.Error())
			}
			if got != tt.want {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
			if diff := cmp.Diff(tt.mistakes, mistakes); diff != "" {
				t.Errorf("mistakes (-want +got):\n%s", diff)
			}
		})
	}
}

func gardenOf(width metres, open bool, colour, key string) garden {
	var g garden
	g.Beds.Width, g.Beds.Open, g.Gate.Colour, g.Gate.Key = width, open, colour, key
	return g
}
