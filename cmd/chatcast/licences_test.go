package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/google/licensecheck"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/app"
	"chatcast/cmd/chatcast/e2e"
)

var update = flag.Bool("update", false, "write licenses.txt anew")

// platforms are those for which the program is built. A module may be linked into some
// of them alone.
var platforms = []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64"}

// licenceFile matches the names of files that have to travel with a module's code.
var licenceFile = regexp.MustCompile(`(?i)^(licen[cs]es?|copying|copyright|notice|patents|unlicense)([.\-_].*)?$`)

// linked is a module in the program, and those of its folders that are.
type linked struct {
	Path, Version, Dir string
	folders            []string
}

// linkedModules lists the modules in the program, on any of the platforms.
func linkedModules(t *testing.T) []*linked {
	t.Helper()
	found := map[string]*linked{}
	for _, platform := range platforms {
		system, machine, _ := strings.Cut(platform, "/")
		cmd := exec.Command("go", "list", "-deps", "-json=Dir,Module", "chatcast/cmd/chatcast")
		cmd.Env = append(os.Environ(), "GOOS="+system, "GOARCH="+machine, "CGO_ENABLED=0")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("go list for %s: %v", platform, err)
		}
		for dec := json.NewDecoder(bytes.NewReader(out)); ; {
			var p struct {
				Dir    string
				Module *struct {
					Path, Version, Dir string
					Main               bool
				}
			}
			if err := dec.Decode(&p); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			if p.Module == nil || p.Module.Main {
				continue // of the standard library, or ours
			}
			m := found[p.Module.Path]
			if m == nil {
				m = &linked{Path: p.Module.Path, Version: p.Module.Version, Dir: p.Module.Dir, folders: []string{p.Module.Dir}}
				found[m.Path] = m
			}
			if !slices.Contains(m.folders, p.Dir) {
				m.folders = append(m.folders, p.Dir)
			}
		}
	}
	var list []*linked
	for _, m := range found {
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b *linked) int { return strings.Compare(a.Path, b.Path) })
	return list
}

// texts returns the licence files of a module and the SPDX ids of its licences.
func (m *linked) texts(t *testing.T) (text string, ids []string) {
	t.Helper()
	slices.Sort(m.folders)
	for _, folder := range m.folders {
		entries, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if e.IsDir() || !licenceFile.MatchString(e.Name()) || filepath.Ext(e.Name()) == ".go" {
				continue
			}
			b, err := os.ReadFile(filepath.Join(folder, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			rel, err := filepath.Rel(m.Dir, filepath.Join(folder, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			if filepath.Dir(rel) != "." { // the module's own needs no name
				text += filepath.ToSlash(rel) + ":\n\n"
			}
			text += tidy(string(b)) + "\n"
			for _, match := range licensecheck.Scan(b).Match {
				if !slices.Contains(ids, match.ID) && !match.IsURL {
					ids = append(ids, match.ID)
				}
			}
		}
	}
	return text, ids
}

// tidy returns a text with line ends and their spaces as this project has them.
func tidy(text string) string {
	var out strings.Builder
	for line := range strings.Lines(strings.Trim(strings.ReplaceAll(text, "\r\n", "\n"), "\n") + "\n") {
		fmt.Fprintln(&out, strings.TrimRight(line, " \t\n"))
	}
	return out.String()
}

// generateLicences returns what licenses.txt has to hold.
func generateLicences(t *testing.T) string {
	t.Helper()
	read := func(path string) string {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return tidy(string(b))
	}
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	parts := []struct{ head, text string }{
		{"chatcast - (MIT)\n", read("../../LICENSE") + "\n" + read("../../NOTICE") + "\n"},
		{"std - (BSD-3-Clause)\n", read(filepath.Join(strings.TrimSpace(string(goroot)), "LICENSE")) + "\n"},
	}
	for _, m := range linkedModules(t) {
		text, ids := m.texts(t)
		if text == "" || len(ids) == 0 {
			t.Fatalf("the licence of %s is not found in %s: %q", m.Path, m.Dir, ids)
		}
		head := fmt.Sprintf("%s %s (%s)\n", m.Path, m.Version, strings.Join(ids, ", "))
		same := -1
		for i := range parts {
			if parts[i].text == text {
				same = i
			}
		}
		if same >= 0 {
			parts[same].head += head
			continue
		}
		parts = append(parts, struct{ head, text string }{head, text})
	}
	var out strings.Builder
	out.WriteString("What chatcast is made of, and its licences. std is Go's standard library.\n\n")
	for _, p := range parts {
		fmt.Fprint(&out, licenceRule, p.head, "\n", p.text)
	}
	return out.String()
}

// TestLicencesAreThoseOfTheProgram compares licenses.txt with the modules that are linked
// into the program on every platform; -update writes it.
func TestLicencesAreThoseOfTheProgram(t *testing.T) {
	want := generateLicences(t)
	if *update {
		if err := os.WriteFile("licenses.txt", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if licences != want {
		t.Errorf("licenses.txt has %d bytes, and must have %d others: run make licenses", len(licences), len(want))
	}
}

// TestProgramTellsItsParts checks that the built program prints the licence of everything
// in it, and an SBOM with exactly that.
func TestProgramTellsItsParts(t *testing.T) {
	testwait.LeaveOut(t, "it runs the built program")
	binary := e2e.BuildBinary(t)
	run := func(name string, args ...string) string {
		t.Helper()
		out, err := exec.Command(name, args...).Output()
		if err != nil {
			t.Fatalf("%s %v: %v", name, args, err)
		}
		return string(out)
	}
	modules := map[string]string{}
	for line := range strings.Lines(run("go", "version", "-m", binary)) {
		if f := strings.Fields(line); len(f) >= 3 && f[0] == "dep" {
			modules[f[1]] = f[2]
		}
	}
	if len(modules) < 20 {
		t.Fatalf("the program has only the modules %v", modules)
	}
	texts := run(binary, "licenses")
	for path, version := range modules {
		if !strings.Contains(texts, "\n"+path+" "+version+" (") {
			t.Errorf("there is no licence of %s %s", path, version)
		}
	}
	for _, part := range []string{"GNU GENERAL PUBLIC LICENSE", "Mozilla Public License", "Apache License", "Copyright (c) 2026 The chatcast authors", "Copyright 2009 The Go Authors"} {
		if !strings.Contains(texts, part) {
			t.Errorf("the licences do not have %q", part)
		}
	}

	var bom cdx.BOM
	text := run(binary, "sbom")
	if err := cdx.NewBOMDecoder(strings.NewReader(text), cdx.BOMFileFormatJSON).Decode(&bom); err != nil {
		t.Fatal(err)
	}
	if bom.BOMFormat != "CycloneDX" || bom.SpecVersion != cdx.SpecVersion1_6 || bom.Metadata.Component.Name != "chatcast" || bom.Metadata.Component.Version != version {
		t.Errorf("the SBOM is a %s %s of %+v", bom.BOMFormat, bom.SpecVersion, bom.Metadata.Component)
	}
	want := []string{"pkg:golang/std@" + strings.TrimPrefix(runtime.Version(), "go")}
	for path, version := range modules {
		want = append(want, "pkg:golang/"+path+"@"+strings.ReplaceAll(version, "+", "%2B"))
	}
	for _, p := range app.ConsolePackages() {
		want = append(want, "pkg:npm/"+strings.Replace(p.Name, "@", "%40", 1)+"@"+p.Version)
	}
	var got []string
	for _, c := range *bom.Components {
		got = append(got, c.PackageURL)
		if c.Licenses == nil || len(*c.Licenses) == 0 {
			t.Errorf("%s has no licence", c.Name)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the SBOM has\n%q\nwant\n%q", got, want)
	}
	if d := *bom.Dependencies; len(d) != 1 || d[0].Ref != bom.Metadata.Component.BOMRef || len(*d[0].Dependencies) != len(got) {
		t.Errorf("the dependencies are %+v", d)
	}
	if again := run(binary, "sbom"); again != text {
		t.Error("the SBOM is different each time")
	}
}
