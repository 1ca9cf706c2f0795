package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"chatcast/cmd/chatcast/app"
	"chatcast/crm"
)

// keyCommands are the commands that make and revoke keys for programs. A server that runs
// on the database closes the sockets of a revoked key within seconds.
func keyCommands() []command {
	return []command{
		{name: "key create", args: "--company ID [--license ID --messenger TYPE] [--rights LIST] [--name N]", summary: "print a new key for a program, once", run: createKey,
			flags: func(fs *flag.FlagSet, in *invocation) {
				companyFlag(fs, in)
				fs.Int64Var(&in.key.LicenseID, "license", 0, "the licence, for a key of one line")
				fs.StringVar(&in.key.Messenger, "messenger", "", "the messenger of the licence")
				fs.StringVar(&in.rights, "rights", crm.KeyRead+","+crm.KeySend, "what it may do: "+strings.Join(crm.KeyRights(), ", "))
				fs.StringVar(&in.key.Name, "name", "key of the command line", "what people call it")
			}},
		{name: "key list", args: "[--company ID]", summary: "list the keys", run: listKeys, flags: companyFlag},
		{name: "key revoke", args: "ID", operand: "ID", summary: "end a key, and the sockets of the program that uses it", run: revokeKey},
	}
}

func companyFlag(fs *flag.FlagSet, in *invocation) {
	fs.Int64Var(&in.key.CompanyID, "company", 0, "the company's id")
}

// createKey prints the key and nothing else, so that a script can read it.
func createKey(ctx context.Context, in invocation) error {
	if in.key.CompanyID == 0 || (in.key.LicenseID == 0) != (in.key.Messenger == "") {
		return errUsage{errors.New("usage: chatcast key create --company ID [--license ID --messenger TYPE] [--rights LIST] [--name N]")}
	}
	for right := range strings.SplitSeq(in.rights, ",") {
		in.key.Rights = append(in.key.Rights, strings.TrimSpace(right))
	}
	return app.WithRules(ctx, in.cfg, func(rules *crm.Service) error {
		made, err := rules.HostKeys().Create(ctx, in.key)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(in.stdout, made.Key)
		return err
	})
}

func listKeys(ctx context.Context, in invocation) error {
	return app.WithRules(ctx, in.cfg, func(rules *crm.Service) error {
		list, err := rules.HostKeys().List(ctx, in.key.CompanyID)
		if err != nil {
			return err
		}
		return printKeys(in.stdout, list)
	})
}

func printKeys(w io.Writer, list []crm.KeyData) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ID\tCOMPANY\tLINE\tRIGHTS\tCREATED\tLAST USED\tNAME")
	for _, k := range list {
		line, used := "all", "-"
		if k.LicenseID != 0 {
			line = fmt.Sprintf("%d/%s", k.LicenseID, k.Messenger)
		}
		if k.LastUsedAt != nil {
			used = time.Unix(*k.LastUsedAt, 0).UTC().Format(time.RFC3339)
		}
		fmt.Fprintf(t, "%d\t%d\t%s\t%s\t%s\t%s\t%q\n", k.ID, k.CompanyID, line, strings.Join(k.Rights, ","), time.Unix(k.CreatedAt, 0).UTC().Format(time.DateOnly), used, k.Name)
	}
	return t.Flush()
}

func revokeKey(ctx context.Context, in invocation) error {
	id, err := strconv.ParseInt(in.args[0], 10, 64)
	if err != nil {
		return errUsage{errors.New("usage: chatcast key revoke ID")}
	}
	return app.WithRules(ctx, in.cfg, func(rules *crm.Service) error {
		if err := rules.HostKeys().Revoke(ctx, id); err != nil {
			return err
		}
		_, err := fmt.Fprintf(in.stdout, "key %d is revoked, and its sockets end within seconds\n", id)
		return err
	})
}
