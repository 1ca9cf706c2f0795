package whatsapp

import (
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"

	"go.mau.fi/whatsmeow/types"
)

// TestReadAtOnceInAFlood checks that one goroutine tells that messages were read, however many
// come while WhatsApp does not answer, that receipts are not too long, and that none is forgotten.
func TestReadAtOnceInAFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := handlerGoroutines{log: slog.New(slog.DiscardHandler)}
		var reads readNow
		const chats, each = 3, 250
		told := map[types.MessageID]types.JID{} // unguarded: one runs at a time
		runs, receipts, release := 0, 0, make(chan struct{})
		for i := range each {
			for chat := range chats {
				from := types.NewJID(fmt.Sprint(100200300+chat), types.DefaultUserServer)
				info := types.MessageInfo{ID: fmt.Sprintf("3A%d-%d", chat, i), MessageSource: types.MessageSource{Chat: from, Sender: from}}
				reads.add(&h, &info, func(of readFrom, ids []types.MessageID) {
					runs++
					<-release
					receipts++
					if len(ids) > readMost {
						t.Errorf("a receipt is about %d messages", len(ids))
					}
					for _, id := range ids {
						told[id] = of.sender
					}
				})
			}
			synctest.Wait()
			if runs != 1 {
				t.Fatalf("after %d messages of each chat %d receipts are being sent", i+1, runs)
			}
		}
		close(release)
		h.end()
		for chat := range chats {
			for i := range each {
				if id := fmt.Sprintf("3A%d-%d", chat, i); told[id].User != fmt.Sprint(100200300+chat) {
					t.Errorf("%s is told to %v", id, told[id])
				}
			}
		}
		if most := chats * (2 + each/readMost); receipts > most { // the first ones may be about one message each
			t.Errorf("%d receipts were sent, want at most %d", receipts, most)
		}
	})
}
