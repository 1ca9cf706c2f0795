package main

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Limits of the pages.
const (
	maxReadmeLines       = 150
	maxArchitectureBytes = 8192
)

// pageSet holds the project's pages, and the names that they may refer to.
type pageSet struct {
	pages   map[string]string // Markdown by its path from the root of the project
	exists  func(file string) bool
	tests   map[string]bool // names of test, fuzz and benchmark functions
	targets map[string]bool // of the Makefile
	rooms   []string        // rooms that ARCHITECTURE.md must name
}

var (
	fencePattern    = regexp.MustCompile("(?ms)^```.*?^```[ \t]*$")
	codePattern     = regexp.MustCompile("`[^`\n]+`")
	linkPattern     = regexp.MustCompile(`\[[^\]]*\]\(([^)\s]+)\)`)
	headingPattern  = regexp.MustCompile(`(?m)^#{1,6} +(.+?) *$`)
	notInAnchor     = regexp.MustCompile(`[^\p{L}\p{N}\-_ ]`)
	testNamePattern = regexp.MustCompile(`\b(?:Test|Fuzz|Benchmark)[A-Z0-9]\w*`)
	testFuncPattern = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)[A-Z0-9]\w*)\(`)
	pathPattern     = regexp.MustCompile(`^\.?[A-Za-z0-9_][\w.-]*(?:/[\w.-]+)*/?$`)
	extPattern      = regexp.MustCompile(`\.(?:go|md|mod|ts|yaml)$`)
	makePattern     = regexp.MustCompile(`\bmake ([a-z]+(?:-[a-z]+)*)`)
	targetPattern   = regexp.MustCompile(`(?m)^([a-z-]+):`)
	schemePattern   = regexp.MustCompile(`^[a-z]+:`)
)

// TestPages fails if a page is too long, or refers to something that does not exist.
func TestPages(t *testing.T) {
	set := projectPages(t)
	if len(set.pages) < 10 || len(set.tests) < 100 || len(set.rooms) < 10 {
		t.Fatalf("only %d pages, %d tests and %d rooms were found", len(set.pages), len(set.tests), len(set.rooms))
	}
	for _, problem := range set.problems() {
		t.Error(problem)
	}
}

// TestPagesSeesFaults checks that each kind of fault is found, and none in sound pages.
func TestPagesSeesFaults(t *testing.T) {
	sound := func() map[string]string {
		return map[string]string{
			"README.md":           "# A\n[b](docs/b.md#one-two) [web](https://example.com) [up](#a) `[no](link)` make test\n```\n[no](link)\n```\n",
			"ARCHITECTURE.md":     "# P\n`crm` `crm/doc.go` `GET /v1/x` `New`\n",
			"docs/b.md":           "# B\n## One, `two`!\n![picture](c.png) [back](../README.md)\n",
			"docs/conformance.md": "# C\n`TestHouse` and [b](b.md)\n",
		}
	}
	links := "[c](docs/conformance.md) [p](ARCHITECTURE.md)\n"
	for name, c := range map[string]struct{ page, text, want string }{
		"nothing":                  {"", "", ""},
		"a long README":            {"README.md", links + strings.Repeat("line\n", maxReadmeLines), "README.md has 156 lines, at most 150 are allowed"},
		"a long ARCHITECTURE":      {"ARCHITECTURE.md", strings.Repeat("x", maxArchitectureBytes), "ARCHITECTURE.md has 8233 bytes, at most 8192 are allowed"},
		"a broken link":            {"README.md", links + "[x](docs/none.md)", "README.md: docs/none.md is not there"},
		"a broken picture":         {"docs/b.md", "![x](none.png)", "docs/b.md: docs/none.png is not there"},
		"a broken anchor":          {"README.md", links + "[x](docs/b.md#three)", "README.md: docs/b.md has no heading for #three"},
		"a broken anchor, here":    {"docs/b.md", "[x](#three)", "docs/b.md: docs/b.md has no heading for #three"},
		"a heading that is code":   {"docs/b.md", "```\n## Three\n```\n[x](#three)", "docs/b.md: docs/b.md has no heading for #three"},
		"a link out of the clone":  {"docs/b.md", "[x](../../x.md)", "docs/b.md: ../x.md is not there"},
		"an unknown test":          {"docs/conformance.md", "`TestNone`", "docs/conformance.md: there is no TestNone"},
		"an unknown path":          {"ARCHITECTURE.md", "`crm/none.go`", "ARCHITECTURE.md: crm/none.go is not there"},
		"an unknown file":          {"ARCHITECTURE.md", "`none.go`", "ARCHITECTURE.md: none.go is not there"},
		"an unknown target":        {"README.md", links + "`make none`", "README.md: the Makefile has no none"},
		"a page that nobody finds": {"docs/d.md", "# D", "docs/d.md: no page links to it"},
	} {
		pages := sound()
		pages["README.md"] += links
		if c.page != "" {
			pages[c.page] = pages[c.page] + c.text
		}
		if c.page == "README.md" {
			pages[c.page] = strings.Replace(pages[c.page], links, "", 1)
		}
		set := pageSet{
			pages: pages, tests: map[string]bool{"TestHouse": true}, targets: map[string]bool{"test": true}, rooms: []string{"crm"},
			exists: func(file string) bool {
				_, page := pages[file]
				return page || slices.Contains([]string{"crm", "crm/doc.go", "docs/c.png"}, file)
			},
		}
		if got := strings.Join(set.problems(), "\n"); got != c.want {
			t.Errorf("%s: found\n%s\nwant\n%s", name, got, c.want)
		}
	}
	roomless := pageSet{pages: sound(), tests: map[string]bool{"TestHouse": true}, exists: func(string) bool { return true }, rooms: []string{"models"}}
	if got := strings.Join(roomless.problems(), "\n"); !strings.Contains(got, "ARCHITECTURE.md does not name the room models") {
		t.Errorf("a room that the plan does not name is not found: %s", got)
	}
}

// projectPages reads the pages and the names of the project.
func projectPages(t *testing.T) pageSet {
	t.Helper()
	root := os.DirFS("../..")
	set := pageSet{pages: map[string]string{}, tests: map[string]bool{}, targets: map[string]bool{}}
	read := func(file string) string {
		text, err := fs.ReadFile(root, file)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	err := fs.WalkDir(root, ".", func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git" || d.Name() == "data"):
			return fs.SkipDir
		case file == "README.md" || file == "ARCHITECTURE.md" || strings.HasPrefix(file, "docs/") && path.Ext(file) == ".md":
			set.pages[file] = read(file)
		case strings.HasSuffix(file, "_test.go"):
			for _, m := range testFuncPattern.FindAllStringSubmatch(read(file), -1) {
				set.tests[m[1]] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range targetPattern.FindAllStringSubmatch(read("Makefile"), -1) {
		set.targets[m[1]] = true
	}
	for room := range mayImport {
		if !strings.HasPrefix(room, "cmd/chatcast/e2e/") && room != "cmd/chatcast" {
			set.rooms = append(set.rooms, room)
		}
	}
	slices.Sort(set.rooms)
	set.exists = func(file string) bool {
		_, err := os.Stat(filepath.Join("../..", filepath.FromSlash(file)))
		return err == nil && !strings.HasPrefix(file, "..")
	}
	return set
}

// problems returns everything that is wrong, page by page.
func (s pageSet) problems() (found []string) {
	add := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	if n := strings.Count(s.pages["README.md"], "\n"); n > maxReadmeLines {
		add("README.md has %d lines, at most %d are allowed", n, maxReadmeLines)
	}
	plan := s.pages["ARCHITECTURE.md"]
	if len(plan) > maxArchitectureBytes {
		add("ARCHITECTURE.md has %d bytes, at most %d are allowed", len(plan), maxArchitectureBytes)
	}
	for _, room := range s.rooms {
		if !strings.Contains(plan, "`"+room+"`") {
			add("ARCHITECTURE.md does not name the room %s", room)
		}
	}
	linked := map[string]bool{"README.md": true, "ARCHITECTURE.md": true}
	for _, page := range sortedKeys(s.pages) {
		found = append(found, s.brokenLinks(page, linked)...)
		found = append(found, s.unknownNames(page)...)
	}
	for _, page := range sortedKeys(s.pages) {
		if !linked[page] {
			add("%s: no page links to it", page)
		}
	}
	return found
}

// brokenLinks returns the relative links and pictures of a page that lead nowhere. It adds
// the targets of the others to linked.
func (s pageSet) brokenLinks(page string, linked map[string]bool) (found []string) {
	prose := codePattern.ReplaceAllString(fencePattern.ReplaceAllString(s.pages[page], ""), "")
	for _, m := range linkPattern.FindAllStringSubmatch(prose, -1) {
		if schemePattern.MatchString(m[1]) {
			continue
		}
		file, anchor, _ := strings.Cut(m[1], "#")
		target := page
		if file != "" {
			target = path.Join(path.Dir(page), file)
		}
		if !s.exists(target) {
			found = append(found, fmt.Sprintf("%s: %s is not there", page, target))
			continue
		}
		if target != page {
			linked[target] = true
		}
		if anchor != "" && !slices.Contains(anchors(s.pages[target]), anchor) {
			found = append(found, fmt.Sprintf("%s: %s has no heading for #%s", page, target, anchor))
		}
	}
	return found
}

// unknownNames returns the tests, make targets and, in ARCHITECTURE.md, paths that a page
// names but that do not exist.
func (s pageSet) unknownNames(page string) (found []string) {
	text := s.pages[page]
	for _, name := range testNamePattern.FindAllString(text, -1) {
		if !s.tests[name] && name != "TestMain" {
			found = append(found, fmt.Sprintf("%s: there is no %s", page, name))
		}
	}
	for _, code := range append(fencePattern.FindAllString(text, -1), codePattern.FindAllString(text, -1)...) {
		for _, m := range makePattern.FindAllStringSubmatch(code, -1) {
			if !s.targets[m[1]] {
				found = append(found, fmt.Sprintf("%s: the Makefile has no %s", page, m[1]))
			}
		}
	}
	if page != "ARCHITECTURE.md" {
		return found
	}
	for _, code := range codePattern.FindAllString(fencePattern.ReplaceAllString(text, ""), -1) {
		name := strings.Trim(code, "`")
		if pathPattern.MatchString(name) && (strings.Contains(name, "/") || extPattern.MatchString(name)) && !s.exists(name) {
			found = append(found, fmt.Sprintf("%s: %s is not there", page, name))
		}
	}
	return found
}

// anchors returns the anchors that GitHub gives the headings of a page.
func anchors(page string) (list []string) {
	seen := map[string]int{}
	for _, m := range headingPattern.FindAllStringSubmatch(fencePattern.ReplaceAllString(page, ""), -1) {
		text := linkPattern.ReplaceAllStringFunc(m[1], func(link string) string { return link[1:strings.Index(link, "]")] })
		anchor := strings.ReplaceAll(notInAnchor.ReplaceAllString(strings.ToLower(text), ""), " ", "-")
		if n := seen[anchor]; n > 0 {
			list = append(list, fmt.Sprintf("%s-%d", anchor, n))
		} else {
			list = append(list, anchor)
		}
		seen[anchor]++
	}
	return list
}

func sortedKeys(m map[string]string) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
