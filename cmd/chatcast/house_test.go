package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// mayImport is the house rule: a folder owns a noun, a subfolder is a part or a plug. It
// lists what each room may import of ours. Only cmd/chatcast/app imports all the plugs,
// and nobody imports cmd.
var mayImport = map[string][]string{
	"channels/dialguard":         {},                                                            // which addresses may be dialed for users
	"channels/webpost":           {"channels/dialguard"},                                        // one POST to a URL that a user gave
	"channels/clientaddr":        {},                                                            // the address that a request comes from
	"channels/refusals":          {},                                                            // what was refused and why
	"broadcasting/apps":          {"channels"},                                                  // what an app is, with no engine in it
	"broadcasting/apps/appstest": {"broadcasting/apps"},                                         // a test suite for every store of apps
	"broadcasting/clustertest":   {"broadcasting", "broadcasting/cluster", "channels/testwait"}, // a test suite for every seam between nodes
	"channels":                   {},
	"channels/testwait":          {}, // the deadlines of all tests
	"models":                     {"models/seal"},
	"models/seal":                {}, // encrypts single values, and knows no table
	"broadcasting":               {"channels"},
	"broadcasting/webhook":       {"broadcasting", "broadcasting/apps", "channels/webpost"},
	"broadcasting/history":       {"broadcasting", "channels"},
	"broadcasting/cluster":       {"broadcasting"}, // a node, whatever connects it
	"broadcasting/postgres":      {"broadcasting", "broadcasting/cluster"},
	"crm":                        {"broadcasting", "channels", "models", "broadcasting/apps", "channels/clientaddr", "channels/refusals"},
	"crm/bridge":                 {"crm"},
	"crm/crmtest":                {"crm", "crm/bridge", "models"}, // the data in which the rules are tested
	"crm/s3":                     {"crm"},
	"crm/webhook":                {"crm", "channels/webpost"}, // the CRM's webhooks
	"crm/whatsapp":               {"crm", "crm/whatsapp/content", "crm/whatsapp/media", "channels/dialguard", "models/seal"},
	"crm/whatsapp/content":       {"crm"}, // converts messages of WhatsApp to contents of the CRM, pure
	"crm/whatsapp/media":         {},      // reads files for WhatsApp, pure
	"crm/whatsapp/whatsapptest":  {},      // a WhatsApp to test against; never linked into the program
	"server":                     {"broadcasting", "channels", "broadcasting/apps", "channels/clientaddr"},
	"server/pusher":              {"server", "broadcasting", "channels", "broadcasting/apps", "channels/refusals"},
	"server/pusher/conformance":  {}, // tests any Pusher server against the protocol
	"server/api":                 {"server", "broadcasting", "channels", "channels/refusals", "crm"},
	"server/api/apitest":         {"server/api", "server/evolution", "server/multiwa", "crm"}, // checks answers against openapi.yaml, in tests
	"server/api/docs":            {"server/api", "crm", "server"},                             // the reference as a page
	"server/console":             {"server"},
	"server/evolution":           {"server", "server/evolution/shape", "channels/dialguard", "channels/refusals", "channels/webpost", "crm"},
	"server/evolution/shape":     {"crm", "server"}, // events and messages in Evolution's words, pure
	"server/socketio":            {"server", "broadcasting", "broadcasting/apps", "channels", "channels/refusals"},
	"server/multiwa":             {"server", "broadcasting", "broadcasting/apps", "channels", "channels/refusals", "crm"},
	"models/testdb":              {"channels/testwait", "models"},

	"broadcasting/redis":           {"broadcasting", "broadcasting/cluster"},
	"broadcasting/redis/redistest": {"channels/testwait"}, // servers for tests

	"broadcasting/webhook/storetest": {"broadcasting/webhook"}, // a test suite for every Store

	"cmd/chatcast":        {"cmd/chatcast/app", "cmd/chatcast/config", "crm", "models/seal"},
	"cmd/chatcast/config": {"broadcasting/apps", "broadcasting/redis", "crm", "crm/s3", "channels/clientaddr", "models/seal"}, // each package checks its own settings
	"cmd/chatcast/app": {
		"cmd/chatcast/config", "broadcasting", "broadcasting/apps", "broadcasting/cluster", "broadcasting/history", "broadcasting/postgres", "broadcasting/redis", "broadcasting/webhook", "channels", "channels/clientaddr", "channels/refusals", "models", "crm", "crm/bridge", "crm/s3", "crm/webhook", "crm/whatsapp",
		"server", "server/api", "server/api/docs", "server/console", "server/evolution", "server/evolution/shape", "server/multiwa", "server/pusher", "server/socketio",
	},
	"cmd/chatcast/e2e": { // starts the whole program, in tests
		"cmd/chatcast/app", "cmd/chatcast/config", "channels/testwait", "broadcasting", "crm/crmtest", "crm/whatsapp/whatsapptest", "models", "models/testdb",
		"server/api", "server/api/apitest", "server/console", "server/pusher",
	},
	"cmd/chatcast/e2e/access":    {},
	"cmd/chatcast/e2e/bench":     {},
	"cmd/chatcast/e2e/browser":   {},
	"cmd/chatcast/e2e/cluster":   {},
	"cmd/chatcast/e2e/chaos":     {},
	"cmd/chatcast/e2e/console":   {},
	"cmd/chatcast/e2e/dialects":  {},
	"cmd/chatcast/e2e/evolution": {},
	"cmd/chatcast/e2e/kill":      {},
	"cmd/chatcast/e2e/multiwa":   {},
	"cmd/chatcast/e2e/program":   {},
	"cmd/demo":                   {"crm/whatsapp/whatsapptest"},
}

// testsOnly lists packages that only tests may import. None is in a built program, except
// the stand-in, which is in the demo.
var testsOnly = []string{
	"testing", "chatcast/broadcasting/clustertest", "chatcast/broadcasting/redis/redistest", "chatcast/channels/testwait", "chatcast/models/testdb", "chatcast/crm/crmtest", "chatcast/crm/whatsapp/whatsapptest",
	"chatcast/broadcasting/apps/appstest", "chatcast/server/api/apitest", "chatcast/server/pusher/conformance", "chatcast/cmd/chatcast/e2e",
	"chatcast/broadcasting/webhook/storetest",
}

// confined lists libraries that only one room (and its plugs) may import.
var confined = map[string]string{
	"github.com/gin-gonic/gin":      "server",
	"github.com/gorilla/websocket":  "server",
	"gorm.io/":                      "models",
	"github.com/jackc/pgx":          "models",
	"go.mau.fi/whatsmeow":           "crm/whatsapp",
	"go.mau.fi/util":                "crm/whatsapp",
	"github.com/minio/":             "crm/s3",
	"github.com/redis/":             "broadcasting/redis",
	"code.dny.dev/ssrf":             "channels/dialguard",
	"github.com/pquerna/otp":        "crm",
	"github.com/standard-webhooks/": "crm/webhook",
	"github.com/CycloneDX/":         "cmd/chatcast",
	"golang.org/x/text":             "models",
	"github.com/prometheus/":        "cmd/chatcast/app",
	"go.opentelemetry.io/":          "cmd/chatcast/app",
}

// wires lists who else may import them: the wiring, tests of the whole program, the demo.
var wires = map[string][]string{
	"cmd/chatcast/app": {"github.com/gin-gonic/gin"},

	"broadcasting/postgres": {"github.com/jackc/pgx"}, // it listens
	"cmd/chatcast/e2e":      {"github.com/gin-gonic/gin", "github.com/gorilla/websocket", "go.mau.fi/whatsmeow", "github.com/prometheus/"},
	"cmd/demo":              {"go.mau.fi/whatsmeow"}, // the messages of its customers
}

type pkg struct {
	ImportPath string
	Imports    []string
}

func packages(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "chatcast/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var pkgs []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
}

// TestHouse fails if an import breaks the rule.
func TestHouse(t *testing.T) {
	for _, p := range packages(t) {
		for _, violation := range violations(p) {
			t.Error(violation)
		}
	}
}

// TestHouseSeesBrokenArrows checks that each kind of forbidden import is found.
func TestHouseSeesBrokenArrows(t *testing.T) {
	for name, p := range map[string]pkg{
		"parent imports its plug":    {"chatcast/server", []string{"chatcast/server/pusher"}},
		"plug imports its sibling":   {"chatcast/server/api", []string{"chatcast/server/pusher"}},
		"part imports its parent":    {"chatcast/crm/whatsapp/content", []string{"chatcast/crm/whatsapp"}},
		"part imports a plug":        {"chatcast/crm/whatsapp/content", []string{"chatcast/crm/s3"}},
		"the program skips a part":   {"chatcast/cmd/chatcast/app", []string{"chatcast/crm/whatsapp/content"}},
		"engine knows the CRM":       {"chatcast/broadcasting", []string{"chatcast/crm"}},
		"apps have the engine":       {"chatcast/broadcasting/apps", []string{"chatcast/broadcasting"}},
		"apps have the webhooks":     {"chatcast/broadcasting/apps", []string{"chatcast/broadcasting/webhook"}},
		"apps know the CRM":          {"chatcast/broadcasting/apps", []string{"chatcast/crm"}},
		"API reaches past the rules": {"chatcast/server/api", []string{"chatcast/models"}},
		"gin outside the server":     {"chatcast/crm", []string{"github.com/gin-gonic/gin"}},
		"gorm outside the models":    {"chatcast/crm", []string{"gorm.io/gorm"}},
		"the guard's library beside": {"chatcast/crm/whatsapp", []string{"code.dny.dev/ssrf"}},
		"the guard imports a room":   {"chatcast/channels/dialguard", []string{"chatcast/broadcasting"}},
		"channels imports a library": {"chatcast/channels", []string{"golang.org/x/time/rate"}},
		"a room without a row":       {"chatcast/utils", nil},
		"somebody imports cmd":       {"chatcast/crm", []string{"chatcast/cmd/chatcast"}},
		"a room imports the program": {"chatcast/server/pusher", []string{"chatcast/cmd/chatcast/app"}},
		"main holds a plug":          {"chatcast/cmd/chatcast", []string{"chatcast/server/pusher"}},
		"config holds the program":   {"chatcast/cmd/chatcast/config", []string{"chatcast/cmd/chatcast/app"}},
		"gorm in the program":        {"chatcast/cmd/chatcast/app", []string{"gorm.io/gorm"}},
		"the demo has the program":   {"chatcast/cmd/demo", []string{"chatcast/cmd/chatcast/app"}},
	} {
		if len(violations(p)) == 0 {
			t.Errorf("%s: not found", name)
		}
	}
	if f := violations(pkg{"chatcast/server/pusher", []string{"chatcast/server", "github.com/gin-gonic/gin", "fmt"}}); len(f) > 0 {
		t.Errorf("a sound room has violations: %v", f)
	}
}

func violations(p pkg) (found []string) {
	room, ours := strings.CutPrefix(p.ImportPath, "chatcast/")
	if !ours {
		return nil
	}
	allowed, known := mayImport[room]
	if !known {
		found = append(found, "room "+room+" is not in the plan: give it a row in house_test.go and ARCHITECTURE.md")
	}
	for _, imp := range p.Imports {
		if to, ours := strings.CutPrefix(imp, "chatcast/"); ours {
			if !slices.Contains(allowed, to) {
				found = append(found, room+" may not import "+to)
			}
			continue
		}
		if room == "channels" && strings.Contains(strings.Split(imp, "/")[0], ".") {
			found = append(found, "channels may import only the standard library, not "+imp)
		}
		for lib, home := range confined {
			if strings.HasPrefix(imp, lib) && room != home && !strings.HasPrefix(room, home+"/") && !slices.Contains(wires[room], lib) {
				found = append(found, imp+" belongs to "+home+", not to "+room)
			}
		}
	}
	return found
}

// TestNoTestCodeInThePrograms fails if test code is built into a program.
func TestNoTestCodeInThePrograms(t *testing.T) {
	for _, program := range []string{"chatcast/cmd/chatcast", "chatcast/cmd/demo"} {
		out, err := exec.Command("go", "list", "-deps", program).Output()
		if err != nil {
			t.Fatal(err)
		}
		deps := strings.Fields(string(out))
		if !slices.Contains(deps, program) {
			t.Fatalf("%s is not among its own packages", program)
		}
		for _, dep := range deps {
			if slices.Contains(testsOnly, dep) && program+" "+dep != "chatcast/cmd/demo chatcast/crm/whatsapp/whatsapptest" {
				t.Errorf("%s has %s in it", program, dep)
			}
		}
	}
}

// TestAnswersAreHeldAgainstTheReference checks that every test that makes a router of the
// program's routes wraps it in apitest.Documented, as e2e.Start does.
func TestAnswersAreHeldAgainstTheReference(t *testing.T) {
	exempt := map[string]string{
		"../../server/api/reference_test.go":   "lists the routes and asks none",
		"e2e/console/policy_test.go":           "adds a route of its own to the console's",
		"house_test.go":                        "this test",
		"app/health_test.go":                   "asks a check that no program has",
		"../../server/evolution/world_test.go": "holds each answer against the dialect's own reference",
	}
	routers := 0
	for _, folder := range []string{".", "app", "e2e", "e2e/*", "../../server/api", "../../server/api/docs", "../../server/console", "../../server/evolution", "../../server/multiwa", "../../server/pusher", "../../server/pusher/conformance"} {
		pattern := "/*_test.go"
		if folder == "e2e" {
			pattern = "/*.go"
		}
		files, err := filepath.Glob(folder + pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			made := strings.Count(string(text), "gin.New()") + strings.Count(string(text), "server.NewRouter(")
			if made == 0 || exempt[filepath.ToSlash(file)] != "" {
				continue
			}
			routers += made
			if strings.Count(string(text), "apitest.Documented(") < made {
				t.Errorf("%s makes %d routers and does not put apitest.Documented around each", file, made)
			}
		}
	}
	if routers < 8 {
		t.Errorf("only %d routers were found", routers)
	}
}
