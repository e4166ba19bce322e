package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/exit"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/settings"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/terminal"
)

// groupsKey is the annotation of a cobra command that holds its groups of settings.
const groupsKey = "groups"

// group is settings that commands have in common, under the heading that help shows them under.
type group struct{ name, heading string }

// groups are the settings' groups, in the order in which help shows them.
func groups() []group {
	return []group{
		{"jobs", "Which jobs there are"},
		{"job", "What is backed up"},
		{"postgres", "PostgreSQL (libpq's other variables too: PGSSLMODE, PGPASSFILE, PGSERVICE …)"},
		{"selection", "What is dumped of a PostgreSQL database (lists are separated by commas; what the chosen part needs comes with it, but no other table)"},
		{"mysql", "MySQL and MariaDB"},
		{"mongo", "MongoDB"},
		{"repository", "The repository (restic's and its backends' other variables reach restic untouched, no others do)"},
		{"backup", "The backup"},
		{"retention", "What is kept (none of KEEP_* set: everything, always)"},
		{"schedule", "When"},
		{"webhook", "Who is told"},
		{"http", "Who may look (with HTTP_ADDR unset nothing listens)"},
		{"push", "Who gets the metrics of what ends by itself"},
		{"drill", "The restore drill, and restic check (VERIFY_ before a variable of the database's: where drills restore to)"},
		{"log", "What is logged"},
	}
}

// printHelp writes a command's help to its output, as wide as that is: what cobra would write, with
// the settings as one list of variables and flags.
func printHelp(cmd *cobra.Command, _ []string) {
	w := cmd.OutOrStdout()
	width := terminal.Width(w)
	fmt.Fprintf(w, "%s\nUsage:\n  %s\n", terminal.Paragraphs(cmd.Long, width), cmd.UseLine())
	printCommands(w, cmd, width)
	if cmd.Example != "" {
		fmt.Fprintf(w, "\nExamples:\n%s\n", strings.Trim(cmd.Example, "\n"))
	}
	own := pflag.NewFlagSet("", pflag.ContinueOnError)
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		if !settings.IsFlag(flag) {
			own.AddFlag(flag)
		}
	})
	fmt.Fprintf(w, "\nFlags:\n%s", own.FlagUsagesWrapped(width))
	wanted, ours := cmd.Annotations[groupsKey]
	for _, group := range groups() {
		if slices.Contains(strings.Split(wanted, ","), group.name) {
			fmt.Fprintf(w, "\n%s", terminal.Wrapped(group.heading+":", width, ""))
			printSettings(w, group.name, width)
			if group.name == "repository" {
				fmt.Fprint(w, terminal.Wrapped("Given as files too, by NAME_FILE: "+strings.Join(backendSecrets(), ", "), width, "  "))
			}
		}
	}
	if ours {
		fmt.Fprint(w, "\nExit codes:\n")
		for _, code := range exit.Codes() {
			fmt.Fprint(w, terminal.Hanging("  "+code.Code, 7, code.Meaning, width))
		}
	}
}

func printCommands(w io.Writer, cmd *cobra.Command, width int) {
	if !cmd.HasAvailableSubCommands() {
		return
	}
	fmt.Fprint(w, "\nCommands:\n")
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() || sub.Name() == "help" {
			fmt.Fprint(w, terminal.Hanging("  "+sub.Name(), 17, sub.Short, width))
		}
	}
}

// printSettings lists a group's variables, each with its flag, and below it its meaning and its
// default.
func printSettings(w io.Writer, group string, width int) {
	for _, s := range ownSettings().Settings {
		if s.Group != group {
			continue
		}
		names := s.Env
		if s.Secret {
			names += ", " + s.Env + "_FILE"
		}
		if s.Flag != "" {
			names += ", --" + s.Flag
		}
		fmt.Fprintf(w, "  %s\n%s", names, terminal.Wrapped(s.Usage(), width, "        "))
	}
}
