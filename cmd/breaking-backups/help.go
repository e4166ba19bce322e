package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// groupsKey is the annotation of a cobra command that holds its groups of settings.
const groupsKey = "groups"

// group is settings that commands have in common, under the heading that help shows them under.
type group struct{ name, heading string }

// groups are the settings' groups, in the order in which help shows them.
func groups() []group {
	return []group{
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
		{"log", "What is logged"},
	}
}

// printHelp writes a command's help to its output: what cobra would write, with the settings as one table of variables
// and flags.
func printHelp(cmd *cobra.Command, _ []string) {
	w := cmd.OutOrStdout()
	fmt.Fprintf(w, "%s\n\nUsage:\n  %s\n", strings.TrimSpace(cmd.Long), cmd.UseLine())
	printCommands(w, cmd)
	if cmd.Example != "" {
		fmt.Fprintf(w, "\nExamples:\n%s\n", strings.Trim(cmd.Example, "\n"))
	}
	own := pflag.NewFlagSet("", pflag.ContinueOnError)
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		if _, setting := flag.Value.(*textFlag); !setting {
			own.AddFlag(flag)
		}
	})
	fmt.Fprintf(w, "\nFlags:\n%s", own.FlagUsages())
	wanted, ours := cmd.Annotations[groupsKey]
	for _, group := range groups() {
		if slices.Contains(strings.Split(wanted, ","), group.name) {
			fmt.Fprintf(w, "\n%s:\n", group.heading)
			printSettings(w, group.name)
			if group.name == "repository" {
				fmt.Fprintf(w, "  Given as files too, by NAME_FILE: %s\n", strings.Join(backendSecrets(), ", "))
			}
		}
	}
	if ours {
		fmt.Fprintf(w, "\nExit codes:\n%s", exitCodesHelp)
	}
}

func printCommands(w io.Writer, cmd *cobra.Command) {
	if !cmd.HasAvailableSubCommands() {
		return
	}
	fmt.Fprint(w, "\nCommands:\n")
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() || sub.Name() == "help" {
			fmt.Fprintf(w, "  %-14s %s\n", sub.Name(), sub.Short)
		}
	}
}

// printSettings lists a group's variables, each with its flag, its meaning and its default.
func printSettings(w io.Writer, group string) {
	for _, s := range settings() {
		if s.group != group {
			continue
		}
		names := s.env
		if s.secret {
			names += ", " + s.env + "_FILE"
		}
		if s.flag != "" {
			names += ", --" + s.flag
		}
		text := strings.Join(s.choices, " | ")
		if text != "" && s.help != "" {
			text += "; "
		}
		text += s.help
		switch {
		case s.required != "":
			text += " (" + s.required + ")"
		case s.initial+s.shown != "":
			text += " (default: " + s.initial + s.shown + ")"
		}
		if len(names) > 40 {
			names += "\n  " + strings.Repeat(" ", 40)
		}
		fmt.Fprintf(w, "  %-40s %s\n", names, text)
	}
}
