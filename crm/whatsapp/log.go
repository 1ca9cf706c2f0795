package whatsapp

import (
	"context"
	"fmt"
	"log/slog"

	"go.mau.fi/libsignal/logger"
	waBinary "go.mau.fi/whatsmeow/binary"
	waLog "go.mau.fi/whatsmeow/util/log"
)

// library writes whatsmeow's log to ours. It drops the debug output, which contains
// whole stanzas with keys: messages and secrets do not belong in a log. Warnings, often
// one for each message and with people's numbers, are logged at debug level: whatever
// matters to us also arrives as an event.
type library struct {
	log   *slog.Logger
	nodes func(*waBinary.Node) // called with each node that goes over the socket; may be nil
	held  *backlog             // nil: the log belongs to no connection
}

var _ waLog.Logger = library{}

func (l library) Errorf(format string, args ...any) { l.say(slog.LevelInfo, format, args) }
func (l library) Warnf(format string, args ...any)  { l.say(slog.LevelDebug, format, args) }
func (l library) Infof(format string, args ...any)  { l.say(slog.LevelDebug, format, args) }

// Debugf implements waLog.Logger. Two modules of whatsmeow log every node: Recv before it
// queues the node, Send before it sends the node.
func (l library) Debugf(_ string, args ...any) {
	if l.nodes != nil && len(args) == 1 {
		if n, ok := args[0].(*waBinary.Node); ok {
			l.nodes(n)
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

// signal discards the log of the Signal library. By default the library writes each error
// to standard output as well as returning it, for each copy of a message, and blocks
// when nothing reads standard output.
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
