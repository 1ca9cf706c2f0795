package whatsapp

import (
	"compress/gzip"
	"errors"
	"flag"
	"io"
	"os"
	osexec "os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.mau.fi/whatsmeow/appstate"
	"go.mau.fi/whatsmeow/types"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/crm/whatsapp/whatsapptest"
	"chatcast/models/testdb"
)

// writeUpgrade is set once before each update of whatsmeow: testdata/upgrade/README.md.
var writeUpgrade = flag.String("write-upgrade", "", "write databases of this version into testdata/upgrade/NAME")

// upgradeKeys seal the secrets in testdata/upgrade.
var upgradeKeys = parseKeys(strings.Repeat("75", 32))

func sealedForUpgrade(o *Options) {
	if o.Keys != nil {
		o.Keys = upgradeKeys
	}
}

// TestUpgrade checks that the lines in the databases of earlier versions go on: their
// devices log in, Signal sessions, sender keys and the app state continue, and what came
// while the program was updated arrives.
func TestUpgrade(t *testing.T) {
	if *writeUpgrade != "" {
		testdb.EachURL(t, writeOldDatabase)
		return
	}
	files, err := filepath.Glob("testdata/upgrade/*/sqlite.db.gz")
	if err != nil || len(files) == 0 {
		t.Fatalf("no databases: %v", err)
	}
	for _, file := range files {
		folder := filepath.Dir(file)
		name := filepath.Base(folder)
		t.Run(name+" sqlite", func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "chatcast.db")
			unzip(t, filepath.Join(folder, "sqlite.db.gz"), path)
			goOn(t, "sqlite:"+path, filepath.Join(folder, "sqlite.whatsapp.json.gz"))
		})
		t.Run(name+" postgres", func(t *testing.T) {
			t.Parallel()
			url, script := testdb.EmptyPostgresURL(t), filepath.Join(t.TempDir(), "dump.sql")
			unzip(t, filepath.Join(folder, "postgres.sql.gz"), script)
			runTool(t, io.Discard, "psql", "--quiet", "--set=ON_ERROR_STOP=1", "--file="+script, "--dbname="+url)
			goOn(t, url, filepath.Join(folder, "postgres.whatsapp.json.gz"))
		})
	}
}

// goOn starts this version on an upgraded database.
func goOn(t *testing.T, url, state string) {
	store := testdb.Open(t, url)
	if err := store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	srv := newStandin(t)
	file := filepath.Join(t.TempDir(), "state.json")
	unzip(t, state, file)
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(srv.Restore(f), f.Close()); err != nil {
		t.Fatal(err)
	}
	h := &harness{World: crmtest.Reopen(t, store), wa: srv, shop: srv.Account("79990001122"), anna: srv.Contact("79995554433")}
	h.Service.Now = time.Now
	g := srv.Group(types.NewJID("120363000000000001", types.GroupServer))
	waited := h.anna.SendText(h.shop, "Are you there?")

	h.m, h.stop = h.node(t, h.Service, sealedForUpgrade)
	h.Service.Messengers[Type] = h.m
	h.awaitItem(t, crm.EventMessage, waited, "Are you there?")
	h.awaitState(t, crm.StateConnected)
	if n := h.shop.Devices(); n != 1 {
		t.Errorf("the account has %d devices", n)
	}
	h.talk(t, g, "after the update")
	if !slices.Contains(h.texts(t), "Do you have tea?") {
		t.Error("the old messages are not there any more")
	}
	h.shop.Change(appstate.BuildLabelChat(h.anna.Number(), "7", true))
	h.awaitItem(t, crm.EventChatTag, `"add"`, "Tea")

	h.stop() // and once more, as after a restart
	h.m, h.stop = h.node(t, h.Service, sealedForUpgrade)
	h.Service.Messengers[Type] = h.m
	h.talk(t, g, "after a restart")
	if err := h.shop.AwaitSettled(testwait.Context(t)); err != nil {
		t.Error(err)
	}
	if n := h.anna.Retried(); n > 0 {
		t.Errorf("%d messages had to be sent again: a Signal session was lost", n)
	}
	if u := srv.Unhandled(); len(u) > 0 {
		t.Errorf("the stand-in does not know: %q", u)
	}
}

// talk sends a message each way, and one to the group each way.
func (h *harness) talk(t *testing.T, g *whatsapptest.Group, about string) {
	t.Helper()
	h.anna.SendText(h.shop, "in "+about)
	h.awaitItem(t, crm.EventMessage, "in "+about)
	h.anna.SendGroup(g, whatsapptest.Text("group in "+about))
	h.awaitItem(t, crm.EventMessage, "group in "+about)
	for _, chat := range []string{anna, g.JID().String()} {
		text := "out " + about + " to " + chat
		_, err := h.Send(t.Context(), h.Operator, crm.ChatAddress{Line: testLine, ChatID: chat}, crm.Outgoing{
			Type: crm.MessageText, Content: crm.Content{Text: text},
		})
		if err != nil {
			t.Fatal(err)
		}
		got, err := h.anna.AwaitText(testwait.Context(t), text)
		if err != nil {
			t.Fatal(err)
		}
		if got.Retries > 0 {
			t.Errorf("%q had to be sent again: a Signal session was lost", text)
		}
	}
}

func writeOldDatabase(t *testing.T, url string) {
	store := testdb.Open(t, url)
	harnessIn(t, store, func(t *testing.T, h *harness) {
		h.pair(t)
		h.anna.SendText(h.shop, "Do you have tea?")
		h.awaitItem(t, crm.EventMessage, "Do you have tea?")
		h.talk(t, h.wa.NewGroup("Neighbours", true, h.anna, h.shop), "before")
		h.shop.Change(appstate.BuildLabelEdit("7", "Tea", 3, false))
		eventually(t, "the label is no tag", func() bool {
			page, err := h.Tags(t.Context(), h.Owner, crm.TagQuery{})
			return err == nil && len(page.Items) == 1 && page.Items[0].Name == "Tea"
		})
		if err := h.shop.AwaitSettled(testwait.Context(t)); err != nil {
			t.Fatal(err)
		}
		h.stop()

		kind := filepath.Base(t.Name())
		folder := filepath.Join("testdata", "upgrade", *writeUpgrade)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		zip(t, filepath.Join(folder, kind+".whatsapp.json.gz"), h.wa.Save)
		if kind == "postgres" {
			zip(t, filepath.Join(folder, "postgres.sql.gz"), func(w io.Writer) error {
				runTool(t, w, "pg_dump", "--no-owner", "--dbname="+url)
				return nil
			})
			return
		}
		db, _, err := store.SideDB(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		copied := filepath.Join(t.TempDir(), "copy.db")
		if err := errors.Join(exec(t.Context(), db, "VACUUM INTO '"+copied+"'"), db.Close()); err != nil {
			t.Fatal(err)
		}
		zip(t, filepath.Join(folder, "sqlite.db.gz"), func(w io.Writer) error {
			b, err := os.ReadFile(copied)
			if err != nil {
				return err
			}
			_, err = w.Write(b)
			return err
		})
	}, sealedForUpgrade)
}

func runTool(t *testing.T, out io.Writer, name string, args ...string) {
	t.Helper()
	c := osexec.CommandContext(t.Context(), testdb.Tool(t, name), args...)
	c.Stdout, c.Stderr = out, t.Output()
	if err := c.Run(); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

func zip(t *testing.T, path string, write func(io.Writer) error) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewWriterLevel(f, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(write(z), z.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
}

func unzip(t *testing.T, path, to string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
