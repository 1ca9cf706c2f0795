package evolution

import (
	"fmt"
	"slices"
	"testing"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/config"
)

// TestBot runs a bot that was written for Evolution API 2: it makes its instance, is paired, greets
// with a text and a picture, and answers what it receives, until it is told to stop. docs/migration.md
// tells what was changed in it.
func TestBot(t *testing.T) {
	w, _, c := start(t, "", func(cfg *config.Config) { cfg.Webhooks.AllowPrivateTargets = true }) // the bot's webhook is on this machine
	bot := startScript(t, "bot.cjs", nil, "EVOLUTION_URL="+c.base, "EVOLUTION_KEY="+c.key, "GREET="+anna)

	code := bot.until("code")
	if _, err := w.Shop.ScanQR(testwait.Context(t), code[1].(string)); err != nil {
		t.Fatal(err)
	}
	for bot.until("state")[1] != "open" {
		continue
	}
	var ids []string
	for _, want := range []struct{ path, kind, text string }{{"sendText", "conversation", "Hello, I am a bot"}, {"sendMedia", "imageMessage", "a dot"}} {
		sent := bot.until("sent")
		if sent[1] != want.path || sent[3] != "PENDING" || sent[4] != want.kind {
			t.Errorf("the bot says %v", sent)
		}
		got, err := w.Anna.AwaitID(testwait.Context(t), sent[2].(string))
		if err != nil {
			t.Fatal(err)
		}
		if got.Text() != want.text && got.Message.GetImageMessage().GetCaption() != want.text {
			t.Errorf("%v arrived, want %s", got.Message, want.text)
		}
		ids = append(ids, got.ID)
	}
	w.Anna.Read(w.Shop, ids...)
	for read := map[any]bool{}; len(read) < len(ids); {
		if status := bot.until("status"); status[2] == "READ" {
			read[status[1]] = true
		}
	}

	asked := w.Anna.SendText(w.Shop, "Are you there?")
	for kind, got := range bot.both("received", "hook") { // over two connections, so either may be first
		want := map[string][]any{"received": {"received", annaJID, "Anna", "conversation", "Are you there?"}, "hook": {"hook", "messages.upsert", "bot", "Are you there?"}}
		if !slices.Equal(got, want[kind]) {
			t.Errorf("the bot says %v, want %v", got, want[kind])
		}
	}
	answer, err := w.Anna.AwaitText(testwait.Context(t), "You said: Are you there?")
	if err != nil {
		t.Fatal(err)
	}
	if quoted := answer.Message.GetExtendedTextMessage().GetContextInfo().GetStanzaID(); quoted != asked {
		t.Errorf("the answer quotes %q", quoted)
	}

	w.Anna.SendText(w.Shop, "stop")
	bot.until("stopped")
	if devices := w.Shop.Devices(); devices != 0 {
		t.Errorf("%d devices are linked", devices)
	}
	if status, answer := c.call("GET /instance/connectionState/bot", ""); status != 404 {
		t.Errorf("the instance is answered %d %s", status, answer)
	}
}

// until returns the next list that the script says whose first word is kind.
func (s *script) until(kind string) []any {
	s.t.Helper()
	return s.both(kind)[kind]
}

// both returns the next list of each kind that the script says, whichever comes first.
func (s *script) both(kinds ...string) map[string][]any {
	s.t.Helper()
	got := map[string][]any{}
	for len(got) < len(kinds) {
		var said []any
		s.next(&said)
		if len(said) == 0 {
			continue
		}
		kind, _ := said[0].(string)
		switch {
		case slices.Contains(kinds, kind) && got[kind] == nil:
			got[kind] = said
		case kind == "connect_error":
			s.t.Fatal(fmt.Sprint(said...))
		}
	}
	return got
}
