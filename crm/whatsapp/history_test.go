package whatsapp

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"go.mau.fi/whatsmeow/appstate"
	"go.mau.fi/whatsmeow/proto/waHistorySync"
	"google.golang.org/protobuf/proto"

	"chatcast/crm"
	"chatcast/crm/whatsapp/whatsapptest"
)

func TestWrittenOnThePhone(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	id := w.shop.Write(w.anna.Number(), whatsapptest.Text("from my phone"))
	m := w.awaitText(t, "from my phone")
	if m.ID.String() != id || !m.FromMe || m.Chat.ID.String() != "79995554433@c.us" || m.FromUser == nil || *m.FromUser.Phone != "79990001122" {
		t.Errorf("came as %+v, from %+v", m, m.FromUser)
	}
	in := w.anna.SendText(w.shop, "read me")
	w.awaitText(t, "read me")
	w.shop.Read(w.anna.Number(), in)
	w.awaitBatch(t, "the chat read", func(batch crm.InboundBatch) bool {
		return len(batch.Reads) == 1 && batch.Reads[0].Chat.ID.String() == "79995554433@c.us" && batch.Reads[0].UpTo.String() == in && len(batch.Statuses) == 0
	})
}

func TestHistory(t *testing.T) {
	w := newWorld(t)
	failed := false // fail once, in the middle: what was not imported comes again
	w.onMessage(func() error {
		if n := historyReceipts(w); n > 1 { // the first part has names
			t.Errorf("the phone heard of %d parts before the second one was imported", n)
		}
		if !failed {
			failed = true
			return errUnavailable
		}
		return nil
	})
	past := time.Now().Add(-48 * time.Hour)
	chat := whatsapptest.PastChat{Chat: w.anna.Number(), Name: "Anna", Unread: 2}
	for i := range 250 {
		chat.Messages = append(chat.Messages, whatsapptest.Past{
			ID: fmt.Sprintf("OLD%d", i), FromMe: i%2 == 1, Time: past.Add(time.Duration(i) * time.Second), What: whatsapptest.Text(fmt.Sprint("old ", i)),
		})
	}
	w.shop.SetHistory(false, chat)
	w.pair(t)
	w.awaitText(t, "old 249")
	var want []string
	for i := range 250 {
		want = append(want, fmt.Sprint("old ", i))
	}
	if got := w.texts(); !slices.Equal(got, want) {
		t.Errorf("imported %d: %q ...", len(got), got[:min(3, len(got))])
	}
	eventually(t, "the history is not acknowledged", func() bool { return w.shop.Unsettled() == 0 && historyReceipts(w) >= 2 })
	w.rules.mu.Lock()
	defer w.rules.mu.Unlock()
	for _, batch := range w.rules.batches {
		if len(batch.Messages) > 0 && (!batch.History || len(batch.Messages) > historyBatch) {
			t.Errorf("history told as %d messages, History %v", len(batch.Messages), batch.History)
		}
	}
}

// TestHistoryInSmallBatches imports many people and chats. No transaction is about more of
// them than historyBatch, because everybody else waits for it.
func TestHistoryInSmallBatches(t *testing.T) {
	w := newWorld(t)
	var chats []whatsapptest.PastChat
	for i := range 2*historyBatch + 50 {
		c := w.NewContact(fmt.Sprint(79991110000+i), fmt.Sprint(555666000+i), fmt.Sprint("Customer ", i))
		chats = append(chats, whatsapptest.PastChat{Chat: c.Number()})
	}
	chats[0].Messages = []whatsapptest.Past{{ID: "OLD", Time: time.Now().Add(-time.Hour), What: whatsapptest.Text("old")}}
	w.shop.SetHistory(false, chats...)
	w.pair(t)
	w.awaitText(t, "old")
	eventually(t, "not all people and ids are imported", func() bool { // names come in a part of their own
		w.rules.mu.Lock()
		defer w.rules.mu.Unlock()
		people, ids := 0, 0
		for _, b := range w.rules.batches {
			if n := len(b.Contacts) + len(b.Aliases) + len(b.Messages); n > historyBatch {
				t.Fatalf("a batch has %d people, ids and messages", n)
			}
			people, ids = people+len(b.Contacts), ids+len(b.Aliases)
		}
		return people >= len(chats) && ids >= len(chats)
	})
}

// TestHistoryIsBounded imports a part of the history that is very long when it is
// decompressed. What is within the limit is imported, the newest messages of the chat that
// passes it too, and the line goes on.
func TestHistoryIsBounded(t *testing.T) {
	const limit = 1 << 20
	w := newWorld(t, func(o *Options) { o.history = limit })
	w.pair(t)
	past := func(id, text string) whatsapptest.Past {
		return whatsapptest.Past{ID: id, Time: time.Now().Add(-48 * time.Hour), What: whatsapptest.Text(text)}
	}
	ben := w.NewContact("79995550001", "100200777", "Ben")
	long := whatsapptest.PastChat{Chat: ben.Number(), Name: "Ben"}
	for i := range 40 {
		long.Messages = append(long.Messages, past(fmt.Sprint("LONG", i), fmt.Sprint("long ", i, " ", strings.Repeat("x", limit/20))))
	}
	for _, inline := range []bool{false, true} {
		before, acknowledged := len(w.texts()), historyReceipts(w)
		long.Messages[39].ID = fmt.Sprint("NEWEST", inline)
		w.shop.SendHistory(&waHistorySync.HistorySync{
			SyncType: waHistorySync.HistorySync_RECENT.Enum(),
			Conversations: []*waHistorySync.Conversation{
				whatsapptest.PastChat{Chat: w.anna.Number(), Messages: []whatsapptest.Past{past(fmt.Sprint("SHORT", inline), "short")}}.Conversation(),
				long.Conversation(),
			},
		}, inline)
		eventually(t, "the history is not acknowledged", func() bool { return w.shop.Unsettled() == 0 && historyReceipts(w) > acknowledged })
		got := w.texts()[before:]
		for i := range got {
			got[i], _, _ = strings.Cut(got[i], " x")
		}
		if len(got) < 10 || len(got) > 20 || got[0] != "short" || got[len(got)-1] != "long 39" || slices.Contains(got, "long 0") {
			t.Errorf("inline %v: %d messages were imported: %q", inline, len(got), got)
		}
	}
	w.anna.SendText(w.shop, "afterwards")
	w.awaitText(t, "afterwards")
}

// TestHistoryAsItIs checks that a part of the history within the limit is not changed, also
// at the limit, and that what cannot be decompressed is an error.
func TestHistoryAsItIs(t *testing.T) {
	raw, err := proto.Marshal(&waHistorySync.HistorySync{SyncType: waHistorySync.HistorySync_RECENT.Enum(), Conversations: []*waHistorySync.Conversation{
		{ID: proto.String("1@s.whatsapp.net"), Name: proto.String("One")}, {ID: proto.String("2@s.whatsapp.net"), Name: proto.String("Two")},
	}})
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	_, err = z.Write(raw)
	if err = errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	whole := packed.Bytes()
	if kept, cut, err := shorten(whole, int64(len(raw))); cut || err != nil || !bytes.Equal(kept, whole) {
		t.Errorf("at the limit: cut %v, %v", cut, err)
	}
	if _, _, err := shorten(whole[:len(whole)-6], int64(len(raw))); err == nil {
		t.Error("half of it is no error")
	}
	for limit := int64(2); limit < int64(len(raw)); limit++ { // wherever it is cut behind the required type, what is left can be read
		kept, cut, err := shorten(whole, limit)
		if err != nil || !cut {
			t.Fatalf("at %d: cut %v, %v", limit, cut, err)
		}
		r, err := zlib.NewReader(bytes.NewReader(kept))
		if err != nil {
			t.Fatal(err)
		}
		rest, err := io.ReadAll(r)
		var h waHistorySync.HistorySync
		if err = errors.Join(err, proto.Unmarshal(rest, &h)); err != nil || int64(len(rest)) > limit {
			t.Errorf("at %d: %d bytes, %v", limit, len(rest), err)
		}
	}
}

// historyReceipts returns how many parts of the history the phone thinks we have.
func historyReceipts(w *world) int { return len(heardOf(w)) }

// heardOf returns the parts of the history that the phone thinks we have.
func heardOf(w *world) map[string]bool {
	parts := map[string]bool{}
	for _, r := range w.shop.Receipts() {
		if r.Type == "hist_sync" {
			parts[r.ID] = true
		}
	}
	return parts
}

func TestLabelsOfThePast(t *testing.T) {
	w := newWorld(t)
	w.shop.Change(appstate.BuildLabelEdit("7", "Important", 3, false))
	w.shop.Change(appstate.BuildLabelChat(w.anna.Number(), "7", true))
	w.pair(t)
	w.awaitBatch(t, "the label", func(batch crm.InboundBatch) bool { return len(batch.Labels) == 1 && batch.History })
	w.awaitBatch(t, "its chat", func(batch crm.InboundBatch) bool { return len(batch.Tags) == 1 && batch.History })
}
