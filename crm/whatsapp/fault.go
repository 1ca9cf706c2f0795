package whatsapp

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"go.mau.fi/whatsmeow"

	"chatcast/crm"
)

// panicError is the error of an item whose preparation or sending panicked.
type panicError struct{ reason any }

func (e *panicError) Error() string { return fmt.Sprintf("whatsapp: panic: %v", e.reason) }

// attempt is deliver, with a panic as an error: the item would come back with every start
// of the program, and no other line would be served any more.
func (s *session) attempt(ctx context.Context, cli *whatsmeow.Client, item *crm.OutboxItem) (when time.Time, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("sending an item panicked", "item", item.ID, "kind", item.Kind, "panic", p, "stack", string(debug.Stack()))
			err = &panicError{p}
		}
	}()
	return s.deliver(ctx, cli, item)
}

// afterPanic is how long work of a line rests after a panic.
const afterPanic = 15 * time.Second

// keepDoing does work until it returns, and begins it again after a panic, until ctx ends.
func keepDoing(ctx context.Context, log *slog.Logger, doing string, work func(context.Context)) {
	for !unlessPanics(log, doing, func() { work(ctx) }) {
		if wait(ctx, afterPanic) != nil {
			return
		}
	}
}

// unlessPanics calls f, and reports whether f returned. A panic is logged: other lines go on.
func unlessPanics(log *slog.Logger, doing string, f func()) (returned bool) {
	defer func() {
		if p := recover(); p != nil {
			log.Error(doing+" panicked", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	f()
	return true
}
