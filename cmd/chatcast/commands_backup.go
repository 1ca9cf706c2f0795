package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"chatcast/cmd/chatcast/app"
)

// backup copies the database, also while a server writes to it.
func backup(ctx context.Context, in invocation) error {
	path := in.args[0]
	err := app.Backup(ctx, in.cfg, path)
	if errors.Is(err, app.ErrNotSQLite) {
		return errUsage{fmt.Errorf("chatcast backup: %w", err)}
	}
	if err != nil {
		return err
	}
	if full, err := filepath.Abs(path); err == nil {
		path = full
	}
	_, err = fmt.Fprintln(in.stdout, "the database was copied to", path)
	return err
}

// health asks the server on this machine whether it runs.
func health(ctx context.Context, in invocation) error {
	if err := app.AskHealth(ctx, in.cfg, in.ready); err != nil {
		return err
	}
	_, err := fmt.Fprintln(in.stdout, "the server is up")
	return err
}
