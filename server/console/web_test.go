package console_test

import (
	"path/filepath"
	"testing"
)

// TestPageModules runs the page's own tests: of its texts about events, and of how it
// lists them. Its appearance is tested in a browser, with the whole program.
func TestPageModules(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("web/test/*.test.mjs")
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests in web/test: %v", err)
	}
	args := []string{"--test"}
	for _, f := range files {
		args = append(args, filepath.Join("test", filepath.Base(f)))
	}
	run(t, "web", "node", args...)
}
