package whatsapp

import (
	"bytes"
	"compress/zlib"
	"context"
	"io"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/proto/waHistorySync"
	"google.golang.org/protobuf/encoding/protowire"
)

// historyLimit is how long a part of the history may be when it is decompressed. Phones
// send some megabytes. What is compressed tells nothing of its length: without a limit a
// small part could take all memory of the server, and thereby end the lines of everybody.
const historyLimit = 128 << 20

// The fields in which the messages of the history are.
const (
	fieldConversations = 2 // of HistorySync
	fieldMessages      = 2 // of Conversation
)

// downloadHistory fetches a part of the history. whatsmeow decompresses it without a limit, so it
// gets one that is too long shortened: its beginning, as far as that can be read.
func (s *session) downloadHistory(ctx context.Context, cli *whatsmeow.Client, n *waE2E.HistorySyncNotification) (*waHistorySync.HistorySync, error) {
	packed := n.GetInitialHistBootstrapInlinePayload()
	if packed == nil {
		var err error
		if packed, err = cli.Download(ctx, n); err != nil {
			return nil, err
		}
	}
	packed, cut, err := shorten(packed, s.m.history)
	if err != nil {
		return nil, err
	}
	if cut {
		s.log.Warn("a part of the history is too long: only its beginning is imported", "limit", s.m.history)
	}
	return cli.DownloadHistorySync(ctx, &waE2E.HistorySyncNotification{InitialHistBootstrapInlinePayload: packed}, true)
}

// shorten returns a compressed part of the history that is at most limit bytes long when it
// is decompressed.
func shorten(packed []byte, limit int64) (kept []byte, cut bool, err error) {
	r, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, false, err
	}
	if n, err := io.Copy(io.Discard, io.LimitReader(r, limit+1)); err != nil || n <= limit {
		return packed, false, err
	}
	if r, err = zlib.NewReader(bytes.NewReader(packed)); err != nil {
		return nil, false, err
	}
	raw := make([]byte, limit)
	if _, err := io.ReadFull(r, raw); err != nil {
		return nil, false, err
	}
	var again bytes.Buffer
	w := zlib.NewWriter(&again)
	if _, err := w.Write(beginning(raw, fieldConversations, fieldMessages)); err != nil {
		return nil, false, err
	}
	if err := w.Close(); err != nil {
		return nil, false, err
	}
	return again.Bytes(), true, nil
}

// beginning returns the fields of a protobuf message that are whole in its first bytes, raw.
// Of a last one that is not whole and has the number in, it returns the beginning, with the
// same rule for what is inside.
func beginning(raw []byte, in ...protowire.Number) []byte {
	whole := 0
	for whole < len(raw) {
		_, _, n := protowire.ConsumeField(raw[whole:])
		if n < 0 {
			break
		}
		whole += n
	}
	kept, rest := raw[:whole:whole], raw[whole:]
	number, kind, tag := protowire.ConsumeTag(rest)
	if len(in) == 0 || tag < 0 || number != in[0] || kind != protowire.BytesType {
		return kept
	}
	_, size := protowire.ConsumeVarint(rest[tag:])
	if size < 0 {
		return kept
	}
	if part := beginning(rest[tag+size:], in[1:]...); len(part) > 0 {
		kept = protowire.AppendBytes(protowire.AppendTag(kept, number, kind), part)
	}
	return kept
}
