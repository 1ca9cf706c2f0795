package whatsapptest

import (
	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/proto/waMmsRetry"
	"go.mau.fi/whatsmeow/util/gcmutil"
	"go.mau.fi/whatsmeow/util/hkdfutil"
	"google.golang.org/protobuf/proto"
)

// A client can ask the phone for a file that the host has dropped:
//
//	client                                server              phone
//	  receipt server-error: the id,  ----->                ----->
//	  encrypted under the file's key
//	                                                        uploads it again
//	  notification mediaretry        <-----                <-----
//	  (the new path, under the key)

// onMediaRetry handles a client's request to the phone for a file.
func (a *Account) onMediaRetry(d *Device, n node) {
	id := stringOf(n, "id")
	rmr, ok := child(n, "rmr")
	if !ok {
		a.srv.note("a request for a file without <rmr>: %s", n.String())
		return
	}
	about := node{Tag: "rmr", Attrs: attrs{"jid": jidOf(rmr, "jid"), "from_me": stringOf(rmr, "from_me")}}
	if p := jidOf(rmr, "participant"); !p.IsEmpty() {
		about.Attrs["participant"] = p
	}
	answer := node{Tag: "notification", Attrs: attrs{
		"from": a.number, "id": id, "type": "mediaretry", "t": a.srv.opts.Now().Unix(),
	}}
	found := a.archived(id)
	var part whatsmeow.DownloadableMessage
	if found != nil {
		part = attachment(found.info.GetMessage())
	}
	if part == nil || found.lost {
		const notOnPhone = 2
		answer.Content = []node{about, {Tag: "error", Attrs: attrs{"code": notOnPhone}}}
		d.push(answer)
		return
	}
	key := hkdfutil.SHA256(part.GetMediaKey(), nil, []byte("WhatsApp Media Retry Notification"), 32)
	plain, err := gcmutil.Decrypt(key, bytesOf(n, "encrypt", "enc_iv"), bytesOf(n, "encrypt", "enc_p"), []byte(id))
	request := new(waMmsRetry.ServerErrorReceipt)
	if err != nil || proto.Unmarshal(plain, request) != nil || request.GetStanzaID() != id {
		a.srv.note("the request for the file of %s is not under its key", id)
		return
	}
	sealed, iv, ok := a.uploadAgain(id, part.GetDirectPath(), key)
	if !ok {
		return
	}
	answer.Content = []node{about, {Tag: "encrypt", Content: []node{
		{Tag: "enc_p", Content: sealed}, {Tag: "enc_iv", Content: iv},
	}}}
	d.push(answer)
}

func (a *Account) uploadAgain(id, path string, key []byte) (sealed, iv []byte, ok bool) {
	file, ok := a.srv.media.get(path)
	if !ok {
		a.srv.note("the phone has not the file of %s", id)
		return nil, nil, false
	}
	plain, err := proto.Marshal(&waMmsRetry.MediaRetryNotification{
		StanzaID: &id, DirectPath: proto.String(a.srv.media.put(file.data)),
		Result: waMmsRetry.MediaRetryNotification_SUCCESS.Enum(),
	})
	if err != nil {
		a.srv.note("%v", err)
		return nil, nil, false
	}
	iv = randomBytes(12)
	sealed, err = gcmutil.Encrypt(key, iv, plain, []byte(id))
	return sealed, iv, err == nil
}

// LoseFile makes the phone lose the file of a message.
func (a *Account) LoseFile(id string) {
	defer a.srv.lock()()
	if m := a.archived(id); m != nil {
		m.lost = true
	}
}

// attachment returns the part of a message that has a file, or nil.
func attachment(m *waE2E.Message) whatsmeow.DownloadableMessage {
	if m == nil {
		return nil
	}
	m = unwrap(m)
	switch {
	case m.ImageMessage != nil:
		return m.ImageMessage
	case m.VideoMessage != nil:
		return m.VideoMessage
	case m.PtvMessage != nil:
		return m.PtvMessage
	case m.AudioMessage != nil:
		return m.AudioMessage
	case m.DocumentMessage != nil:
		return m.DocumentMessage
	case m.StickerMessage != nil:
		return m.StickerMessage
	}
	return nil
}

// Attachment returns the part of the message that has a file, for Open, or nil if
// there is none.
func (r Received) Attachment() whatsmeow.DownloadableMessage { return attachment(r.Message) }
