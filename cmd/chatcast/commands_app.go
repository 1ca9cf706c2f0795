package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"chatcast/cmd/chatcast/app"
	"chatcast/crm"
)

// appCommands are the commands that change the apps of the database. A server that
// runs on it follows within seconds.
func appCommands() []command {
	return []command{
		{name: "app create", args: "[--name N] [--id I] [--key K]", summary: "make a Pusher app and print its id, key and secret", run: createApp,
			flags: func(fs *flag.FlagSet, in *invocation) {
				fs.Func("name", "what people call it", func(v string) error { in.newApp.Name = crm.Value(v); return nil })
				fs.Func("id", "its id, generated when absent", func(v string) error { in.newApp.ID = crm.Value(v); return nil })
				fs.Func("key", "its key, generated when absent", func(v string) error { in.newApp.Key = crm.Value(v); return nil })
			}},
		{name: "app list", args: "", summary: "list the apps, those of the configuration too", run: listApps},
		{name: "app rotate", args: "ID [--keep-old 24h]", operand: "ID", summary: "give an app a new secret and print it; the old one is honoured too for a while", run: rotateApp,
			flags: func(fs *flag.FlagSet, in *invocation) {
				fs.DurationVar(&in.keepOld, "keep-old", crm.DefaultKeepOld, "for how long the old secret is honoured; 0: not at all")
			}},
		{name: "app disable", args: "ID", operand: "ID", summary: "close an app's sockets and refuse new ones", run: switchApp(false)},
		{name: "app enable", args: "ID", operand: "ID", summary: "let a disabled app work again", run: switchApp(true)},
		{name: "app webhooks", args: "ID [--resume WEBHOOK]", operand: "ID", summary: "list an app's webhooks and how they get on, or go on with a suspended one", run: appWebhooks,
			flags: func(fs *flag.FlagSet, in *invocation) {
				fs.Func("resume", "the id of a webhook to go on with", func(v string) error { in.webhook = &v; return nil })
			}},
		{name: "app delete", args: "ID", operand: "ID", summary: "delete an app for good", run: deleteApp},
	}
}

func createApp(ctx context.Context, in invocation) error {
	return app.WithRules(ctx, in.cfg, func(rules *crm.Service) error {
		app, err := rules.HostApps().Create(ctx, in.newApp)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(in.stdout, "id      %s\nkey     %s\nsecret  %s\n", app.ID, app.Key, app.Secret)
		return err
	})
}

func listApps(ctx context.Context, in invocation) error {
	return app.WithRules(ctx, in.cfg, func(rules *crm.Service) error {
		list, err := rules.HostApps().List(ctx)
		if err != nil {
			return err
		}
		return printApps(in.stdout, list)
	})
}

func printApps(w io.Writer, list []crm.AppData) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ID\tKEY\tENABLED\tFROM\tOLD SECRET UNTIL\tNAME")
	for _, a := range list {
		enabled, until := "yes", "-"
		if !a.Enabled {
			enabled = "no"
		}
		if a.OldSecretUntil != nil {
			until = time.Unix(*a.OldSecretUntil, 0).UTC().Format(time.RFC3339)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%q\n", a.ID, a.Key, enabled, a.Source, until, a.Name)
	}
	return t.Flush()
}

// rotateApp prints the new secret and nothing else, so that a script can read it.
func rotateApp(ctx context.Context, in invocation) error {
	if in.keepOld < 0 || in.keepOld > crm.MaxKeepOld || in.keepOld%time.Second != 0 {
		return errUsage{errors.New("chatcast app rotate: --keep-old must be whole seconds from 0s to 720h")}
	}
	return app.WithRules(ctx, in.cfg, func(rules *crm.Service) error {
		app, err := rules.HostApps().Rotate(ctx, in.args[0], crm.RotateInput{KeepOld: crm.Value(int64(in.keepOld / time.Second))})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(in.stdout, app.Secret)
		return err
	})
}

func switchApp(on bool) func(ctx context.Context, in invocation) error {
	return func(ctx context.Context, in invocation) error {
		return app.WithRules(ctx, in.cfg, func(rules *crm.Service) error {
			app, err := rules.HostApps().Edit(ctx, in.args[0], crm.AppInput{Enabled: crm.Value(on)})
			if err != nil {
				return err
			}
			word := "disabled"
			if on {
				word = "enabled"
			}
			_, err = fmt.Fprintf(in.stdout, "the app %s is %s\n", app.ID, word)
			return err
		})
	}
}

// appWebhooks lists the webhooks of an app, after it has resumed one.
func appWebhooks(ctx context.Context, in invocation) error {
	return app.WithRules(ctx, in.cfg, func(rules *crm.Service) error {
		if in.webhook != nil {
			if _, err := rules.HostApps().ResumeWebhook(ctx, in.args[0], *in.webhook); err != nil {
				return err
			}
		}
		list, err := rules.HostApps().Webhooks(ctx, in.args[0])
		if err != nil {
			return err
		}
		return printWebhooks(in.stdout, list)
	})
}

func printWebhooks(w io.Writer, list []crm.AppWebhookData) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ID\tSTATE\tSINCE\tFAILURES\tWAITING\tLAST ANSWER\tURL")
	for _, hook := range list {
		since, last := "-", "-"
		if hook.Since != nil {
			since = time.Unix(*hook.Since, 0).UTC().Format(time.RFC3339)
		}
		if hook.Last != nil {
			last = cmp.Or(hook.Last.Error, "delivered")
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%d\t%s\t%q\n", hook.ID, hook.State, since, hook.Failures, hook.Waiting, last, hook.URL)
	}
	return t.Flush()
}

func deleteApp(ctx context.Context, in invocation) error {
	return app.WithRules(ctx, in.cfg, func(rules *crm.Service) error {
		if err := rules.HostApps().Delete(ctx, in.args[0]); err != nil {
			return err
		}
		_, err := fmt.Fprintf(in.stdout, "the app %s is deleted\n", in.args[0])
		return err
	})
}
