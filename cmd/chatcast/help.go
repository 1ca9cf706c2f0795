package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

func usage(w io.Writer) {
	fmt.Fprint(w, "chatcast puts WhatsApp conversations and CRM actions live on the wire, in the Pusher protocol.\n\nusage: chatcast COMMAND, or chatcast help COMMAND\n\n")
	describe(w, commands())
	fmt.Fprint(w, "\nEvery setting of config.example.yaml is an environment variable (CHATCAST_SERVER_ADDRESS)\nand a flag (--server.address=127.0.0.1:6001) too.\n")
}

func describe(w io.Writer, list []command) {
	for _, c := range list {
		fmt.Fprintf(w, "  %-40s %s\n", c.name+" "+c.args, c.summary)
	}
}

// help returns what --help prints.
func (c *command) help() string {
	text := "usage: " + strings.TrimSpace("chatcast "+c.name+" "+c.args) + "\n  " + c.summary
	if c.configured() {
		text += "; every setting is a flag too, such as --server.address=ADDRESS"
	}
	return text
}

// configured reports whether the command reads the configuration.
func (c *command) configured() bool {
	return !slices.Contains([]string{"version", "licenses", "sbom"}, c.name)
}

// group answers a command line that begins with no command. Its first word may be that
// of several: chatcast help user names the commands of users.
func group(args []string, stdout, stderr io.Writer) int {
	var list []command
	for _, c := range commands() {
		if strings.HasPrefix(c.name, args[0]+" ") {
			list = append(list, c)
		}
	}
	switch {
	case len(list) == 0:
		fmt.Fprintf(stderr, "chatcast: unknown command %q; chatcast help lists all of them\n", args[0])
		return exitUsage
	case len(args) == 2 && slices.Contains([]string{"-h", "--help", "help"}, args[1]):
		groupUsage(stdout, args[0], list)
		return exitOK
	case len(args) == 1 || strings.HasPrefix(args[1], "-"):
		groupUsage(stderr, args[0], list)
		return exitUsage
	}
	fmt.Fprintf(stderr, "chatcast: unknown command %q\n", args[0]+" "+args[1])
	groupUsage(stderr, args[0], list)
	return exitUsage
}

func groupUsage(w io.Writer, word string, list []command) {
	fmt.Fprintf(w, "usage: chatcast %s COMMAND\n\n", word)
	describe(w, list)
}

// flagError returns what to say of an error of package flag.
func flagError(err error) string {
	if name, unknown := strings.CutPrefix(err.Error(), "flag provided but not defined: -"); unknown {
		return "unknown flag --" + name + "; besides its own flags a command has one for each key of config.example.yaml"
	}
	return err.Error()
}
