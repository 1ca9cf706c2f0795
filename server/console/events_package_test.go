package console_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"chatcast/channels"
	"chatcast/channels/testwait"
)

// The package @chatcast/events is checked by its own tools: the generator, the
// TypeScript compiler and npm.
const eventsPackage = "clients/js"

// run runs a program in the folder, and returns its standard output. With -short it
// skips the test, which needs npm packages.
func run(t *testing.T, dir, name string, args ...string) []byte {
	t.Helper()
	testwait.LeaveOut(t, "it needs npm packages")
	if _, err := os.Stat(filepath.Join(eventsPackage, "node_modules/typescript/package.json")); err != nil {
		t.Fatalf("the npm packages of %s are missing (make setup gets them): %v", eventsPackage, err)
	}
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, stderr.Bytes())
	}
	return out
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	abs, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestEventTypesAreThoseOfTheSchemas(t *testing.T) {
	t.Parallel()
	fresh := filepath.Join(t.TempDir(), "generated.ts")
	run(t, eventsPackage, "node", "scripts/generate.mjs", "--out", fresh)
	if !bytes.Equal(read(t, fresh), read(t, filepath.Join(eventsPackage, "src/generated.ts"))) {
		t.Errorf("%s/src/generated.ts is not what crm/schemas says: run npm run generate there", eventsPackage)
	}
}

// TestEventTypesHold compiles test/types.ts, in which every expected error must occur.
func TestEventTypesHold(t *testing.T) {
	t.Parallel()
	run(t, eventsPackage, "node_modules/.bin/tsc", "-p", ".")
}

// builtEvents builds the package, and returns the path of its index.js.
func builtEvents(t *testing.T) string {
	t.Helper()
	built := t.TempDir()
	run(t, eventsPackage, "node_modules/.bin/tsc", "-p", "tsconfig.build.json", "--outDir", built)
	write(t, built, "package.json", `{"type":"module"}`)
	return filepath.Join(built, "index.js")
}

// TestEventsPackageResumes subscribes with the built package and the clients of pusher-js
// 7 and 8 and Echo, after outages, in two tabs, with storages that fail.
func TestEventsPackageResumes(t *testing.T) {
	t.Parallel()
	run(t, eventsPackage, "node", "test/resume.mjs", builtEvents(t))
}

// TestEventsPackageRuns uses the built package with pusher-js 7 and 8 and Echo, and
// compares its names with the server's.
func TestEventsPackageRuns(t *testing.T) {
	t.Parallel()
	type names struct {
		Events                                     []string
		Line, Company, User, CompanyUser, Presence string
	}
	var got names
	if err := json.Unmarshal(run(t, eventsPackage, "node", "test/runtime.mjs", builtEvents(t)), &got); err != nil {
		t.Fatal(err)
	}
	want := names{
		Line: channels.LineName(1229, "grWhatsApp"), Company: channels.CompanyName(2224), User: channels.PersonName(685),
		CompanyUser: channels.CompanyUserName(2224, 685), Presence: channels.PresenceOf(channels.CompanyName(2224)),
	}
	if want.Events = schemaNames(t); !slices.Equal(got.Events, want.Events) {
		t.Errorf("eventNames are %v, the schemas %v", got.Events, want.Events)
	}
	if got.Events, want.Events = nil, nil; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the channels are %+v, the server's %+v", got, want)
	}
}

// schemaNames returns the events that have a schema on the server, sorted.
func schemaNames(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob("../../crm/schemas/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("crm/schemas: %v", err)
	}
	for _, f := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(f), ".json"))
	}
	slices.Sort(names)
	return names
}

// TestEventTypesFitTheWire packs the package, installs it as a user would, and has the
// compiler check the events of the golden files and of asyncapi.yaml against it.
func TestEventTypesFitTheWire(t *testing.T) {
	t.Parallel()
	user := t.TempDir()
	tarball := pack(t, user)
	write(t, user, "package.json", `{"private":true,"type":"module"}`)
	run(t, user, "npm", "install", "--offline", "--ignore-scripts", "--no-audit", "--no-fund", "./"+tarball)
	write(t, user, "wire.ts", wire(t))
	tsc := absolute(t, filepath.Join(eventsPackage, "node_modules/.bin/tsc"))
	for module, resolution := range map[string]string{"NodeNext": "NodeNext", "ESNext": "Bundler"} {
		run(t, user, tsc, "--noEmit", "--strict", "--exactOptionalPropertyTypes", "--target", "ES2022", "--types", "",
			"--module", module, "--moduleResolution", resolution, "wire.ts")
	}
}

// pack makes the tarball in dir, checks its contents, and returns its name.
func pack(t *testing.T, dir string) string {
	t.Helper()
	var packed []struct {
		Filename, Version string
		Files             []struct{ Path string }
	}
	if err := json.Unmarshal(run(t, eventsPackage, "npm", "pack", "--json", "--pack-destination", dir), &packed); err != nil || len(packed) != 1 {
		t.Fatalf("npm pack: %v, %d packages", err, len(packed))
	}
	var files []string
	for _, f := range packed[0].Files {
		files = append(files, f.Path)
	}
	slices.Sort(files)
	want := []string{"LICENSE", "README.md", "dist/generated.d.ts", "dist/generated.js", "dist/index.d.ts", "dist/index.js", "dist/resume.d.ts", "dist/resume.js", "package.json"}
	if !slices.Equal(files, want) {
		t.Errorf("the package has %v, want %v", files, want)
	}
	if changes := read(t, "../../CHANGELOG.md"); !bytes.Contains(changes, []byte("\n## ["+packed[0].Version+"]")) {
		t.Errorf("CHANGELOG.md has no version %s, which the package has", packed[0].Version)
	}
	if !bytes.Equal(read(t, filepath.Join(eventsPackage, "LICENSE")), read(t, "../../LICENSE")) {
		t.Error("the package's LICENSE is not the program's")
	}
	return packed[0].Filename
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// wire returns a program that assigns each event to its type, and three broken copies
// of each event, which must be errors.
func wire(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("import type { EventMap } from '@chatcast/events';\n")
	n := 0
	assign := func(event string, data any) {
		text, err := json.Marshal(data)
		if err != nil {
			t.Fatal(err)
		}
		n++
		fmt.Fprintf(&b, "export const e%d: EventMap['%s'] = %s;\n", n, event, text)
	}
	seen := map[string]bool{}
	for _, e := range wireEvents(t) {
		seen[e.name] = true
		assign(e.name, e.data)
		payload := e.data["payload"].(map[string]any)
		meta, items := payload["meta"].(map[string]any), payload["data"].([]any)
		odd := map[string]any{"noSuchField": 1}
		for k, v := range items[0].(map[string]any) {
			odd[k] = v
		}
		for _, broken := range []map[string]any{
			{"meta": meta, "data": []any{}},
			{"meta": meta, "data": []any{odd}},
			{"meta": map[string]any{"type": e.name}, "data": items},
		} {
			b.WriteString("// @ts-expect-error\n")
			assign(e.name, map[string]any{"payload": broken})
		}
	}
	for _, name := range schemaNames(t) {
		if !seen[name] {
			t.Errorf("neither the golden files nor asyncapi.yaml have a %s", name)
		}
	}
	return b.String()
}

type wireEvent struct {
	name string
	data map[string]any
}

// added lists what an event has on the wire beyond its golden file, which is ChatApp's
// documented example.
var added = map[string]struct {
	field string
	value any
}{
	"chatRead": {"edited", nil}, "chatResponsiblePin": {"edited", nil}, "chatStatus": {"edited", nil}, "chatTag": {"edited", nil},
	"messageStatus": {"time", 1637319290},
}

// wireEvents returns the events of the golden files and the examples of asyncapi.yaml.
func wireEvents(t *testing.T) (events []wireEvent) {
	t.Helper()
	golden, err := filepath.Glob("../../crm/testdata/golden/*.json")
	if err != nil || len(golden) == 0 {
		t.Fatalf("crm/testdata/golden: %v", err)
	}
	for _, file := range golden {
		name, _, _ := strings.Cut(filepath.Base(file), ".") // quickResponse.edit.json
		e := wireEvent{name: name}
		if err := json.Unmarshal(read(t, file), &e.data); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if a, ok := added[name]; ok {
			e.data["payload"].(map[string]any)["data"].([]any)[0].(map[string]any)[a.field] = a.value
		}
		events = append(events, e)
	}
	var reference struct {
		Components struct {
			Messages map[string]struct {
				Examples []struct{ Payload any } // of frames that are no events, a text
			}
		}
	}
	if err := yaml.Unmarshal(read(t, "../api/asyncapi.yaml"), &reference); err != nil {
		t.Fatal(err)
	}
	for _, name := range schemaNames(t) {
		for _, example := range reference.Components.Messages[name].Examples {
			events = append(events, wireEvent{name, example.Payload.(map[string]any)})
		}
	}
	return events
}
