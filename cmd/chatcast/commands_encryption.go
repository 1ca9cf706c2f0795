package main

import (
	"context"
	"fmt"
	"strings"

	"chatcast/cmd/chatcast/app"
	"chatcast/models/seal"
)

// encryptionCommands are the commands for the keys that encrypt the database's secrets.
// Those that rewrite secrets need the server stopped.
func encryptionCommands() []command {
	return []command{
		{name: "encryption key", args: "", summary: "print a new key for encryption.keys or the file of encryption.key_file", run: newEncryptionKey},
		{name: "encryption status", args: "", summary: "print which keys the secrets of the database are encrypted with", run: encryptionStatus},
		{name: "encryption rotate", args: "[--config FILE]", summary: "encrypt all secrets of the database with the first key; the server must be stopped", run: reencrypt(false)},
		{name: "encryption remove", args: "[--config FILE]", summary: "decrypt all secrets of the database; the server must be stopped", run: reencrypt(true)},
	}
}

func newEncryptionKey(_ context.Context, in invocation) error {
	_, err := fmt.Fprintln(in.stdout, seal.New())
	return err
}

func encryptionStatus(ctx context.Context, in invocation) error {
	used, err := app.EncryptionKeys(ctx, in.cfg)
	if err != nil {
		return err
	}
	set, err := in.cfg.Encryption.Load()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(in.stdout, "in use  %s\nset     %s\n", ids(used), ids(set.IDs()))
	return err
}

func ids(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, " ")
}

func reencrypt(decrypt bool) func(ctx context.Context, in invocation) error {
	return func(ctx context.Context, in invocation) error {
		err := app.Reencrypt(ctx, in.cfg, decrypt, func(table string, rows int) {
			fmt.Fprintf(in.stdout, "%s: %d\n", table, rows)
		})
		if err != nil {
			return err
		}
		if decrypt {
			_, err = fmt.Fprintln(in.stdout, "the secrets are decrypted: unset the keys before the server starts")
			return err
		}
		keys, err := in.cfg.Encryption.Load()
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(in.stdout, "the secrets are encrypted with the key %s; other keys are no longer needed, except for backups\n", keys.IDs()[0])
		return err
	}
}
