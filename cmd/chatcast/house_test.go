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

// The house rule: a folder owns a noun, a subfolder is a plug. What each room may
// import of ours; cmd may import everything, nobody imports cmd.
var mayImport = map[string][]string{
	"channels":                  {},
	"channels/testwait":         {}, // the deadlines of all tests
	"models":                    {},
	"broadcasting":              {"channels"},
	"broadcasting/webhook":      {"broadcasting"},
	"crm":                       {"broadcasting", "channels", "models"},
	"crm/bridge":                {"crm"},
	"crm/crmtest":               {"crm", "crm/bridge", "models"}, // the world that the rules are tested in
	"crm/s3":                    {"crm"},
	"crm/whatsapp":              {"crm"},
	"crm/whatsapp/standin":      {}, // a WhatsApp to test against; never linked into the program
	"server":                    {"broadcasting", "channels"},
	"server/pusher":             {"server", "broadcasting", "channels"},
	"server/pusher/conformance": {}, // holds any Pusher server against the protocol, in tests
	"server/api":                {"server", "broadcasting", "channels", "crm"},
	"server/api/apitest":        {"server/api", "crm"}, // holds answers against openapi.yaml, in tests
	"server/api/docs":           {"server/api", "crm"}, // the reference as a page
	"server/console":            {},
	"models/testdb":             {"models"},
}

// Libraries that live in one room (and its plugs) alone.
var confined = map[string]string{
	"github.com/gin-gonic/gin":     "server",
	"github.com/gorilla/websocket": "server",
	"gorm.io/":                     "models",
	"github.com/jackc/pgx":         "models",
	"go.mau.fi/whatsmeow":          "crm/whatsapp",
	"github.com/minio/":            "crm/s3",
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

// TestHouse fails when an arrow of ARCHITECTURE.md is broken.
func TestHouse(t *testing.T) {
	for _, p := range packages(t) {
		for _, fault := range faults(p) {
			t.Error(fault)
		}
	}
}

// TestHouseSeesBrokenArrows shows that each kind of broken arrow is found.
func TestHouseSeesBrokenArrows(t *testing.T) {
	for name, p := range map[string]pkg{
		"parent imports its plug":    {"chatcast/server", []string{"chatcast/server/pusher"}},
		"plug imports its sibling":   {"chatcast/server/api", []string{"chatcast/server/pusher"}},
		"engine knows the CRM":       {"chatcast/broadcasting", []string{"chatcast/crm"}},
		"API reaches past the rules": {"chatcast/server/api", []string{"chatcast/models"}},
		"gin outside the server":     {"chatcast/crm", []string{"github.com/gin-gonic/gin"}},
		"gorm outside the models":    {"chatcast/crm", []string{"gorm.io/gorm"}},
		"channels imports a library": {"chatcast/channels", []string{"golang.org/x/time/rate"}},
		"a room without a row":       {"chatcast/utils", nil},
		"somebody imports cmd":       {"chatcast/crm", []string{"chatcast/cmd/chatcast"}},
	} {
		if len(faults(p)) == 0 {
			t.Errorf("%s: not found", name)
		}
	}
	if f := faults(pkg{"chatcast/server/pusher", []string{"chatcast/server", "github.com/gin-gonic/gin", "fmt"}}); len(f) > 0 {
		t.Errorf("a sound room has faults: %v", f)
	}
}

func faults(p pkg) (found []string) {
	room, ours := strings.CutPrefix(p.ImportPath, "chatcast/")
	if !ours || strings.HasPrefix(room, "cmd/") {
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
			if strings.HasPrefix(imp, lib) && room != home && !strings.HasPrefix(room, home+"/") {
				found = append(found, imp+" belongs to "+home+", not to "+room)
			}
		}
	}
	return found
}

// TestAnswersAreHeldAgainstTheReference: whatever test makes a router of the
// program's routes puts apitest.Documented around it, as start does.
func TestAnswersAreHeldAgainstTheReference(t *testing.T) {
	exempt := map[string]string{
		"../../server/api/reference_test.go": "lists the routes and asks none",
		"console_policy_test.go":             "adds a route of its own to the console's",
		"house_test.go":                      "this test",
	}
	routers := 0
	for _, folder := range []string{".", "../../server/api", "../../server/api/docs", "../../server/console", "../../server/pusher", "../../server/pusher/conformance"} {
		files, err := filepath.Glob(folder + "/*_test.go")
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
