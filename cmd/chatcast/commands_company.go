package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"

	"chatcast/cmd/chatcast/app"
	"chatcast/crm"
)

// companyCommands are the commands for who runs the server. They make no account and
// take no password: people accept invitations.
func companyCommands() []command {
	return []command{
		{name: "company create", args: "--name N --email OWNER", summary: "make a company and print the invitation of its owner", run: createCompany,
			flags: func(fs *flag.FlagSet, in *invocation) {
				fs.StringVar(&in.company.Name, "name", "", "the company's name")
				fs.StringVar(&in.company.OwnerEmail, "email", "", "the e-mail of the person who becomes its owner")
			}},
		{name: "company invite", args: "ID --email OWNER", operand: "ID", summary: "print a new invitation of an owner", run: inviteOwner,
			flags: func(fs *flag.FlagSet, in *invocation) {
				fs.StringVar(&in.company.OwnerEmail, "email", "", "the e-mail of the person who becomes an owner")
			}},
		{name: "company list", args: "", summary: "list the companies", run: listCompanies},
	}
}

func createCompany(ctx context.Context, in invocation) error {
	if in.company.Name == "" || in.company.OwnerEmail == "" {
		return errUsage{errors.New("usage: chatcast company create --name N --email OWNER")}
	}
	return app.WithRules(ctx, in.cfg, func(rules *crm.Service) error {
		made, err := rules.HostCompanies().Create(ctx, in.company)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(in.stdout, "id       %d\n", made.ID); err != nil {
			return err
		}
		return printInvitation(in.stdout, made.Invitation)
	})
}

func inviteOwner(ctx context.Context, in invocation) error {
	id, err := strconv.ParseInt(in.args[0], 10, 64)
	if err != nil || in.company.OwnerEmail == "" {
		return errUsage{errors.New("usage: chatcast company invite ID --email OWNER")}
	}
	return app.WithRules(ctx, in.cfg, func(rules *crm.Service) error {
		link, err := rules.HostCompanies().InviteOwner(ctx, id, in.company.OwnerEmail)
		if err != nil {
			return err
		}
		return printInvitation(in.stdout, link)
	})
}

// printInvitation prints what the person needs in order to accept. It is shown once.
func printInvitation(w io.Writer, link crm.InvitationLink) error {
	_, err := fmt.Fprintf(w, "code     %s\nlink     %s\nexpires  %s\n", link.Code, link.Link, time.Unix(link.Expires, 0).UTC().Format(time.RFC3339))
	return err
}

func listCompanies(ctx context.Context, in invocation) error {
	return app.WithRules(ctx, in.cfg, func(rules *crm.Service) error {
		list, err := rules.HostCompanies().List(ctx)
		if err != nil {
			return err
		}
		t := tabwriter.NewWriter(in.stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "ID\tEMPLOYEES\tOWNERS\tINVITED\tCREATED\tNAME")
		for _, c := range list {
			fmt.Fprintf(t, "%d\t%d\t%d\t%d\t%s\t%q\n", c.ID, c.Employees, c.Owners, c.Invited, time.Unix(c.CreatedAt, 0).UTC().Format(time.DateOnly), c.Name)
		}
		return t.Flush()
	})
}
