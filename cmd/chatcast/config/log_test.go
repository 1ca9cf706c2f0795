package config

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

func TestLogLevelsAndSecrets(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		var out bytes.Buffer
		log := NewLog(&out, LogConfig{Level: "trace", Format: format})
		log.Log(t.Context(), levelTrace, "frame", "token", "hunter2", slog.Group("header", "Authorization", "hunter2"), "secret", "hunter2")
		if s := out.String(); strings.Contains(s, "hunter2") || !strings.Contains(s, "TRACE") || strings.Count(s, Masked) != 3 {
			t.Errorf("%s: %s", format, s)
		}
		out.Reset()
		NewLog(&out, LogConfig{Level: "warn", Format: format}).Info("quiet")
		if out.Len() > 0 {
			t.Errorf("%s: info is logged at warn: %s", format, &out)
		}
	}
}
