package dialects

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"chatcast/cmd/chatcast/config"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/crm/crmtest"
	"chatcast/crm/whatsapp/whatsapptest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// world is a program whose line is paired with the stand-in, and its customers. Clients
// reach it through a cable, whose address stays when the program is started again.
type world struct {
	*e2e.Phones
	t         *testing.T
	database  string
	settings  []string
	proc      *e2e.Process
	in        *os.File // the input of the program: it ends when this process does
	cable     *e2e.Cable
	owner     *e2e.Client // reaches the program itself
	key       string      // of the line
	customers []*whatsapptest.Contact
	group     *whatsapptest.Group
	from      int64 // the journal before the test's messages
	viewers   []*viewer
}

func eachDatabase(t *testing.T, test func(w *world)) {
	testdb.EachURL(t, func(t *testing.T, url string) { test(open(t, url)) })
}

// open starts the program, pairs its line, and makes a key.
func open(t *testing.T, url string) *world {
	t.Helper()
	cfg := config.Default()
	w := &world{Phones: e2e.StartPhones(t, &cfg), t: t, database: url}
	w.settings = []string{
		asProgram + "=1", "CHATCAST_LOG_LEVEL=warn",
		"CHATCAST_SERVER_ADDRESS=127.0.0.1:0", "CHATCAST_SERVER_INTERNAL_ADDRESS=", "CHATCAST_SERVER_DRAIN_TIME=0s",
		"CHATCAST_DATABASE_URL=" + url, "CHATCAST_FILES_DIR=" + filepath.Join(t.TempDir(), "files"),
		"CHATCAST_BOOTSTRAP_USER_PASSWORD=" + e2e.OwnerPassword, "CHATCAST_WEBHOOKS_ALLOW_PRIVATE_TARGETS=true",
		"CHATCAST_EVOLUTION_GLOBAL_EVENTS=true",
		"CHATCAST_WHATSAPP_ENDPOINT=" + cfg.WhatsApp.Endpoint, "CHATCAST_WHATSAPP_ROOT_KEY=" + cfg.WhatsApp.RootKey,
	}
	w.customers = []*whatsapptest.Contact{
		w.Anna, w.NewContact("79995554434", "100200302", "Boris"), w.NewContact("351912000003", "100200303", "Clara"),
	}
	w.start()
	w.cable = e2e.LayCable(t, strings.TrimPrefix(w.proc.Base, "http://"))
	w.owner = (&e2e.Running{Base: w.proc.Base}).SignIn(t)
	var made struct{ Key string }
	w.owner.Must("POST", "/v1/keys", map[string]any{
		"name": "dialects", "rights": []string{"read", "send", "manage"}, "licenseId": 1229, "messengerType": "grWhatsApp",
	}, &made)
	w.key = made.Key
	if _, err := w.Shop.ScanQR(t.Context(), w.owner.PairingCode()); err != nil {
		t.Fatal(err)
	}
	w.owner.AwaitLine("connected")
	w.from = w.owner.LastEventID()
	return w
}

// start starts the program. stop, or the end of the test, ends it.
func (w *world) start() {
	w.t.Helper()
	binary, err := os.Executable()
	if err != nil {
		w.t.Fatal(err)
	}
	in, out, err := os.Pipe()
	if err != nil {
		w.t.Fatal(err)
	}
	cmd := exec.Command(binary)
	cmd.Env, cmd.Stdin = append(e2e.Environ(), w.settings...), in
	w.proc, w.in = e2e.LaunchCommand(w.t, cmd), out
	in.Close()
	w.t.Cleanup(func() { out.Close() })
}

// kill ends the program with SIGKILL.
func (w *world) kill() {
	w.t.Helper()
	if err := w.proc.Cmd.Process.Kill(); err != nil {
		w.t.Fatal(err)
	}
	_ = w.proc.Cmd.Wait() // it was killed
	w.complains()
}

// again starts the program once more, and leads the clients there.
func (w *world) again() {
	w.t.Helper()
	w.start()
	w.owner.Base = w.proc.Base
	w.cable.Plug(strings.TrimPrefix(w.proc.Base, "http://"))
}

// stop ends the program in order, and checks what it leaves.
func (w *world) stop() {
	w.t.Helper()
	if err := w.proc.Cmd.Process.Signal(syscall.SIGTERM); err != nil {
		w.t.Fatal(err)
	}
	if err := w.proc.Cmd.Wait(); err != nil {
		w.t.Errorf("the program ends with %v: %s", err, w.proc.Errs)
	}
	w.complains()
	store, err := models.Open(w.t.Context(), w.database)
	if err != nil {
		w.t.Fatal(err)
	}
	crmtest.ValidateJournal(w.t, store)
	if err := store.Close(); err != nil {
		w.t.Error(err)
	}
	if u, n := w.Unhandled(), w.Shop.Nacks(); len(u)+len(n) > 0 {
		w.t.Errorf("the stand-in was asked for what it does not know: %q; messages were refused: %v", u, n)
	}
}

// complains fails the test if the program has had a race or a panic.
func (w *world) complains() {
	w.t.Helper()
	for _, what := range []string{"DATA RACE", "panic", "level=ERROR"} {
		if log := w.proc.Errs.String(); strings.Contains(log, what) {
			w.t.Errorf("the program's log has %q:\n%s", what, log)
		}
	}
}
