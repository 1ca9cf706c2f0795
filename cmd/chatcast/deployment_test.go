package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"chatcast/cmd/chatcast/config"
	"chatcast/cmd/chatcast/e2e"
)

// fromRoot reads a file of the project.
func fromRoot(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../..", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestReleaseIsOfThisProject checks that every file which the release packs is there, and
// that each way to build the program sets the same variables.
func TestReleaseIsOfThisProject(t *testing.T) {
	var release struct {
		Archives []struct{ Files []struct{ Src string } }
		Nfpms    []struct {
			Contents []struct{ Src, Dst string }
			Scripts  map[string]string
		}
	}
	if err := yaml.Unmarshal([]byte(fromRoot(t, ".goreleaser.yaml")), &release); err != nil {
		t.Fatal(err)
	}
	var packed []string
	for _, a := range release.Archives {
		for _, f := range a.Files {
			packed = append(packed, f.Src)
		}
	}
	for _, p := range release.Nfpms {
		for _, c := range p.Contents {
			packed = append(packed, c.Src)
		}
		for _, script := range p.Scripts {
			packed = append(packed, script)
		}
	}
	if len(packed) < 15 {
		t.Errorf("the release packs only %v", packed)
	}
	for _, src := range packed {
		if found, err := filepath.Glob(filepath.Join("../..", src)); err != nil || len(found) == 0 {
			t.Errorf("the release packs %s, which is not there (%v)", src, err)
		}
	}
	for _, file := range []string{"Makefile", "Dockerfile", ".goreleaser.yaml"} {
		for _, part := range []string{"-trimpath", "CGO_ENABLED=0", "-X main.version=", "-X main.commit="} {
			if !strings.Contains(fromRoot(t, file), part) {
				t.Errorf("%s builds without %s", file, part)
			}
		}
	}
	goVersion := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(fromRoot(t, "go.mod"))
	if !strings.Contains(fromRoot(t, "Dockerfile"), "golang:"+goVersion[1]+"-") {
		t.Errorf("the Dockerfile builds with another Go than %s", goVersion[1])
	}
}

// TestArchiveHasWhatItsPagesLinkTo checks the links between files of docs that the archive
// packs. Links to the source of the program lead out of it.
func TestArchiveHasWhatItsPagesLinkTo(t *testing.T) {
	var release struct {
		Archives []struct{ Files []struct{ Src string } }
	}
	if err := yaml.Unmarshal([]byte(fromRoot(t, ".goreleaser.yaml")), &release); err != nil {
		t.Fatal(err)
	}
	packed := map[string]bool{}
	for _, f := range release.Archives[0].Files {
		found, err := filepath.Glob(filepath.Join("../..", f.Src))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range found {
			packed[strings.TrimPrefix(filepath.ToSlash(file), "../../")] = true
		}
	}
	links := 0
	for page := range packed {
		if filepath.Ext(page) != ".md" {
			continue
		}
		for _, m := range regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`).FindAllStringSubmatch(fromRoot(t, page), -1) {
			to := filepath.ToSlash(filepath.Join(filepath.Dir(page), m[1]))
			inDocs := strings.HasPrefix(to, "docs/") || !strings.Contains(to, "/") && filepath.Ext(to) == ".md" && to != "ARCHITECTURE.md"
			if links++; inDocs && !packed[to] {
				if info, err := os.Stat(filepath.Join("../..", to)); err != nil || !info.IsDir() {
					t.Errorf("%s links to %s, which the archive lacks", page, to)
				}
			}
		}
	}
	if links < 50 {
		t.Errorf("only %d links were found", links)
	}
}

// TestImageIsOfThisProject checks the Dockerfile against what it copies, the version of
// Node.js that the console needs, and the commands of the program.
func TestImageIsOfThisProject(t *testing.T) {
	file := fromRoot(t, "Dockerfile")
	for _, m := range regexp.MustCompile(`(?m)^COPY ([^-\n].*)$`).FindAllStringSubmatch(file, -1) {
		names := strings.Fields(m[1])
		for _, src := range names[:len(names)-1] {
			if _, err := os.Stat(filepath.Join("../..", src)); err != nil {
				t.Errorf("the Dockerfile copies %s: %v", src, err)
			}
		}
	}
	// .ci/console takes Node.js 22.12 and newer; the image has the newest of its line.
	if node := regexp.MustCompile(`FROM .*node:(\d+)-`).FindStringSubmatch(file); node == nil || node[1] < "22" {
		t.Errorf("the console is built with Node.js %v", node)
	}
	if version := between(t, file, "ARG VERSION=", " "); !strings.Contains(fromRoot(t, "CHANGELOG.md"), "## ["+version+"]") {
		t.Errorf("the image is of version %s, which CHANGELOG.md does not have", version)
	}
	var argv []string
	if err := yaml.Unmarshal([]byte(regexp.MustCompile(`HEALTHCHECK .*CMD (.*)`).FindStringSubmatch(file)[1]), &argv); err != nil || len(argv) != 2 {
		t.Fatal(argv, err)
	}
	if !strings.Contains(file, `ENTRYPOINT ["`+argv[0]+`"]`) || !strings.Contains(file, " /out/chatcast "+argv[0]+"\n") {
		t.Errorf("the health check runs %s, which is not the program", argv[0])
	}
	serve := between(t, file, "\nCMD [\"", "\"]")
	out, err := exec.Command(e2e.BuildBinary(t), "help").CombinedOutput()
	for _, command := range []string{argv[1], serve} {
		if err != nil || !regexp.MustCompile(`(?m)^  `+command+` `).Match(out) {
			t.Errorf("the program has no command %s: %v\n%s", command, err, out)
		}
	}
}

// TestSettingsOfTheImage checks that the settings in the Dockerfile and in compose.yaml
// are settings, and that the program accepts them.
func TestSettingsOfTheImage(t *testing.T) {
	var environ []string
	for _, m := range regexp.MustCompile(`\b(CHATCAST_\w+=\S+)`).FindAllStringSubmatch(between(t, fromRoot(t, "Dockerfile"), "\nENV ", "\nUSER "), -1) {
		environ = append(environ, m[1])
	}
	var compose struct {
		Services map[string]struct{ Environment map[string]string }
	}
	text := regexp.MustCompile(`\$\{(\w+)[^}]*\}`).ReplaceAllString(fromRoot(t, "compose.yaml"), "$1")
	if err := yaml.Unmarshal([]byte(text), &compose); err != nil {
		t.Fatal(err)
	}
	for name, value := range compose.Services["chatcast"].Environment {
		environ = slices.DeleteFunc(environ, func(line string) bool { return strings.HasPrefix(line, name+"=") })
		environ = append(environ, name+"="+value)
	}
	if len(environ) < 5 {
		t.Fatalf("only %q was found", environ)
	}
	cfg, err := config.Load("", environ, nil)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Server.Address != "0.0.0.0:6001" || cfg.Server.PublicURL != "https://CHATCAST_HOST" || !slices.Equal(cfg.Server.TrustedProxies, []string{"172.30.61.0/24"}) {
		t.Errorf("the server's settings are %+v", cfg.Server)
	}
}

// between returns what stands between two texts.
func between(t *testing.T, s, after, before string) string {
	t.Helper()
	_, s, ok := strings.Cut(s, after)
	s, _, found := strings.Cut(s, before)
	if !ok || !found {
		t.Fatalf("there is nothing between %q and %q", after, before)
	}
	return s
}

func TestSettingsOfThePackage(t *testing.T) {
	cfg, err := config.Load("../../docs/deployment/config.yaml", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	unit := fromRoot(t, "docs/deployment/chatcast.service")
	for _, path := range []string{strings.TrimPrefix(cfg.Database.URL, "sqlite:"), cfg.Files.Dir} {
		if !strings.HasPrefix(path, between(t, unit, "WorkingDirectory=", "\n")+"/") {
			t.Errorf("%s is not in the folder of the service", path)
		}
	}
}

// TestUnit checks the units with systemd's own tool, where there is one.
func TestUnit(t *testing.T) {
	tool, err := exec.LookPath("systemd-analyze")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("there is no systemd-analyze: .ci/setup installs it in CI")
		}
		t.Skip("there is no systemd-analyze")
	}
	dir, binary := t.TempDir(), e2e.BuildBinary(t)
	units, err := filepath.Glob("../../docs/deployment/chatcast.s*")
	if err != nil || len(units) == 0 {
		t.Fatal(units, err)
	}
	for i, unit := range units {
		text := strings.ReplaceAll(fromRoot(t, "docs/deployment/"+filepath.Base(unit)), "/usr/bin/chatcast", binary)
		units[i] = filepath.Join(dir, filepath.Base(unit))
		if err := os.WriteFile(units[i], []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.Command(tool, append([]string{"verify", "--man=no", "--recursive-errors=no"}, units...)...).CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
	broken := filepath.Join(dir, "broken.service")
	if err := os.WriteFile(broken, []byte("[Service]\nExecStart="+binary+"\nProtectSistem=strict\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, _ := exec.Command(tool, "verify", "--man=no", "--recursive-errors=no", broken).CombinedOutput(); !strings.Contains(string(out), "ProtectSistem") {
		t.Errorf("a wrong key is not found: %s", out)
	}
}
