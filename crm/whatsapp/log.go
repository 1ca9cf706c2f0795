package whatsapp

import (
	"context"
	"fmt"
	"log/slog"

	"go.mau.fi/libsignal/logger"
	waLog "go.mau.fi/whatsmeow/util/log"
)

// library is whatsmeow's log in ours. What it says for developers, whole stanzas
// with keys in them, is not taken: messages and secrets do not belong in a log. What
// it warns of, often once for each message and with people's numbers, is for who
// looks for an error: what matters to us comes through the door as an event.
type library struct {
	log   *slog.Logger
	nodes func(xml string) // told what goes over the socket; nil: nobody asks
	held  *backlog         // nil: of no connection
}

var _ waLog.Logger = library{}

func (l library) Errorf(format string, args ...any) { l.say(slog.LevelInfo, format, args) }
func (l library) Warnf(format string, args ...any)  { l.say(slog.LevelDebug, format, args) }
func (l library) Infof(format string, args ...any)  { l.say(slog.LevelDebug, format, args) }

// Debugf implements waLog.Logger. Two parts of whatsmeow tell all nodes here, as
// text: Recv before they are put in line, Send before they are sent.
func (l library) Debugf(_ string, args ...any) {
	if l.nodes != nil && len(args) == 1 {
		if xml, ok := args[0].(string); ok {
			l.nodes(xml)
		}
	}
}

// Sub implements waLog.Logger.
func (l library) Sub(module string) waLog.Logger {
	sub := library{log: l.log.With("part", module)}
	switch {
	case l.held == nil:
	case module == "Recv":
		sub.nodes = l.held.came
	case module == "Send":
		sub.nodes = l.held.went
	}
	return sub
}

func (l library) say(level slog.Level, format string, args []any) {
	if l.log.Enabled(context.Background(), level) {
		l.log.Log(context.Background(), level, "whatsmeow: "+fmt.Sprintf(format, args...))
	}
}

// signal is the log of the library of Signal, which by itself writes to standard
// output what it also returns as an error, for each copy of a message: and when
// nobody reads there, it waits.
type signal struct{}

func (signal) Debug(string, string)   {}
func (signal) Info(string, string)    {}
func (signal) Warning(string, string) {}
func (signal) Error(string, string)   {}
func (signal) Configure(string)       {}

func init() {
	var l logger.Loggable = signal{}
	logger.Setup(&l)
}
