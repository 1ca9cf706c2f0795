package whatsapp

import (
	"context"
	"fmt"
	"log/slog"

	waLog "go.mau.fi/whatsmeow/util/log"
)

// library is whatsmeow's log in ours. What it says for developers, whole stanzas
// with keys in them, is not taken: messages and secrets do not belong in a log.
type library struct{ log *slog.Logger }

var _ waLog.Logger = library{}

func (l library) Errorf(format string, args ...any) { l.say(slog.LevelWarn, format, args) }
func (l library) Warnf(format string, args ...any)  { l.say(slog.LevelInfo, format, args) }
func (l library) Infof(format string, args ...any)  { l.say(slog.LevelDebug, format, args) }
func (l library) Debugf(string, ...any)             {}

func (l library) Sub(module string) waLog.Logger { return library{l.log.With("part", module)} }

func (l library) say(level slog.Level, format string, args []any) {
	if l.log.Enabled(context.Background(), level) {
		l.log.Log(context.Background(), level, "whatsmeow: "+fmt.Sprintf(format, args...))
	}
}
