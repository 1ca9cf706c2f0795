package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// realSleeps are the tests that sleep in real time, and why.
var realSleeps = map[string]string{
	"crm/whatsapp/connection_test.go":         "the database is unavailable for that long",
	"crm/whatsapp/interrupted_ingest_test.go": "the database is unavailable for that long",
}

// TestNoSleepsInRealTime checks that tests sleep in a synctest bubble alone. In real time
// they wait for an event: a sleep is too short on a slow machine, and too long on others.
func TestNoSleepsInRealTime(t *testing.T) {
	seen := map[string]bool{}
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "node_modules" || strings.HasPrefix(entry.Name(), ".") && path != "../.."):
			return fs.SkipDir
		case !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil || !sleepsInRealTime(string(text)) {
			return err
		}
		name := strings.TrimPrefix(filepath.ToSlash(path), "../../")
		if seen[name] = true; realSleeps[name] == "" {
			t.Errorf("%s sleeps in real time: wait for an event, or use synctest", name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range realSleeps {
		if !seen[name] {
			t.Errorf("%s is listed and does not sleep", name)
		}
	}
}

// sleepsInRealTime reports whether a test file sleeps and knows no bubble, by itself or
// through a helper named after it.
func sleepsInRealTime(text string) bool {
	return strings.Contains(text, "time."+"Sleep(") && !strings.Contains(text, "testing/"+"synctest") && !strings.Contains(text, "in"+"Bubble(")
}

func TestSleepsAreSeen(t *testing.T) {
	for text, want := range map[string]bool{
		"for !done() { time." + "Sleep(ms) }":                                   true,
		"import \"testing/" + "synctest\"\ntime." + "Sleep(time.Minute)":        false,
		"in" + "Bubble(t, func(t *testing.T) { time." + "Sleep(time.Minute) })": false,
		"<-done": false,
	} {
		if got := sleepsInRealTime(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
