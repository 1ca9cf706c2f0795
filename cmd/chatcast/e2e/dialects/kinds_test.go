package dialects

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"

	"chatcast/channels/testwait"
	"chatcast/crm/whatsapp/whatsapptest"
)

// TestEachDialectSeesEachKind lets messages of every kind arrive, from people who are known by
// their number, by their hidden id or by both, in chats and in a group, with edits, deletions,
// copies and messages that can be decrypted only later. No dialect leaves one out.
func TestEachDialectSeesEachKind(t *testing.T) {
	eachDatabase(t, func(w *world) {
		hidden := w.NewContact("351912000004", "100200304", "Dora")
		hidden.HideNumber()
		w.customers = append(w.customers, hidden, w.NewContact("351912000005", "", "Egon"))
		w.group = w.NewGroup("Tea", true, w.Anna, w.customers[1], hidden, w.Shop)
		w.join()
		var sent []string
		for _, c := range w.customers {
			for _, m := range w.kinds() {
				sent = append(sent, c.Send(w.Shop, m))
				sent = append(sent, w.Shop.Write(c.Number(), m))
			}
			sent = append(sent, w.changes(c)...)
		}
		for _, m := range w.kinds() {
			sent = append(sent, w.Anna.SendGroup(w.group, m), hidden.SendGroup(w.group, m), w.Shop.WriteGroup(w.group, m))
		}
		last := w.Anna.SendText(w.Shop, "the last one")
		w.await(last)
		w.compare(append(sent, last), nil)
		w.stop()
	})
}

// TestEachDialectSeesWhatComesLate lets messages arrive that cannot be decrypted at first. In
// the end each dialect has seen each of them once, with what it says. Those that tell of it
// only then see it later than others.
func TestEachDialectSeesWhatComesLate(t *testing.T) {
	eachDatabase(t, func(w *world) {
		w.join()
		want := map[string]string{}
		for i := range 10 {
			for _, c := range w.customers {
				for garbled := range 2 {
					text := fmt.Sprintf("message %d, garbled %d times", i, garbled)
					want[c.SendText(w.Shop, text, whatsapptest.SendOpts{Garbled: garbled})] = text
				}
			}
		}
		if err := w.Shop.AwaitSettled(testwait.Context(t)); err != nil {
			t.Fatal(err)
		}
		last := w.Anna.SendText(w.Shop, "the last one")
		w.await(last)
		want[last] = "the last one"
		for _, v := range w.viewers {
			v.change(func() {
				if said := difference(slices.Sorted(maps.Keys(want)), slices.Sorted(slices.Values(v.messages))); said != "" {
					t.Errorf("%s: %s", v.name, said)
				}
				for id, text := range want {
					if v.texts[id] != text {
						t.Errorf("%s is told that %s says %q, not %q", v.name, id, v.texts[id], text)
					}
				}
			})
		}
		w.stop()
	})
}

// changes sends messages that are changed, come twice, late, or with other ids of their sender,
// and returns those that are messages of their own.
func (w *world) changes(c *whatsapptest.Contact) (ids []string) {
	text := func(text string, o whatsapptest.SendOpts) string {
		id := c.SendText(w.Shop, text, o)
		ids = append(ids, id)
		return id
	}
	edited := text("is edited", whatsapptest.SendOpts{})
	c.Send(w.Shop, whatsapptest.Edit(c.KeyOf(w.Shop, edited, true), whatsapptest.Text("was edited")))
	deleted := text("is deleted", whatsapptest.SendOpts{})
	c.Send(w.Shop, whatsapptest.Revoke(c.KeyOf(w.Shop, deleted, true)))
	ids = append(ids, c.Send(w.Shop, whatsapptest.Reaction(c.KeyOf(w.Shop, edited, true), "👍")))
	text("comes thrice", whatsapptest.SendOpts{Copies: 2})
	text("by the hidden id", whatsapptest.SendOpts{Addressing: whatsapptest.ByHiddenID})
	return ids
}

// kinds returns a message of each kind that people send.
func (w *world) kinds() []*waE2E.Message {
	file := func(text string, as whatsmeow.MediaType) whatsapptest.File { return w.Upload([]byte(text), as) }
	photo := w.Upload(whatsapptest.Photo(16, 16), whatsmeow.MediaImage)
	film := w.Upload(whatsapptest.Film(16, 16, 1), whatsmeow.MediaVideo)
	return []*waE2E.Message{
		whatsapptest.Text("plain"), whatsapptest.RichText("rich https://example.com", nil), whatsapptest.Text(strings.Repeat("long ", 2000)),
		photo.Image("", "image/jpeg"), photo.Image("caption", "image/jpeg"), film.Video("film", "video/mp4"),
		file("OggS", whatsmeow.MediaAudio).Audio("audio/ogg; codecs=opus", true), file("ID3", whatsmeow.MediaAudio).Audio("audio/mpeg", false),
		file("%PDF", whatsmeow.MediaDocument).Document("a.pdf", "application/pdf", "the paper"),
		w.Upload(whatsapptest.StickerFile(), whatsmeow.MediaImage).Sticker("image/webp"),
		whatsapptest.Location(38.7, -9.1, "Here", "Street 1"), whatsapptest.LiveLocation(38.7, -9.1),
		whatsapptest.Card("Ana", "351912000001"), whatsapptest.Cards("Ana", "351912000001", "Bob", "351912000002"),
		whatsapptest.ButtonReply("b1", "Yes"), whatsapptest.ListReply("r1", "Soup"), whatsapptest.TemplateReply("t1", "No"),
		whatsapptest.ViewOnce(photo.Image("once", "image/jpeg")), whatsapptest.Ephemeral(whatsapptest.Text("for a day")),
	}
}
