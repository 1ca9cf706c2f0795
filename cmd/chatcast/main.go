// Command chatcast is the server: WhatsApp conversations and CRM actions, live
// on the wire in the Pusher protocol.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"chatcast/cmd/chatcast/app"
	"chatcast/cmd/chatcast/config"
	"chatcast/crm"
)

// Set by make build. A build without it still knows its commit.
var (
	version = "0.1.0"
	commit  = ""
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // the command ran and failed
	exitUsage  = 2 // the command did not run: it or the configuration is wrong
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}

// command is one of chatcast's commands. flags adds flags of its own, if not nil. run
// gets the configuration and the arguments.
type command struct {
	name, args, summary string
	operand             string // the argument required besides flags; empty: none is allowed
	run                 func(ctx context.Context, in invocation) error
	flags               func(fs *flag.FlagSet, in *invocation)
}

// invocation holds the configuration, arguments and outputs of a call of a command.
type invocation struct {
	cfg            config.Config
	load           func() (config.Config, error) // reads the configuration again
	args           []string
	stdin          io.Reader
	stdout, stderr io.Writer

	// flags of single commands
	email, app string
	newApp     crm.AppInput
	keepOld    time.Duration
	webhook    *string
	company    crm.CompanyInput
	key        crm.KeyInput
	rights     string
	fromStdin  bool
	ready      bool
}

func commands() []command {
	return slices.Concat([]command{
		{name: "serve", args: "[--config FILE]", summary: "run the server", run: serve},
		{name: "config", args: "[--config FILE]", summary: "print the effective configuration, secrets masked", run: printConfig},
		{name: "config check", args: "FILE", summary: "name every error of a configuration file", run: checkConfig},
		{name: "migrate", args: "[--config FILE]", summary: "bring the database to this version (serve does it too)", run: migrate},
		{name: "backup", args: "FILE [--config FILE]", operand: "FILE", summary: "copy the SQLite database to a new file, also while the server runs", run: backup},
		{name: "health", args: "[--ready] [--config FILE]", summary: "ask the server on this machine whether it runs; exit 0 or 1", run: health,
			flags: func(fs *flag.FlagSet, in *invocation) {
				fs.BoolVar(&in.ready, "ready", false, "whether its database and relay work too")
			}},
		{name: "token", args: "--email E [--config FILE]", summary: "print an access token for a user", run: token,
			flags: func(fs *flag.FlagSet, in *invocation) { fs.StringVar(&in.email, "email", "", "the user's e-mail") }},
		{name: "secret", args: "[--app ID] [--config FILE]", summary: "print an app's secret, for backends that publish", run: secret,
			flags: func(fs *flag.FlagSet, in *invocation) { fs.StringVar(&in.app, "app", "", "the app's id") }},
		{name: "version", args: "", summary: "print version, commit and Go version", run: printVersion},
	}, appCommands(), companyCommands(), userCommands(), keyCommands(), encryptionCommands(), licenceCommands())
}

// errHelp holds the text that --help prints.
type errHelp struct{ error }

// errUsage reports a wrong command line.
type errUsage struct{ error }

// run runs one command line and returns the exit code.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		usage(stderr)
		return exitUsage
	}
	switch args[0] {
	case "help", "-h", "--help":
		if len(args) == 1 || args[1] == "help" {
			usage(stdout)
			return exitOK
		}
		args = append(slices.Clone(args[1:]), "--help")
	}
	cmd, rest := find(args)
	if cmd == nil {
		return group(args, stdout, stderr)
	}
	in := invocation{stdin: os.Stdin, stdout: stdout, stderr: stderr}
	err := parse(cmd, &in, rest, environ)
	if err == nil {
		err = cmd.run(ctx, in)
	}
	var help errHelp
	if errors.As(err, &help) {
		fmt.Fprintln(stdout, help.Error())
		return exitOK
	}
	return report(stderr, err)
}

// find returns the command with the longest name that args begin with, and the rest.
func find(args []string) (cmd *command, rest []string) {
	for _, c := range commands() {
		words := strings.Fields(c.name)
		if len(args) >= len(words) && strings.Join(args[:len(words)], " ") == c.name && (cmd == nil || len(c.name) > len(cmd.name)) {
			cmd, rest = &c, args[len(words):]
		}
	}
	return cmd, rest
}

// parse parses the flags of cmd and loads the configuration that they name.
func parse(cmd *command, in *invocation, args, environ []string) error {
	fs := flag.NewFlagSet("chatcast "+cmd.name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	path := ""
	for _, line := range environ {
		if v, ok := strings.CutPrefix(line, config.EnvPrefix+"CONFIG="); ok {
			path = v
		}
	}
	fs.StringVar(&path, "config", path, "the configuration file")
	if cmd.flags != nil {
		cmd.flags(fs, in)
	}
	settings := map[string]string{}
	defaults := config.Default()
	for _, key := range config.Keys(&defaults) {
		fs.Func(key, "the setting of this name", func(v string) error { settings[key] = v; return nil })
	}
	err := parseBetween(fs, args, in)
	if errors.Is(err, flag.ErrHelp) {
		return errHelp{errors.New(cmd.help())}
	}
	if err != nil {
		return errUsage{fmt.Errorf("chatcast %s: %s", cmd.name, flagError(err))}
	}
	if cmd.name == "config check" {
		if len(in.args) != 1 {
			return errUsage{errors.New("usage: chatcast config check FILE")}
		}
		path, environ = in.args[0], nil // the shell's settings could hide the file's errors
	} else if err := cmd.checkOperand(in.args); err != nil {
		return err
	}
	if !cmd.configured() {
		return nil
	}
	in.load = func() (config.Config, error) { return config.Load(path, environ, settings) }
	in.cfg, err = in.load()
	if path != "" && !regular(path) {
		in.load = func() (config.Config, error) {
			return config.Config{}, fmt.Errorf("%s is no file that could be read twice", path)
		}
	}
	return err
}

// regular reports whether path is a file, rather than standard input or a pipe.
func regular(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// parseBetween parses flags before, between and after other arguments.
func parseBetween(fs *flag.FlagSet, args []string, in *invocation) error {
	for {
		if err := fs.Parse(args); err != nil {
			return err
		}
		if fs.NArg() == 0 {
			return nil
		}
		in.args, args = append(in.args, fs.Arg(0)), fs.Args()[1:]
	}
}

// checkOperand checks the arguments besides flags.
func (c *command) checkOperand(args []string) error {
	switch {
	case c.operand != "" && len(args) == 0:
		return errUsage{fmt.Errorf("usage: chatcast %s %s", c.name, c.args)}
	case c.operand != "" && len(args) > 1:
		return errUsage{fmt.Errorf("chatcast %s: unexpected argument %q", c.name, args[1])}
	case c.operand == "" && len(args) > 0:
		return errUsage{fmt.Errorf("chatcast %s: unexpected argument %q", c.name, args[0])}
	}
	return nil
}

// report prints err and returns the exit code for it.
func report(stderr io.Writer, err error) int {
	var wrong config.ConfigError
	var misused errUsage
	var violation *crm.Error
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &misused):
		fmt.Fprintln(stderr, misused.Error())
		return exitUsage
	case errors.As(err, &wrong), errors.Is(err, app.ErrNoDatabase), errors.Is(err, os.ErrNotExist) && strings.Contains(err.Error(), "configuration file"):
		fmt.Fprintln(stderr, "chatcast:", err)
		return exitUsage
	case errors.As(err, &violation):
		fmt.Fprintln(stderr, "chatcast:", violation.Message)
		return exitFailed
	}
	fmt.Fprintln(stderr, "chatcast:", err)
	return exitFailed
}

func printConfig(_ context.Context, in invocation) error {
	text, err := in.cfg.YAML()
	if err != nil {
		return err
	}
	_, err = io.WriteString(in.stdout, text)
	return err
}

func checkConfig(_ context.Context, in invocation) error {
	fmt.Fprintf(in.stdout, "%s: no errors\n", in.args[0])
	for _, note := range config.Notes(&in.cfg) {
		fmt.Fprintln(in.stdout, "note:", note)
	}
	return nil
}

func printVersion(_ context.Context, in invocation) error {
	_, err := fmt.Fprintf(in.stdout, "chatcast %s (%s) %s %s/%s\n", version, commitID(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// commitID returns the commit that the program was built from, as far as known.
func commitID() string {
	if commit != "" {
		return commit
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				return s.Value
			}
		}
	}
	return "unknown commit"
}
