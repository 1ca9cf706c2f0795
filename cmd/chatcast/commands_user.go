package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"chatcast/cmd/chatcast/app"
	"chatcast/crm"
)

// userCommands are the commands that change the accounts of users. A server that runs on
// the database closes their sockets within seconds.
func userCommands() []command {
	return []command{
		{name: "user list", args: "", summary: "list the users", run: listUsers},
		{name: "user reset-password", args: "EMAIL [--stdin]", operand: "EMAIL", summary: "print a code for a new password, or read the password from stdin", run: resetPassword,
			flags: func(fs *flag.FlagSet, in *invocation) {
				fs.BoolVar(&in.fromStdin, "stdin", false, "set the first line of stdin as the password now")
			}},
		{name: "user remove-totp", args: "EMAIL", operand: "EMAIL", summary: "remove a user's second factor", run: removeTOTP},
		{name: "user disable", args: "EMAIL", operand: "EMAIL", summary: "sign a user out everywhere and let them no longer sign in", run: switchUser(false)},
		{name: "user enable", args: "EMAIL", operand: "EMAIL", summary: "let a disabled user sign in again", run: switchUser(true)},
	}
}

func listUsers(ctx context.Context, in invocation) error {
	return app.WithRules(ctx, in.cfg, func(rules *crm.Service) error {
		list, err := rules.HostUsers().List(ctx)
		if err != nil {
			return err
		}
		return printUsers(in.stdout, list)
	})
}

func printUsers(w io.Writer, list []crm.HostUser) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ID\tEMAIL\tENABLED\tTOTP\tLAST USED\tNAME\tCOMPANIES")
	yes := map[bool]string{true: "yes", false: "no"}
	for _, u := range list {
		used := "-"
		if u.LastUsed != 0 {
			used = time.Unix(u.LastUsed, 0).UTC().Format(time.RFC3339)
		}
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%q\t%q\n", u.ID, u.Email, yes[!u.Disabled], yes[u.TOTP], used, u.Name, u.Companies)
	}
	return t.Flush()
}

// resetPassword prints a code, or sets the password that stdin gives. It takes no
// password as an argument: other users of the machine can read those.
func resetPassword(ctx context.Context, in invocation) error {
	email := in.args[0]
	if !in.fromStdin {
		return app.WithRules(ctx, in.cfg, func(rules *crm.Service) error {
			code, expires, err := rules.HostUsers().ResetCode(ctx, email)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(in.stdout, "code     %s\nlink     %s/#/reset/%s\nexpires  %s\n",
				code, in.cfg.Server.URL(), code, expires.UTC().Format(time.RFC3339))
			return err
		})
	}
	password, err := firstLine(in.stdin)
	if err != nil {
		return err
	}
	return app.WithRules(ctx, in.cfg, func(rules *crm.Service) error {
		if err := rules.HostUsers().SetPassword(ctx, email, password); err != nil {
			return err
		}
		_, err := fmt.Fprintf(in.stdout, "the password of %s is changed, and their sessions have ended\n", email)
		return err
	})
}

// firstLine reads a line without its end.
func firstLine(r io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(r, 4096)).ReadString('\n')
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		if err == nil || errors.Is(err, io.EOF) {
			err = errors.New("is empty")
		}
		return "", fmt.Errorf("the first line of stdin, the new password, %w", err)
	}
	return line, nil
}

func removeTOTP(ctx context.Context, in invocation) error {
	return app.WithRules(ctx, in.cfg, func(rules *crm.Service) error {
		if err := rules.HostUsers().RemoveTOTP(ctx, in.args[0]); err != nil {
			return err
		}
		_, err := fmt.Fprintf(in.stdout, "%s has no second factor, and their sessions have ended\n", in.args[0])
		return err
	})
}

func switchUser(on bool) func(ctx context.Context, in invocation) error {
	return func(ctx context.Context, in invocation) error {
		return app.WithRules(ctx, in.cfg, func(rules *crm.Service) error {
			if err := rules.HostUsers().SetEnabled(ctx, in.args[0], on); err != nil {
				return err
			}
			word := "disabled, and their sessions have ended"
			if on {
				word = "enabled"
			}
			if _, err := fmt.Fprintf(in.stdout, "%s is %s\n", in.args[0], word); err != nil {
				return err
			}
			companies, err := rules.HostUsers().Ownerless(ctx, in.args[0])
			for _, id := range companies {
				if _, err := fmt.Fprintf(in.stdout, "company %d has no owner now who may sign in; chatcast company invite %[1]d --email OWNER invites one\n", id); err != nil {
					return err
				}
			}
			return err
		})
	}
}
