// Package dialects tests that clients of every dialect see the same messages: the same ids in
// the same order, also when the program is killed meanwhile. The program is the whole one in
// a process of its own: this test binary, so that the race detector watches it too.
package dialects

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"chatcast/cmd/chatcast/app"
	"chatcast/cmd/chatcast/config"
	"chatcast/cmd/chatcast/e2e"
)

// asProgram is set in the environment of a process that is to be the program.
const asProgram = "TEST_OF_DIALECTS_IS_THE_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) == "" {
		e2e.Main(m)
		return
	}
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serve does what the command of this name does, with the settings of the environment, until
// it is told to stop or killed. Its input ends when its parent dies without doing either.
func serve() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	cfg, err := config.Load("", os.Environ(), nil)
	if err != nil {
		return err
	}
	p, err := app.New(ctx, cfg, app.Options{
		Log: config.NewLog(os.Stderr, cfg.Log), Version: e2e.Version, Commit: e2e.Commit, PasswordCost: bcrypt.MinCost,
	})
	if err != nil {
		return err
	}
	fmt.Printf("chatcast is up: %s\n", p.URL())
	return errors.Join(p.Run(ctx), p.Close())
}
