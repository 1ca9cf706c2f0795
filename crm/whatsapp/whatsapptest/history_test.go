package whatsapptest_test

import (
	"fmt"
	"testing"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waHistorySync"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"chatcast/crm/whatsapp/whatsapptest"
)

func TestHistory(t *testing.T) {
	for _, inline := range []bool{true, false} {
		t.Run(fmt.Sprint("inline ", inline), func(t *testing.T) {
			w := newWorld(t)
			at := time.Unix(1_700_000_000, 0)
			w.shop.SetHistory(inline, whatsapptest.PastChat{Chat: w.anna.Number(), Name: "Anna", Unread: 1, Messages: []whatsapptest.Past{
				{ID: "P1", Time: at, What: whatsapptest.Text("long ago"), Name: "Anna"},
				{ID: "P2", Time: at.Add(time.Minute), FromMe: true, What: whatsapptest.Text("yes")},
			}})
			c := w.linked(t)
			names := await(c, func(e *events.HistorySync) bool { return e.Data.GetSyncType() == waHistorySync.HistorySync_PUSH_NAME })
			if names.Data.GetPushnames()[0].GetPushname() != "Anna" {
				t.Errorf("names: %v", names.Data.GetPushnames())
			}
			h := await(c, func(e *events.HistorySync) bool {
				return e.Data.GetSyncType() == waHistorySync.HistorySync_INITIAL_BOOTSTRAP
			})
			chats := h.Data.GetConversations()
			if len(chats) != 1 || len(chats[0].GetMessages()) != 2 {
				t.Fatalf("%v", chats)
			}
			chat, err := types.ParseJID(chats[0].GetID())
			if err != nil || chat != w.anna.Number() {
				t.Errorf("%s, %v", chat, err)
			}
			newest, err := c.ParseWebMessage(chat, chats[0].GetMessages()[0].GetMessage())
			if err != nil || newest.Info.ID != "P2" || !newest.Info.IsFromMe || !newest.Info.Timestamp.Equal(at.Add(time.Minute)) {
				t.Errorf("%+v, %v", newest, err)
			}
			w.sound(t)
		})
	}
}

func TestHistoryOnDemand(t *testing.T) {
	w := newWorld(t)
	c := w.linked(t)
	var ids []string
	for i := range 5 {
		ids = append(ids, w.anna.SendText(w.shop, fmt.Sprint("text ", i)))
	}
	last := await(c, messageID(ids[4]))
	_, err := c.SendMessage(t.Context(), c.Store.GetJID().ToNonAD(), c.BuildHistorySyncRequest(&last.Info, 2),
		whatsmeow.SendRequestExtra{Peer: true})
	if err != nil {
		t.Fatal(err)
	}
	h := await(c, func(e *events.HistorySync) bool { return e.Data.GetSyncType() == waHistorySync.HistorySync_ON_DEMAND })
	messages := h.Data.GetConversations()[0].GetMessages()
	if len(messages) != 2 || messages[0].GetMessage().GetKey().GetID() != ids[3] {
		t.Errorf("%v", messages)
	}
	w.sound(t)
}
