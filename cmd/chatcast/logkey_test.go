package main

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// errorName matches the names of errors in our code.
var errorName = regexp.MustCompile(`^(err|[a-z]\w*Err|Err|Error)$`)

// TestErrorsAreLoggedAsError checks that errors are logged under the key "error", so that
// one search finds them all.
func TestErrorsAreLoggedAsError(t *testing.T) {
	found := 0
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "node_modules" || strings.HasPrefix(entry.Name(), ".") && path != "../.."):
			return fs.SkipDir
		case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		files := gotoken.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		good, bad := loggedErrors(file)
		found += good
		for _, pos := range bad {
			t.Errorf("%s: an error is logged under another key than error", files.Position(pos))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found < 50 {
		t.Errorf("only %d errors in log lines were found", found)
	}
}

// The check finds each way to pass an error to a log.
func TestOtherLogKeysAreSeen(t *testing.T) {
	for line, want := range map[string]int{
		`log.Warn("failed", "err", err)`:                                    1,
		`s.log.Info("failed", "id", 5, "why", readErr)`:                     1,
		`o.Log.ErrorContext(ctx, "failed", "reason", e.Err)`:                1,
		`log.Warn("failed", "text", err.Error())`:                           1,
		`log.Warn("failed", append(s.names(), "cause", err)...)`:            1,
		`log.With("err", err).Warn("failed")`:                               1,
		`log.Warn("failed", slog.Any("err", err))`:                          1,
		`log.Warn("failed", "error", err, "attempts", 3)`:                   0,
		`log.Error("a handler panicked", "panic", p, "error", err.Error())`: 0,
	} {
		file, err := parser.ParseFile(gotoken.NewFileSet(), "", "package p\nfunc f() { "+line+" }", parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if _, bad := loggedErrors(file); len(bad) != want {
			t.Errorf("%s: %d errors under another key, want %d", line, len(bad), want)
		}
	}
}

// loggedErrors counts the errors that a file logs under "error", and returns where it
// logs one under another key.
func loggedErrors(file *ast.File) (good int, bad []gotoken.Pos) {
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || !logs(call) {
			return true
		}
		ast.Inspect(call, func(n ast.Node) bool {
			inner, ok := n.(*ast.CallExpr)
			for i := 1; ok && i < len(inner.Args); i++ {
				key, isText := inner.Args[i-1].(*ast.BasicLit)
				switch {
				case !isText || !isError(inner.Args[i]):
				case key.Value == `"error"`:
					good++
				default:
					bad = append(bad, key.Pos())
				}
			}
			return true
		})
		return false
	})
	return good, bad
}

// logs reports whether call is a call of a logger, which our code names log or Log.
func logs(call *ast.CallExpr) bool {
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	switch on := method.X.(type) {
	case *ast.Ident:
		return strings.EqualFold(on.Name, "log")
	case *ast.SelectorExpr:
		return strings.EqualFold(on.Sel.Name, "log")
	case *ast.CallExpr:
		return logs(on)
	}
	return false
}

func isError(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return errorName.MatchString(e.Name)
	case *ast.SelectorExpr:
		return errorName.MatchString(e.Sel.Name)
	case *ast.CallExpr: // err.Error()
		on, ok := e.Fun.(*ast.SelectorExpr)
		return ok && on.Sel.Name == "Error" && isError(on.X)
	}
	return false
}
