package kill

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.mau.fi/whatsmeow"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/config"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/crm/whatsapp/whatsapptest"
	"chatcast/models/testdb"
)

// box is the program as users have it: the binary in an empty folder, with two settings;
// here also with a port and, on PostgreSQL, a database of the test's own.
type box struct {
	*e2e.Phones
	t         *testing.T
	binary    string
	dir       string
	settings  []string
	proc      *e2e.Process
	owner     *e2e.Client
	base      atomic.Pointer[string] // its current address, for operators who go on through its death
	customers []*whatsapptest.Contact
}

func openBox(t *testing.T, binary, database string, settings ...string) *box {
	t.Helper()
	var cfg config.Config
	b := &box{Phones: e2e.StartPhones(t, &cfg), t: t, binary: binary, dir: t.TempDir()}
	b.settings = []string{
		"CHATCAST_WHATSAPP_ENDPOINT=" + cfg.WhatsApp.Endpoint, "CHATCAST_WHATSAPP_ROOT_KEY=" + cfg.WhatsApp.RootKey,
		"CHATCAST_SERVER_ADDRESS=127.0.0.1:0", "CHATCAST_SERVER_INTERNAL_ADDRESS=",
	}
	b.settings = append(b.settings, settings...)
	if database == "postgres" {
		b.settings = append(b.settings, "CHATCAST_DATABASE_URL="+testdb.EmptyPostgresURL(t))
	}
	b.customers = []*whatsapptest.Contact{b.Anna, b.NewContact("79995554434", "100200302", "Boris")}
	b.start()
	token := exec.Command(binary, "token", "--email", e2e.OwnerEmail)
	token.Dir, token.Env = b.dir, b.proc.Cmd.Env
	out, err := token.Output()
	if err != nil {
		t.Fatal(err)
	}
	b.owner.Token = strings.TrimSpace(string(out))
	return b
}

func (b *box) start() {
	b.t.Helper()
	b.proc = e2e.Launch(b.t, b.binary, b.dir, b.settings)
	if b.owner == nil {
		b.owner = &e2e.Client{T: b.t}
	}
	b.owner.Base = b.proc.Base
	b.base.Store(&b.proc.Base)
}

// kill kills the program with SIGKILL, and starts it again.
func (b *box) kill() {
	b.t.Helper()
	if err := b.proc.Cmd.Process.Kill(); err != nil {
		b.t.Fatal(err)
	}
	_ = b.proc.Cmd.Wait() // it was killed
	b.start()
}

// pair pairs the line with the text of its QR code.
func (b *box) pair() {
	b.t.Helper()
	begun := b.owner.PairingCode()
	var shown struct{ QR string }
	b.owner.Must("GET", e2e.WhatsAppPath+"/qr", nil, &shown)
	if shown.QR != begun {
		b.t.Errorf("connect shows %q, and qr %q", begun, shown.QR)
	}
	if _, err := b.Shop.ScanQR(b.t.Context(), shown.QR); err != nil {
		b.t.Fatal(err)
	}
	b.owner.AwaitLine("connected")
}

// TestWhatsAppSurvivesKill pairs the built program, then kills it and cuts its line again
// and again, while customers and operators write. Every message arrives once and in
// order: in the database, in the journal, and at the customers.
func TestWhatsAppSurvivesKill(t *testing.T) {
	binary := e2e.BuildBinary(t)
	for _, database := range []string{"sqlite", "postgres"} {
		t.Run(database, func(t *testing.T) {
			b := openBox(t, binary, database)
			b.pair()
			b.owner.PicturesBothWays(b.Phones, e2e.WhatsAppPath+"/chats/"+b.Anna.Number().User)
			told := make([]int, len(b.customers)) // the number of earlier messages of each chat
			for i, c := range b.customers {
				told[i] = len(c.Inbox())
			}

			var operators sync.WaitGroup
			turns, said := make([]chan string, len(b.customers)), make([][]string, len(b.customers))
			for i, c := range b.customers {
				turns[i] = make(chan string, 100)
				operators.Go(func() { said[i] = b.operate(c, turns[i]) })
			}
			wrote := b.stream(turns)
			for _, turn := range turns {
				close(turn)
			}
			operators.Wait()
			for i, c := range b.customers {
				b.checkReceived(c, wrote[i])
				b.checkSent(c, said[i], told[i])
			}
			if u, n := b.Unhandled(), b.Shop.Nacks(); len(u)+len(n) > 0 {
				t.Errorf("the stand-in was asked for what it does not know: %q; messages were refused: %v", u, n)
			}
		})
	}
}

// stream lets the customers write in turn, sometimes a picture, and gives the operators
// texts to send. Each time, something fails while the messages are half ingested. It
// returns the ids of each customer's messages.
func (b *box) stream(turns []chan string) [][]string {
	b.t.Helper()
	const rounds = 30
	faults := []func(){
		b.kill, func() { b.Shop.CutOnDelivery(3, true) },
		b.kill, func() { b.Shop.CutOnSend(true, 1) },
		b.kill,
	}
	wrote, midst := make([][]string, len(b.customers)), 0
	for n, fault := range faults {
		for i := range rounds {
			who := (n*rounds + i) % len(b.customers)
			text := fmt.Sprintf("message %d of round %d;", i, n)
			if i%10 == 5 {
				picture := b.Upload([]byte("\x89PNG\r\n\x1a\n"+strings.Repeat(text, 100)), whatsmeow.MediaImage)
				wrote[who] = append(wrote[who], b.customers[who].Send(b.Shop, picture.Image(text, "image/png")))
			} else {
				wrote[who] = append(wrote[who], b.customers[who].SendText(b.Shop, text))
			}
			if i%3 == 0 {
				turns[who] <- fmt.Sprintf("answer %d of round %d", i, n)
			}
		}
		half := wrote[n%len(wrote)]
		if err := b.customers[n%len(wrote)].AwaitDelivered(b.t.Context(), half[len(half)-rounds/4]); err != nil {
			b.t.Fatal(err)
		}
		if b.Shop.Unsettled() > 0 {
			midst++
		}
		fault()
	}
	if b.t.Logf("%d of %d faults came in the midst of messages", midst, len(faults)); midst < len(faults)/2 {
		b.t.Error("nearly all was taken in before something failed: nothing is shown")
	}
	for i, ids := range wrote {
		b.owner.AwaitEvent("message", ids[len(ids)-1], b.customers[i].Number().User)
	}
	return wrote
}

// operate acts as an operator who answers a customer. It repeats a request that got no
// answer with the same key, until the program is there again.
func (b *box) operate(c *whatsapptest.Contact, turns <-chan string) (ids []string) {
	for text := range turns {
		deadline, again := time.After(testwait.Long), time.NewTicker(20*time.Millisecond)
		for id := ""; id == ""; {
			var err error
			if id, err = b.say(c.Number().User, text); err != nil {
				b.t.Error(err)
				return ids
			}
			if id != "" {
				ids = append(ids, id)
				break
			}
			select {
			case <-again.C:
			case <-deadline:
				b.t.Errorf("%q was not taken", text)
				return ids
			}
		}
		again.Stop()
	}
	return ids
}

// say posts a text once. It returns no id and no error if it got no answer.
func (b *box) say(chat, text string) (id string, err error) {
	body, err := json.Marshal(map[string]string{"text": text})
	if err != nil {
		return "", err
	}
	req, err := http.NewRequest("POST", *b.base.Load()+e2e.WhatsAppPath+"/chats/"+chat+"/messages/text", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", b.owner.Token)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", hex.EncodeToString([]byte(chat+text)))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", nil // killed
	}
	defer res.Body.Close()
	var answer struct{ Data struct{ ID string } }
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		return "", nil // killed during its answer
	}
	if res.StatusCode != http.StatusOK || answer.Data.ID == "" {
		return "", fmt.Errorf("a message to %s is answered with %s", chat, res.Status)
	}
	return answer.Data.ID, nil
}

// stored is a message in the chat's list.
type stored struct {
	ID, Side string
	Message  struct {
		Caption string
		File    *struct{ Link string }
	}
}

// messages reads the whole chat from the database, oldest first.
func messages(c *e2e.Client, chat string) (list []stored) {
	c.T.Helper()
	for query := "?limit=100&direction=next"; ; {
		var page struct {
			Items    []stored
			NextPage *string
		}
		c.Must("GET", e2e.WhatsAppPath+"/chats/"+chat+"/messages"+query, nil, &page)
		list = append(list, page.Items...)
		if page.NextPage == nil {
			return list
		}
		query = "?limit=100&nextPage=" + *page.NextPage
	}
}

// idsOf returns the ids of the items of one event in a chat, in the journal's order,
// limited to those in want.
func (b *box) idsOf(event string, want []string, part string) (ids []string) {
	b.t.Helper()
	for _, ev := range b.owner.Events(e2e.LineChannel) {
		var item struct{ ID string }
		if err := json.Unmarshal(ev.Data.Payload.Data[0], &item); err != nil {
			continue // another kind of item, whose id is a number
		}
		if ev.Event == event && slices.Contains(want, item.ID) && strings.Contains(ev.Item(), part) {
			ids = append(ids, item.ID)
		}
	}
	return ids
}

// checkReceived checks that a customer's messages are stored and broadcast once, in
// order, and pictures with their bytes.
func (b *box) checkReceived(c *whatsapptest.Contact, want []string) {
	b.t.Helper()
	if told := b.idsOf("message", want, ""); !slices.Equal(told, want) {
		b.t.Errorf("of %s %d messages are told, want %d: %q", c.Number().User, len(told), len(want), told)
	}
	var got []string
	for _, m := range messages(b.owner, c.Number().User) {
		if m.Side == "in" && slices.Contains(want, m.ID) {
			got = append(got, m.ID)
		}
		if m.Side == "in" && m.Message.File != nil && strings.HasPrefix(m.Message.Caption, "message ") {
			b.owner.Eventually("the picture is there", func() bool {
				link := strings.Replace(m.Message.File.Link, originOf(m.Message.File.Link), b.proc.Base, 1)
				status, file := e2e.Get(b.t, link)
				return status == http.StatusOK && strings.HasSuffix(file, m.Message.Caption)
			})
		}
	}
	if !slices.Equal(got, want) {
		b.t.Errorf("of %s %d messages are stored, want %d: %q", c.Number().User, len(got), len(want), got)
	}
}

// originOf returns scheme, host and port of a link. They change when the program
// restarts on another port.
func originOf(link string) string {
	scheme, rest, _ := strings.Cut(link, "://")
	host, _, _ := strings.Cut(rest, "/")
	return scheme + "://" + host
}

// checkSent checks that the answers to a customer arrive once, in order, and that their
// delivered and viewed statuses are broadcast.
func (b *box) checkSent(c *whatsapptest.Contact, want []string, before int) {
	b.t.Helper()
	if _, err := c.AwaitID(b.t.Context(), want[len(want)-1]); err != nil {
		b.t.Fatal(err)
	}
	c.Read(b.Shop, want...)
	b.owner.AwaitEvent("messageStatus", want[len(want)-1], `"type":"viewed"`)
	var got, again []string
	for _, m := range c.Inbox()[before:] {
		got = append(got, m.ID)
		if m.Retries > 0 {
			again = append(again, m.ID)
		}
	}
	if !slices.Equal(got, want) {
		b.t.Errorf("%s received %d messages, want %d:\n%q\n%q\nasked again for %q", c.Number().User, len(got), len(want), got, want, again)
	}
	for _, status := range []string{"delivered", "viewed"} {
		if n := b.idsOf("messageStatus", want, `"type":"`+status+`"`); len(n) != len(want) {
			b.t.Errorf("%d messages to %s are told as %s, want %d", len(n), c.Number().User, status, len(want))
		}
	}
	if failed := b.idsOf("messageStatus", want, `"type":"failed"`); len(failed) > 0 {
		b.t.Errorf("messages to %s have failed: %q", c.Number().User, failed)
	}
	if told := b.idsOf("message", want, ""); !slices.Equal(told, want) {
		b.t.Errorf("of the messages to %s %d are told, want %d", c.Number().User, len(told), len(want))
	}
}
