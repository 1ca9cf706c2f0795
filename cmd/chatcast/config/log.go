package config

import (
	"io"
	"log/slog"
	"strings"
)

// levelTrace is the level of frames: every one in and out, secrets redacted.
const levelTrace = slog.Level(-8)

var logLevels = map[string]slog.Level{
	"trace": levelTrace, "debug": slog.LevelDebug, "info": slog.LevelInfo,
	"warn": slog.LevelWarn, "error": slog.LevelError,
}

// secretAttrs are the attributes whose values are never logged.
var secretAttrs = map[string]bool{
	"secret": true, "password": true, "token": true, "access_token": true,
	"refresh_token": true, "authorization": true, "auth": true, "cookie": true,
}

// Level returns the level of this name.
func Level(name string) slog.Level { return logLevels[name] }

// NewLog returns a logger that writes to w as c configures.
func NewLog(w io.Writer, c LogConfig) *slog.Logger { return NewLogAt(w, c, Level(c.Level)) }

// NewLogAt is NewLog with another level, which may change.
func NewLogAt(w io.Writer, c LogConfig, level slog.Leveler) *slog.Logger {
	o := &slog.HandlerOptions{Level: level, ReplaceAttr: replaceAttr}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

func replaceAttr(groups []string, a slog.Attr) slog.Attr {
	switch {
	case len(groups) == 0 && a.Key == slog.LevelKey && a.Value.Any() == levelTrace:
		return slog.String(slog.LevelKey, "TRACE")
	case len(groups) == 0 && a.Key == slog.TimeKey:
		return slog.String(slog.TimeKey, a.Value.Time().Format("2006-01-02T15:04:05.000Z07:00"))
	case secretAttrs[strings.ToLower(a.Key)]:
		return slog.String(a.Key, Masked)
	}
	return a
}
