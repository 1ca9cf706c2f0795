package whatsapp

import (
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/whatsapp/whatsapptest"
)

// TestBadInput sends bad messages, one after the other, to the real rules. Each must be
// ingested once and in order, with as much content as is valid, and must be published.
func TestBadInput(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.MaxFile = 1 << 20
		h.pair(t)
		wrong := h.wa.Upload([]byte("other bytes"), whatsmeow.MediaDocument)
		h.wa.Break(wrong, whatsapptest.FileFault{Corrupt: true})
		huge := h.wa.Upload([]byte("small"), whatsmeow.MediaVideo).Video("", "video/mp4")
		huge.VideoMessage.FileLength = proto.Uint64(2 << 30)
		deep := whatsapptest.Text("deep")
		for range 1000 {
			deep = &waE2E.Message{EphemeralMessage: &waE2E.FutureProofMessage{Message: deep}}
		}
		ids := []string{
			h.anna.SendText(h.shop, "before"),
			h.anna.SendText(h.shop, strings.Repeat("ü", 1<<19)), // 1 MB
			h.anna.SendText(h.shop, "", whatsapptest.SendOpts{Plaintext: []byte("\xff\xff no protobuf")}),
			h.anna.Send(h.shop, wrong.Document("wrong.txt", "text/plain", "")),
			h.anna.Send(h.shop, huge),
			h.anna.SendText(h.shop, "a NUL \x00 and \u202e"),
			h.anna.Send(h.shop, whatsapptest.RichText("names nobody", &waE2E.ContextInfo{MentionedJID: []string{"\x00@lid", "@", "79995554433@c.us"}, StanzaID: proto.String("\x00")})),
			h.anna.Send(h.shop, deep),
			h.anna.Send(h.shop, whatsapptest.RichText("from a long advertisement", longAdvertisement())),
			h.anna.SendText(h.shop, "after"),
		}
		h.awaitItem(t, crm.EventMessage, ids[len(ids)-1])
		var got []string
		items := map[string]string{}
		for _, ev := range h.Events(t, crm.EventMessage) {
			for _, item := range ev.Items(t) {
				for _, id := range ids {
					if strings.HasPrefix(string(item), `{"id":"`+id+`"`) {
						got, items[id] = append(got, id), string(item)
					}
				}
			}
		}
		if !slices.Equal(got, ids) {
			t.Fatalf("told are %q, want %q", got, ids)
		}
		for i, want := range map[int]string{
			1: `"text":"` + strings.Repeat("ü", crm.MaxText) + `"`, 2: `"subtype":"undecryptable"`,
			3: `"state":"pending"`, 4: `"state":"pending"`, 5: `"text":"a NUL  and`, 6: `"mentions":[{"id":"79995554433@c.us"`, 7: `"type":"unknown"`,
			8: `"text":"from a long advertisement"`,
		} {
			if !strings.Contains(items[ids[i]], want) {
				t.Errorf("message %d is told as %.300s", i, items[ids[i]])
			}
		}
		h.awaitItem(t, crm.EventMessageEdit, ids[3], `"state":"failed"`)
		h.awaitItem(t, crm.EventMessageEdit, ids[4], `"state":"tooLarge"`)
		for _, id := range []string{ids[0], ids[1], ids[7], ids[8], ids[9]} {
			if err := h.anna.AwaitDelivered(testwait.Context(t), id); err != nil {
				t.Error(err)
			}
		}
		if err := h.shop.AwaitSettled(testwait.Context(t)); err != nil {
			t.Error(err)
		}
	})
}

// longAdvertisement returns the origin of a message with more text than the rules take.
func longAdvertisement() *waE2E.ContextInfo {
	long := proto.String(strings.Repeat("<ы", 1000))
	return &waE2E.ContextInfo{ExternalAdReply: &waE2E.ContextInfo_ExternalAdReplyInfo{
		SourceType: long, SourceID: long, SourceURL: long, SourceApp: long, CtwaClid: long, Ref: long, Title: long,
	}}
}

// TestFlood sends a thousand messages as fast as the socket takes them, and cuts the
// socket in the middle of one.
func TestFlood(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		broadcasts := h.relay(t)
		var want []string
		began := time.Now()
		for i := range 1000 {
			text := "flood " + strings.Repeat("x", i%7) + " " + time.Duration(i).String()
			want = append(want, text)
			if i == 500 {
				h.shop.CutOnDelivery(20, true)
			}
			h.anna.SendText(h.shop, text)
		}
		t.Logf("sent within %v", time.Since(began))
		testwait.Count(t, "broadcast are", len(want), func() int { return len(broadcasts.all()) })
		if got := broadcasts.all(); !slices.Equal(got, want) {
			t.Errorf("broadcast are %d, want %d", len(got), len(want))
		}
		if got := h.texts(t); !slices.Equal(got, want) {
			t.Errorf("in the database are %d, want %d", len(got), len(want))
		}
		if err := h.shop.AwaitSettled(testwait.Context(t)); err != nil {
			t.Error(err)
		}
	})
}

// TestNobodysConcern delivers what is no message of people. It is acknowledged, and the
// line goes on.
func TestNobodysConcern(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	w.anna.SendText(w.shop, "before")
	w.awaitText(t, "before")
	w.NewChannel("News").PostStatus(w.shop, whatsapptest.Text("news of a channel"))
	w.anna.SendWithoutTime(w.shop)
	w.shop.Announce("SomethingNew", map[string]any{"xwa2_notify_something_new": []int{1}})
	w.shop.Lock(time.Now().Add(time.Hour))
	w.anna.SendText(w.shop, "after")
	w.awaitText(t, "after")
	if err := w.shop.AwaitSettled(testwait.Context(t)); err != nil {
		t.Error(err)
	}
	if got := w.texts(); !slices.Equal(got, []string{"before", "after"}) {
		t.Errorf("kept %q", got)
	}
	w.sound(t)
}
