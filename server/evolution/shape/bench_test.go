package shape_test

import (
	"testing"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"google.golang.org/protobuf/proto"

	"chatcast/crm"
	"chatcast/models/testdb"
	"chatcast/server/evolution/shape"
)

// BenchmarkRender renders a text that answers another one, its status, and a picture.
func BenchmarkRender(b *testing.B) {
	events := map[string]shape.Event{}
	test := func(w *world) {
		w.connect()
		w.arrive(annWrites(answered, &waE2E.Message{Conversation: proto.String("Hi")}))
		w.news()
		w.arrive(annWrites("3A6C1F0E2B4D5A7C9E11", &waE2E.Message{ExtendedTextMessage: &waE2E.ExtendedTextMessage{Text: proto.String("Hello"), ContextInfo: quotes()}}))
		events["text"] = w.news()[0]
		sent := w.send(ann, text("Hello"))
		w.news()
		w.ingest(crm.InboundBatch{Statuses: []crm.InboundStatus{{ID: sent.ID, Chat: crm.InboundChat{ID: id(ann)}, Type: "sent"}}})
		events["status"] = w.news()[0]
		w.must(w.PublishQR(b.Context(), on, crm.Pairing{QR: ptr("2@Qm9vSGVsbG8sIHRoaXMgaXMgYSBjb2RlIG9mIHRoZSB1c3VhbCBsZW5ndGg,abc,def,ghi"), ExpiresAt: 1}))
		events["qr"] = w.news()[0]
	}
	w := newWorld(b, testdb.Open(b, testdb.SQLiteURL(b)))
	test(w)
	for _, name := range []string{"text", "status", "qr"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if emits, err := shape.Render(events[name], shop, shape.V2); err != nil || len(emits) == 0 {
					b.Fatal("nothing is rendered", err)
				}
			}
		})
	}
}
