package testdb

import (
	"context"
	"syscall"
	"testing"
)

// RestartPostgres ends the private server at once, as in a crash, calls meanwhile, and
// starts it again. No other test may use the server meanwhile.
func RestartPostgres(t testing.TB, meanwhile func()) {
	t.Helper()
	s := &server
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.process.Signal(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	<-s.exited
	meanwhile()
	attr, _, err := unprivileged()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if err := s.launch(ctx, attr); err != nil {
		t.Fatal(err)
	}
}
