package shape_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/crm/whatsapp/content"
	"chatcast/models"
	"chatcast/models/testdb"
	"chatcast/server/evolution/shape"

	"go.mau.fi/whatsmeow/proto/waE2E"
)

var update = flag.Bool("update", false, "write the golden files anew")

const (
	ann     = "79990001122@c.us"
	annLID  = "100200300400@lid"
	bob     = "79990003344@c.us"
	hidden  = "555666777888@lid" // a person whose number nobody knows
	team    = "120363000000000001@g.us"
	account = "79990000000"
)

var (
	on   = crm.Line{LicenseID: crmtest.LicenseID, Messenger: "grWhatsApp"}
	shop = shape.Instance{
		ID: "0d8f4a1e-5c1b-4e0e-9f57-2a8b7f0c9d11", Name: "shop", Phone: account, ProfileName: "Shop", ServerURL: "https://chat.example",
	}
	shapes = []shape.Shape{shape.V2, shape.V1, shape.L2msg}
	sentAt = time.Date(2026, 3, 1, 9, 0, 0, 412e6, time.UTC)
)

func ptr[T any](v T) *T { return &v }

func id(text string) crm.ID { return crm.MakeID("grWhatsApp", text) }

// world is a CRM whose events are rendered.
type world struct {
	*crmtest.World
	t    testing.TB
	mark int64 // of the journal
	live int   // how many live events were read
}

func newWorld(t testing.TB, store *models.Store) *world {
	w := &world{World: crmtest.New(t, store), t: t}
	w.Connect("grWhatsApp")
	return w
}

// sqlite runs a test on one database: the events are the same on both.
func sqlite(t *testing.T, test func(w *world)) {
	test(newWorld(t, testdb.Open(t, testdb.SQLiteURL(t))))
}

// news returns the events since the last call, those of the journal first.
func (w *world) news() (all []shape.Event) {
	w.t.Helper()
	for _, ev := range w.EventsAfter(w.t, w.mark) {
		w.mark = ev.ID
		all = append(all, shape.Event{Name: ev.Name, Data: ev.Data, At: sentAt})
	}
	live := w.Live.Published()
	for _, ev := range live[w.live:] {
		all = append(all, shape.Event{Name: ev.Name, Data: ev.Data, At: sentAt})
	}
	w.live = len(live)
	return all
}

// render renders the events since the last call.
func (w *world) render(in shape.Instance, s shape.Shape) (all []shape.Emit) {
	w.t.Helper()
	for _, ev := range w.news() {
		emits, err := shape.Render(ev, in, s)
		if err != nil {
			w.t.Error(err)
		}
		all = append(all, emits...)
	}
	return all
}

func (w *world) ingest(in crm.InboundBatch) crm.InboundResult {
	w.t.Helper()
	result, err := w.Ingest(w.t.Context(), on, in)
	if err != nil {
		w.t.Fatal(err)
	}
	return result
}

func (w *world) state(st crm.LineState) {
	w.t.Helper()
	if err := w.SetLineState(w.t.Context(), on, st); err != nil {
		w.t.Fatal(err)
	}
}

// connect pairs the line with the account.
func (w *world) connect() {
	w.state(crm.LineState{State: crm.StateConnected, Device: ptr("1:7@s.whatsapp.net"), Phone: ptr(account)})
	w.news()
}

func (w *world) send(to string, m crm.Outgoing) crm.Sent {
	w.t.Helper()
	sent, err := w.Send(w.t.Context(), w.Owner, crm.ChatAddress{Line: on, ChatID: to}, m)
	if err != nil {
		w.t.Fatal(err)
	}
	return sent
}

// from is a message of a person as the connector of WhatsApp brings it.
type from struct {
	id, chat string
	who      crm.InboundUser
	mine     bool
	said     *waE2E.Message
	once     bool
	mentions []crm.Mention
	vote     []string // what an opened vote chooses
	mode     string   // how the people are named
}

// arrive ingests a message of WhatsApp, translated as the connector does it.
func (w *world) arrive(m from) {
	w.t.Helper()
	what := content.Translate(m.said)
	if what == nil {
		w.t.Fatal("the message has no content")
	}
	if what.Content.Vote != nil && m.vote != nil {
		what.Content.Vote.Options = m.vote
	}
	if m.once && what.Subtype == "" {
		what.Subtype = crm.SubtypeViewOnce
	}
	what.Content.Mentions, what.Content.Addressing = m.mentions, m.mode
	at := w.Clock.Now().Unix()
	in := crm.InboundMessage{
		ID: id(m.id), Chat: crm.InboundChat{ID: id(m.chat)}, FromUser: &m.who, FromMe: m.mine, Time: &at, Type: what.Type,
		Message: what.Content, IsForwarded: what.Forwarded(), UTM: what.UTM(), Aside: what.Aside(),
	}
	if what.Subtype != "" {
		in.Subtype = &what.Subtype
	}
	if m.chat == ann {
		in.Chat.LID = ptr(annLID)
	}
	if m.chat == team {
		in.Chat.Type, in.Chat.Name = "group", ptr("Team")
	}
	if q := what.Quoted(); q != "" {
		in.QuotedMessageID, in.Quote = ptr(id(q)), what.Quote()
	}
	if f := what.Media; f != nil {
		source, err := json.Marshal(f)
		if err != nil {
			w.t.Fatal(err)
		}
		in.Remote = &crm.RemoteFile{Name: f.Name, MimeType: f.Mime, Source: source, Preview: f.Preview}
		if f.Size > 0 {
			in.Remote.Size = &f.Size
		}
	}
	w.ingest(crm.InboundBatch{Messages: []crm.InboundMessage{in}})
}

// annWrites returns a message of Ann in her own chat.
func annWrites(id string, said *waE2E.Message) from {
	return from{id: id, chat: ann, who: crm.InboundUser{ID: content.ID(ann), Name: "Ann", LID: ptr(annLID)}, said: said}
}

// links and windows match what differs from run to run: links to files, and the ids of
// conversations.
var (
	links   = regexp.MustCompile(`files/[0-9a-f]+\?expires=\d+(&|\\u0026)signature=[0-9A-Za-z_-]+`)
	windows = regexp.MustCompile(`"id": "[0-9a-f]{32}"`)
)

// golden compares what the events since the last call are in each shape with a file. The
// file has the events of the CRM too.
func (w *world) golden(name string) {
	t := w.t
	t.Helper()
	events := w.news()
	type file struct {
		CRM   []json.RawMessage `json:"crm"`
		V2    []json.RawMessage `json:"v2"`
		V1    []json.RawMessage `json:"v1"`
		L2msg []json.RawMessage `json:"l2msg"`
	}
	var got file
	for _, ev := range events {
		got.CRM = append(got.CRM, json.RawMessage(ev.Data))
		for _, s := range shapes {
			emits, err := shape.Render(ev, shop, s)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			for _, emit := range emits {
				if !json.Valid(emit.Data) {
					t.Fatalf("%s: %s is not JSON: %s", name, emit.Name, emit.Data)
				}
				to := map[shape.Shape]*[]json.RawMessage{shape.V2: &got.V2, shape.V1: &got.V1, shape.L2msg: &got.L2msg}[s]
				*to = append(*to, emit.Data)
			}
		}
	}
	compare(t, name, got)
}

// compare compares a value as JSON with a golden file.
func compare(t testing.TB, name string, value any) {
	t.Helper()
	var got bytes.Buffer
	enc := json.NewEncoder(&got)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(value); err != nil {
		t.Fatal(err)
	}
	text := links.ReplaceAll(got.Bytes(), []byte("files/F?expires=E&signature=S"))
	text = windows.ReplaceAll(text, []byte(`"id": "W"`))
	path := filepath.Join("testdata", "golden", name+".json")
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(text, want) {
		t.Errorf("%s differs from its golden file:\n%s", name, text)
	}
}
