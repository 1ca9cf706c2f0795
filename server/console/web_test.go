package console_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
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

// takenForGranted matches a use of a ref's element, or of an event's, that does not ask
// whether it is still there.
var takenForGranted = regexp.MustCompile(`\.current(Target)?!|\.current as |\.current\)!`)

// TestElementsOfRefsAreChecked checks that no TypeScript of the project takes the element
// of a ref for granted. Browsers report scrolls and sizes with the next frame, and the
// view may be gone by then.
func TestElementsOfRefsAreChecked(t *testing.T) {
	t.Parallel()
	files := 0
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "node_modules" || strings.HasPrefix(entry.Name(), ".") && path != "../.."):
			return fs.SkipDir
		case !strings.HasSuffix(path, ".ts") && !strings.HasSuffix(path, ".tsx"):
			return nil
		}
		files++
		text, err := os.ReadFile(path)
		for i, line := range strings.Split(string(text), "\n") {
			if takenForGranted.MatchString(line) {
				t.Errorf("%s:%d: %s\n\tuse the event's currentTarget, or look whether the element is null", path, i+1, strings.TrimSpace(line))
			}
		}
		return err
	})
	if err != nil || files < 100 {
		t.Errorf("%d files of TypeScript were read: %v", files, err)
	}
}
